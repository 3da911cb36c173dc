from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from reid_core.errors import InputError, StorageError, StorageFullError
from reid_core.types import Camera
from services.storage.cameras import CameraRepository
from services.storage.outbox import Outbox
from services.storage.session import Database

if TYPE_CHECKING:
    from pathlib import Path


def _pragma(database: Database, name: str) -> object:
    with database.read() as session:
        return session.scalar(text(f"PRAGMA {name}"))


def test_every_connection_is_set_up_to_lose_nothing(sqlite_database):
    assert _pragma(sqlite_database, "journal_mode") == "wal"
    assert _pragma(sqlite_database, "synchronous") == 2, "FULL"
    assert _pragma(sqlite_database, "foreign_keys") == 1
    assert _pragma(sqlite_database, "busy_timeout") == 30_000


def test_foreign_keys_are_enforced(sqlite_database):
    with pytest.raises(IntegrityError), sqlite_database.write() as session:
        session.execute(text("INSERT INTO camera_links VALUES ('a', 'b', 1)"))


def test_a_writer_holds_the_write_lock_from_its_first_statement(sqlite_database):
    other = sqlite3.connect(sqlite_database._url.database, isolation_level=None, timeout=0)
    try:
        with sqlite_database.write() as session:
            session.execute(text("SELECT count(*) FROM cameras"))
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
    finally:
        other.close()


def test_a_failed_statement_takes_the_whole_transaction_with_it(sqlite_database):
    def fail() -> None:
        with sqlite_database.write() as session:
            CameraRepository(session).ensure(Camera("cam1"))
            session.execute(text("CREATE TABLE more (n INTEGER)"))
            session.execute(text("INSERT INTO camera_links VALUES ('x', 'y', 1)"))

    with pytest.raises(IntegrityError):
        fail()
    with sqlite_database.read() as session:
        assert CameraRepository(session).list() == []
        assert session.scalar(text("SELECT count(*) FROM sqlite_master WHERE name = 'more'")) == 0


def test_a_reading_transaction_sees_one_state_and_holds_nobody_up(sqlite_database):
    with sqlite_database.read() as session:
        assert Outbox(session).after(0) == []
        with sqlite_database.write() as writer:
            Outbox(writer).append("test.thing", {})
        assert Outbox(session).after(0) == []


def test_a_reading_transaction_cannot_write(sqlite_database):
    with pytest.raises(StorageError, match="readonly"), sqlite_database.read() as session:
        Outbox(session).append("test.thing", {})
    with sqlite_database.write() as session:
        assert Outbox(session).append("test.thing", {}) == 1


def test_a_writer_waits_for_its_turn(sqlite_database):
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with sqlite_database.write() as session:
            Outbox(session).append("test.first", {})
            entered.set()
            leave.wait(0.2)

    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait()
    with sqlite_database.write() as session:
        Outbox(session).append("test.second", {})
    holder.join()
    with sqlite_database.read() as session:
        assert [event.kind for event in Outbox(session).after(0)] == ["test.first", "test.second"]


def test_a_lock_that_is_never_let_go_is_one_clear_line(sqlite_database):
    path = sqlite_database._url.database
    with Database(f"sqlite:///{path}", busy_timeout_s=0.05) as impatient, sqlite_database.write() as holder:
        Outbox(holder).append("test.thing", {})
        waiting = pytest.raises(StorageError, match="another process kept it locked for too long")
        with waiting, impatient.write() as session:
            Outbox(session).append("test.thing", {})


def test_a_full_disk_is_told_as_such_and_nothing_committed_is_lost(sqlite_database):
    """SQLite treats its page limit exactly as a full disk: SQLITE_FULL."""
    with sqlite_database.write() as session:
        Outbox(session).append("test.kept", {})

    def fill() -> None:
        with sqlite_database.write() as session:
            pages = session.scalar(text("PRAGMA page_count"))
            session.execute(text(f"PRAGMA max_page_count = {pages + 2}"))
            for _ in range(100):
                Outbox(session).append("test.lost", {"text": "x" * 1000})

    with pytest.raises(StorageFullError, match="database or disk is full"):
        fill()
    with Database(f"sqlite:///{sqlite_database._url.database}") as again:
        with again.read() as session:
            assert [event.kind for event in Outbox(session).after(0)] == ["test.kept"]
        with again.write() as session:
            Outbox(session).append("test.more", {})


def test_a_file_that_is_no_database_is_one_clear_line(tmp_path: Path):
    path = tmp_path / "reknit.db"
    path.write_bytes(b"certainly not a database " * 100)
    with Database(f"sqlite:///{path}") as database, pytest.raises(StorageError, match="file is not a database"):
        database.require_head()
    assert path.read_bytes().startswith(b"certainly")


def test_a_folder_that_does_not_exist_is_one_clear_line(tmp_path: Path):
    with (
        Database(f"sqlite:///{tmp_path / 'none' / 'reknit.db'}") as database,
        pytest.raises(StorageError, match="unable to open database file"),
    ):
        database.upgrade()


@pytest.mark.parametrize(
    "url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://root:secret@host/db", "postgresql+x://h:port/d"]
)
def test_a_url_of_another_kind_is_refused(url):
    with pytest.raises(InputError, match=r"expected sqlite:///FILE or postgresql://") as caught:
        Database(url)
    assert "secret" not in str(caught.value)
