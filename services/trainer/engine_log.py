"""What the workflow engine says, among our own events: a database that fails is a line, not a traceback."""

from __future__ import annotations

import logging
import sqlite3

import psycopg
import structlog
from sqlalchemy.exc import SQLAlchemyError

__all__ = ["take_engine_log"]

_DATABASE_FAILURES = (SQLAlchemyError, psycopg.Error, sqlite3.Error)


class _IntoStructlog(logging.Handler):
    """Passes on what a logger of the standard library gets."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        said: dict[str, object] = {"says": record.getMessage().strip().rstrip(":")}
        if isinstance(error, _DATABASE_FAILURES):
            said["error"] = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
        elif error is not None:
            said["exc_info"] = error
        structlog.get_logger().log(record.levelno, "engine", **said)


def take_engine_log() -> None:
    """Send the engine's log where ours goes; the engine prints by itself only while its logger has no handler."""
    logger = logging.getLogger("dbos")
    logger.propagate = False
    logger.handlers = [_IntoStructlog()]
