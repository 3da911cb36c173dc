from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, inspect, text

from reid_core.errors import SchemaVersionError, StorageError
from services.storage import schema
from services.storage.session import Database
from services.storage.tables import Base

if TYPE_CHECKING:
    from pathlib import Path


def _execute(url: str, *statements: str) -> None:
    with Database(url) as database, database._migrating() as connection:
        for statement in statements:
            connection.execute(text(statement))


def _tables(url: str) -> set[str]:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def test_upgrade_makes_exactly_the_tables_of_the_code(empty_database_url):
    with Database(empty_database_url) as database:
        assert database.is_empty()
        database.upgrade()
        assert not database.is_empty()
        assert database.differences() == []
        database.require_head()
    assert _tables(empty_database_url) == {*Base.metadata.tables, "alembic_version"}


def test_check_notices_a_table_that_the_code_does_not_know(empty_database_url):
    with Database(empty_database_url) as database:
        database.upgrade()
        _execute(empty_database_url, "ALTER TABLE cameras ADD COLUMN colour VARCHAR")
        assert any("colour" in line for line in database.differences())


def test_every_step_goes_down_and_up_again(empty_database_url):
    with Database(empty_database_url) as database:
        database.upgrade()
        head = database.current_revision()
        database.downgrade("base")
        assert database.current_revision() is None
        assert database.is_empty()
        database.upgrade()
        assert database.current_revision() == head
        assert database.differences() == []


def test_upgrading_twice_changes_nothing(empty_database_url):
    with Database(empty_database_url) as database:
        database.upgrade()
        _execute(empty_database_url, "INSERT INTO cameras (camera_id, created_at_s) VALUES ('cam1', 0)")
        database.upgrade()
        with database.read() as session:
            assert session.scalar(text("SELECT count(*) FROM cameras")) == 1


def test_processes_that_upgrade_together_take_turns(empty_database_url):
    failures: list[BaseException] = []
    barrier = threading.Barrier(3)

    def work() -> None:
        barrier.wait()
        try:
            with Database(empty_database_url) as database:
                database.upgrade()
                database.require_head()
        except BaseException as error:  # noqa: BLE001 - a thread's failure must reach the test
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_an_empty_database_is_refused_with_what_to_do(empty_database_url):
    with Database(empty_database_url) as database, pytest.raises(SchemaVersionError, match="run 'reknit db upgrade'"):
        database.require_head()


def test_a_database_that_is_ahead_is_refused_and_left_alone(empty_database_url):
    with Database(empty_database_url) as database:
        database.upgrade()
        _execute(empty_database_url, "UPDATE alembic_version SET version_num = '9999_future'")
        for act in (database.require_head, database.upgrade, lambda: database.downgrade("base"), database.differences):
            with pytest.raises(SchemaVersionError, match="9999_future, which this version does not know"):
                act()
        assert database.current_revision() == "9999_future"


def test_tables_of_somebody_else_are_refused_and_left_alone(empty_database_url):
    _execute(empty_database_url, "CREATE TABLE cameras (lens VARCHAR)")
    with Database(empty_database_url) as database:
        assert not database.is_empty()
        with pytest.raises(SchemaVersionError, match="holds tables that are not Reknit's"):
            database.require_head()
        with pytest.raises(StorageError, match="already exists"):
            database.upgrade()
    assert _tables(empty_database_url) == {"cameras"}


def test_an_unknown_revision_is_refused(empty_database_url):
    with Database(empty_database_url) as database:
        for act in (database.upgrade, database.downgrade):
            with pytest.raises(SchemaVersionError, match="nonsense"):
                act("nonsense")


def test_asking_where_a_database_stands_does_not_make_it(tmp_path: Path):
    with Database(f"sqlite:///{tmp_path / 'none.db'}") as database:
        assert database.is_missing
        assert database.is_empty()
        assert database.current_revision() is None
        with pytest.raises(SchemaVersionError, match="does not exist yet"):
            database.require_head()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.postgres
def test_a_migration_does_not_queue_behind_a_running_transaction(empty_postgres_url, monkeypatch):
    monkeypatch.setattr(schema, "_LOCK_TIMEOUT", "50ms")
    with Database(empty_postgres_url) as database:
        database.upgrade()
        with database.write() as session:
            session.execute(text("SELECT count(*) FROM cameras"))
            with pytest.raises(StorageError, match="kept it locked for too long"):
                database.downgrade("base")
        database.require_head()
