from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from reid_core.errors import StorageError
from services.storage.outbox import Outbox
from services.storage.session import Database

pytestmark = pytest.mark.postgres


def _waiting_for_the_outbox(database: Database) -> int:
    with database.read() as session:
        return session.scalar(
            text(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        )


def test_a_late_nine_never_appears_after_ten_was_seen(postgres_database):
    """A transaction that asks for a number later waits until the earlier one has committed."""
    drawn: dict[str, int] = {}

    def second() -> None:
        with postgres_database.write() as session:
            drawn["second"] = Outbox(session).append("test.thing", {"from": "second"})

    other = threading.Thread(target=second)
    with postgres_database.write() as session:
        drawn["first"] = Outbox(session).append("test.thing", {"from": "first"})
        other.start()
        while _waiting_for_the_outbox(postgres_database) == 0:
            assert other.is_alive()
        assert "second" not in drawn, "a larger number must not exist while a smaller one may still commit"
        with postgres_database.read() as reader:
            assert Outbox(reader).after(0) == []
    other.join()
    assert drawn["first"] < drawn["second"]
    with postgres_database.read() as session:
        assert [event.payload["from"] for event in Outbox(session).after(0)] == ["first", "second"]


def test_a_bare_sequence_would_show_ten_before_nine(postgres_database):
    """Why the lock is there: the same interleaving without it."""
    insert = text("INSERT INTO outbox (kind, payload, created_at_s) VALUES ('bare', '{}', 0) RETURNING seq")
    with postgres_database.write() as slow:
        nine = slow.scalar(insert)
        with postgres_database.write() as quick:
            ten = quick.scalar(insert)
        with postgres_database.read() as session:
            seen = [event.seq for event in Outbox(session).after(0)]
    assert nine < ten
    assert seen == [ten]


def test_a_reading_transaction_sees_one_state(postgres_database):
    with postgres_database.read() as session:
        assert Outbox(session).after(0) == []
        with postgres_database.write() as writer:
            Outbox(writer).append("test.thing", {})
        assert Outbox(session).after(0) == []


def test_a_reading_transaction_cannot_write(postgres_database):
    with pytest.raises(StorageError, match="read-only"), postgres_database.read() as session:
        Outbox(session).append("test.thing", {})


def test_a_server_that_is_not_there_is_one_clear_line_without_the_password():
    with (
        Database("postgresql://user:secret@127.0.0.1:1/reknit") as database,
        pytest.raises(StorageError) as caught,
        database.read() as session,
    ):
        session.execute(text("SELECT 1"))
    message = str(caught.value)
    assert "postgresql://user:***@127.0.0.1:1/reknit" in message
    assert "secret" not in message
    assert "\n" not in message


def test_a_full_disk_is_told_as_such(postgres_database):
    """PostgreSQL raises its own disk_full; the server's disk cannot be filled from here."""
    from reid_core.errors import StorageFullError

    with (
        pytest.raises(StorageFullError, match="No space left on device"),
        postgres_database.write() as session,
    ):
        session.execute(
            text("DO $$ BEGIN RAISE disk_full USING MESSAGE = 'could not extend file: No space left on device'; END $$")
        )
