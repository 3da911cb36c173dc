"""The database: one engine, read and write transactions, and its place in the migration history."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from reid_core.errors import InputError, SchemaVersionError
from services.storage import schema
from services.storage.failures import in_our_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection, Engine

_WRITES = "reknit_writes"
_WAL_BYTES_KEPT = 64 * 1024 * 1024  # SQLite's log may grow beyond this in one transaction, and shrinks again
_POOL_SIZE = 8
_POOL_OVERFLOW = 32


class Database:
    """SQLite or PostgreSQL behind one face; safe to share between threads.

    On SQLite, commits are flushed to disk one by one (``synchronous=FULL``): kill -9 would lose nothing at the weaker
    ``NORMAL`` either, but a power cut could take back the last commits, and then an outbox number that somebody has
    seen would be given out a second time.

    Args:
        url: SQLAlchemy URL, ``sqlite:///FILE`` or ``postgresql://...``.
        busy_timeout_s: How long to wait for another process's lock on SQLite.

    Raises:
        InputError: If the URL names another kind of database, or SQLite without a file.
    """

    def __init__(self, url: str, *, busy_timeout_s: float = 30.0) -> None:
        self._url = _checked(url)
        self._busy_timeout_s = busy_timeout_s
        self._engine = self._make_engine(foreign_keys=True)
        read_options: dict[str, Any] = {_WRITES: False}
        if not self.is_sqlite:
            read_options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reader = self._engine.execution_options(**read_options)
        self._writer = self._engine.execution_options(**{_WRITES: True})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def name(self) -> str:
        """The database as messages call it: the URL without its password."""
        return self._url.set(drivername=self._url.get_backend_name()).render_as_string(hide_password=True)

    @property
    def is_sqlite(self) -> bool:
        """True for the embedded database."""
        return self._url.get_backend_name() == "sqlite"

    @property
    def is_missing(self) -> bool:
        """True if this is an SQLite file that does not exist yet."""
        return self.is_sqlite and not Path(str(self._url.database)).exists()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One read-only transaction that sees one state of the database from its first statement to its end.

        Raises:
            StorageError: If the database cannot be read.
        """
        with in_our_words(self.name), Session(self._reader, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Raises:
            StorageFullError: If there is no space left; nothing of the block is stored.
            StorageError: If the database cannot be written; nothing of the block is stored.
        """
        with in_our_words(self.name), Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def is_empty(self) -> bool:
        """True if no table exists yet, or none any more."""
        if self.is_missing:
            return True
        with in_our_words(self.name), self._reader.connect() as connection:
            return set(inspect(connection).get_table_names()) <= {"alembic_version"}

    def current_revision(self) -> str | None:
        """The migration that the database stands at, ``None`` before the first."""
        if self.is_missing:
            return None
        with in_our_words(self.name), self._reader.connect() as connection:
            return schema.current_revision(connection)

    def upgrade(self, revision: str = "head") -> None:
        """Run the migrations up to a revision; does nothing where they have run. Processes take turns.

        Raises:
            SchemaVersionError: If the database is ahead of this code, or there is no such revision.
        """
        with self._migrating() as connection:
            schema.upgrade(connection, revision)

    def downgrade(self, revision: str) -> None:
        """Take migrations back down to a revision (``base`` = all of them, with everything stored).

        Raises:
            SchemaVersionError: If the database is ahead of this code, or there is no such revision.
        """
        with self._migrating() as connection:
            schema.downgrade(connection, revision)

    def differences(self) -> list[str]:
        """How the tables in the database differ from the tables in the code, a line each; empty if they agree."""
        with self._migrating() as connection:
            return schema.differences(connection)

    def require_head(self) -> None:
        """Refuse a database that does not stand where this code's migrations end.

        Raises:
            SchemaVersionError: If it is behind, ahead, or not Reknit's; says what to do.
        """
        if self.is_missing:
            raise SchemaVersionError(f"{self.name} does not exist yet; run 'reknit db upgrade' to make it")
        with in_our_words(self.name), self._reader.connect() as connection:
            schema.require_known(connection)
            found = schema.current_revision(connection)
        head = schema.head_revision()
        if found == head:
            return
        if found is not None:
            raise SchemaVersionError(f"{self.name} is at {found}, the code at {head}; run 'reknit db upgrade'")
        if self.is_empty():
            raise SchemaVersionError(f"{self.name} is empty; run 'reknit db upgrade' to set it up")
        raise SchemaVersionError(f"{self.name} holds tables that are not Reknit's; give it a database of its own")

    def close(self) -> None:
        """Close every idle connection."""
        self._engine.dispose()

    @contextmanager
    def _migrating(self) -> Iterator[Connection]:
        """A write transaction without foreign keys: SQLite rebuilds a table by dropping it, which would cascade."""
        engine = self._make_engine(foreign_keys=False)
        try:
            with (
                in_our_words(self.name),
                engine.execution_options(**{_WRITES: True}).connect() as connection,
                connection.begin(),
            ):
                yield connection
        finally:
            engine.dispose()

    def _make_engine(self, *, foreign_keys: bool) -> Engine:
        if not self.is_sqlite:
            return create_engine(self._url, pool_size=_POOL_SIZE, max_overflow=_POOL_OVERFLOW, pool_pre_ping=True)
        engine = create_engine(
            self._url,
            pool_size=_POOL_SIZE,
            max_overflow=_POOL_OVERFLOW,
            connect_args={"timeout": self._busy_timeout_s},
        )
        pragmas = (
            f"busy_timeout={round(self._busy_timeout_s * 1000)}",
            "journal_mode=WAL",
            "synchronous=FULL",
            f"journal_size_limit={_WAL_BYTES_KEPT}",
            f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
        )
        event.listen(engine, "connect", _sqlite_setup(pragmas))
        event.listen(engine, "begin", _sqlite_begin)
        return engine


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise InputError("the database URL cannot be read; expected sqlite:///FILE or postgresql://...") from error
    match parsed.get_backend_name():
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+psycopg")
        case "sqlite" if parsed.database not in {None, "", ":memory:"}:
            return parsed.set(drivername="sqlite+pysqlite")
    raise InputError(
        f"{parsed.render_as_string(hide_password=True)} is no usable database URL; "
        "expected sqlite:///FILE or postgresql://..."
    )


def _sqlite_setup(pragmas: tuple[str, ...]) -> Any:
    def set_up(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself; `_sqlite_begin` does
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").close()

    return set_up


def _sqlite_begin(connection: Connection) -> None:
    """A writer takes the write lock at once: no deadlock by upgrading a read lock, and commits in outbox order."""
    writes = bool(connection.get_execution_options().get(_WRITES))
    connection.exec_driver_sql(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
