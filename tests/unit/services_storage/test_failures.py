from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from reid_core.errors import StorageError, StorageFullError
from services.storage.failures import from_disk, in_our_words


def _sqlite_error(code: int, text: str) -> OperationalError:
    cause = sqlite3.OperationalError(text)
    cause.sqlite_errorcode = code
    return OperationalError("INSERT", {}, cause)


@pytest.mark.parametrize(
    ("raised", "expected", "words"),
    [
        (
            _sqlite_error(sqlite3.SQLITE_FULL, "database or disk is full"),
            StorageFullError,
            "db: database or disk is full",
        ),
        (_sqlite_error(sqlite3.SQLITE_BUSY, "database is locked"), StorageError, "kept it locked for too long"),
        (_sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT, "database is locked"), StorageError, "locked for too long"),
        (_sqlite_error(sqlite3.SQLITE_CORRUPT, "disk image is malformed"), StorageError, "db: disk image is malformed"),
        (
            OperationalError("X", {}, psycopg.errors.DiskFull("no space\nHINT: free some")),
            StorageFullError,
            "db: no space$",
        ),
        (OperationalError("X", {}, psycopg.errors.LockNotAvailable("timeout")), StorageError, "locked for too long"),
        (OperationalError("X", {}, psycopg.OperationalError("")), StorageError, "db: OperationalError"),
        (PoolTimeoutError("QueuePool limit"), StorageError, "db: every connection is in use"),
    ],
)
def test_a_drivers_failure_is_told_in_one_line_of_ours(raised, expected, words):
    with pytest.raises(expected, match=words) as caught, in_our_words("db"):
        raise raised
    assert type(caught.value) is expected
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is raised


@pytest.mark.parametrize("raised", [IntegrityError("X", {}, sqlite3.IntegrityError("UNIQUE")), KeyError("x")])
def test_what_is_not_the_databases_failure_passes_as_it_is(raised):
    with pytest.raises(type(raised)) as caught, in_our_words("db"):
        raise raised
    assert caught.value is raised


@pytest.mark.parametrize(
    ("code", "expected"),
    [(errno.ENOSPC, StorageFullError), (errno.EDQUOT, StorageFullError), (errno.EACCES, StorageError)],
)
def test_a_disks_failure_names_the_path(code, expected):
    told = from_disk(OSError(code, "reason"), Path("some/file"))
    assert type(told) is expected
    assert told.detail == "some/file: reason"
