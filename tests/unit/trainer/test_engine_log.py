"""What the workflow engine says comes out as our events."""

from __future__ import annotations

import logging

import pytest
import structlog
from sqlalchemy.exc import OperationalError

from services.trainer.engine_log import take_engine_log


@pytest.fixture
def logger():
    engine = logging.getLogger("dbos")
    before = (engine.handlers, engine.propagate, engine.level)
    take_engine_log()
    yield engine
    engine.handlers, engine.propagate = before[:2]
    engine.setLevel(before[2])


def test_a_database_that_fails_is_one_line(logger):
    error = OperationalError("SELECT 1", {}, Exception("no route to host\nis the server running?"))
    with structlog.testing.capture_logs() as said:
        logger.error("DBOS failed to launch:", exc_info=error)
    (line,) = said
    assert (line["event"], line["log_level"], line["says"]) == ("engine", "error", "DBOS failed to launch")
    assert line["error"] == "OperationalError: (builtins.Exception) no route to host"
    assert "exc_info" not in line


def test_what_nobody_foresaw_keeps_its_traceback(logger):
    error = RuntimeError("a fault")
    with structlog.testing.capture_logs() as said:
        logger.error("Exception in a workflow", exc_info=error)
        logger.warning("nothing %s", "else")
    assert said[0]["exc_info"] is error
    assert (said[1]["says"], "exc_info" in said[1]) == ("nothing else", False)


def test_taking_the_log_twice_says_nothing_twice(logger):
    take_engine_log()
    with structlog.testing.capture_logs() as said:
        logger.error("once")
    assert len(said) == 1
