"""What databases and disks say when they fail, in Reknit's words."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from reid_core.errors import ReknitError, StorageError, StorageFullError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


@contextmanager
def in_our_words(database: str) -> Iterator[None]:
    """Turn a driver's failure inside the block into one of ours; broken constraints pass as they are.

    Args:
        database: Names the database, without its password.

    Raises:
        StorageFullError: If there is no space left.
        StorageError: If the database is locked for too long, out of reach, damaged or not a database.
    """
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        raise from_driver(error, database) from error
    except PoolTimeoutError as error:
        raise StorageError(f"{database}: every connection is in use") from error


def from_driver(error: DBAPIError, database: str) -> ReknitError:
    """The failure of a database driver as one of ours."""
    cause = error.orig
    message = f"{database}: {_first_line(cause)}"
    if isinstance(cause, psycopg.errors.DiskFull) or _sqlite_code(cause) == sqlite3.SQLITE_FULL:
        return StorageFullError(message)
    if isinstance(cause, psycopg.errors.LockNotAvailable) or _sqlite_code(cause) in _LOCKED:
        return StorageError(f"{database}: another process kept it locked for too long")
    return StorageError(message)


@contextmanager
def disk_in_our_words(path: Path) -> Iterator[None]:
    """Turn a failing file operation inside the block into one of ours, with the path.

    Raises:
        StorageFullError: If there is no space left.
        StorageError: If the disk says no for another reason.
    """
    try:
        yield
    except OSError as error:
        raise from_disk(error, path) from error


def flush_folder(folder: Path) -> None:
    """Make sure that what was renamed or made in a folder survives a power cut.

    Raises:
        OSError: If it cannot be flushed.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def from_disk(error: OSError, path: Path) -> ReknitError:
    """The failure of a file operation as one of ours, with the path."""
    reason = error.strerror or str(error)
    return StorageFullError(f"{path}: {reason}") if error.errno in _NO_SPACE else StorageError(f"{path}: {reason}")


def _sqlite_code(cause: BaseException | None) -> int | None:
    """SQLite's primary result code, without the bits that refine it."""
    code = getattr(cause, "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF


def _first_line(cause: BaseException | None) -> str:
    lines = str(cause).strip().splitlines()
    return lines[0] if lines else type(cause).__name__
