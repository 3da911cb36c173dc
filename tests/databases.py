"""Databases for tests: each is real, each test finds it clean, and each test worker owns its own."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql
from servers import NoServerError, postgres_server

from services.storage.session import Database
from services.storage.tables import Base

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def postgres_server_url() -> Iterator[str]:
    """A PostgreSQL server; where there is none, an error under CI=true and a skip elsewhere."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(postgres_server(os.environ.get("REKNIT_TEST_POSTGRES", "auto")))
        except NoServerError as error:
            if os.environ.get("CI") == "true":
                pytest.fail(str(error))
            pytest.skip(str(error))
        yield url


@pytest.fixture(scope="session")
def make_postgres_database(postgres_server_url: str, worker_id: str) -> Iterator[Callable[[str], str]]:
    """Makes empty databases that only this worker knows; they are dropped when its session ends."""
    made: list[sql.Identifier] = []
    with psycopg.connect(postgres_server_url, autocommit=True) as admin:

        def make(purpose: str) -> str:
            name = f"reknit_test_{os.getpid()}_{worker_id}_{purpose}"
            made.append(sql.Identifier(name))
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(made[-1]))
            return _with_database(postgres_server_url, name)

        yield make
        for name in made:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture(scope="session")
def _empty_postgres(make_postgres_database: Callable[[str], str]) -> str:
    return make_postgres_database("empty")


@pytest.fixture
def empty_postgres_url(_empty_postgres: str) -> str:
    """A PostgreSQL database without any table."""
    with psycopg.connect(_empty_postgres, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return _empty_postgres


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """An SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'reknit.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """Once SQLite, once PostgreSQL, without any table."""
    kind = "sqlite" if request.param == "sqlite" else "postgres"
    url: str = request.getfixturevalue(f"empty_{kind}_url")
    return url


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "reknit.db"
    with Database(f"sqlite:///{path}") as database:
        database.upgrade()
    return path


@pytest.fixture(scope="session")
def _migrated_postgres(make_postgres_database: Callable[[str], str]) -> str:
    url = make_postgres_database("migrated")
    with Database(url) as database:
        database.upgrade()
    return url


@pytest.fixture
def sqlite_database(_migrated_sqlite: Path, tmp_path: Path) -> Iterator[Database]:
    """SQLite at the newest revision, with nothing in it."""
    path = shutil.copy(_migrated_sqlite, tmp_path / "reknit.db")
    with Database(f"sqlite:///{path}") as database:
        yield database


@pytest.fixture
def postgres_database(_migrated_postgres: str) -> Iterator[Database]:
    """PostgreSQL at the newest revision, with nothing in it."""
    tables = sql.SQL(", ").join(sql.Identifier(name) for name in Base.metadata.tables)
    with psycopg.connect(_migrated_postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(tables))
    with Database(_migrated_postgres) as database:
        yield database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> Database:
    """Once SQLite, once PostgreSQL, at the newest revision, with nothing in it."""
    kind = "sqlite" if request.param == "sqlite" else "postgres"
    found: Database = request.getfixturevalue(f"{kind}_database")
    return found


def _with_database(server_url: str, name: str) -> str:
    """The server's URL with another database."""
    head, _, options = server_url.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{options}" if options else "")
