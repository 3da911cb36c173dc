"""Logs go to standard error, wherever that is when they are written."""

import io
import json
import sys

import pytest
import structlog

from services.observability import configure_logging


@pytest.fixture(autouse=True)
def _structlog_as_it_was():
    yield
    structlog.reset_defaults()


def test_log_lines_are_json_when_nobody_watches(capsys):
    configure_logging("INFO")
    structlog.get_logger().info("index.loaded", tracklets=3)
    captured = capsys.readouterr()
    line = json.loads(captured.err)
    assert (line["event"], line["tracklets"], line["level"]) == ("index.loaded", 3, "info")
    assert captured.out == ""


def test_lower_levels_are_silent(capsys):
    configure_logging("WARNING")
    structlog.get_logger().info("chatter")
    assert capsys.readouterr().err == ""


def test_log_follows_standard_error_when_it_is_replaced(monkeypatch):
    first, second = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", first)
    configure_logging("INFO")
    monkeypatch.setattr(sys, "stderr", second)
    first.close()
    structlog.get_logger().info("still heard")
    assert "still heard" in second.getvalue()


def test_unknown_level_is_refused():
    with pytest.raises(KeyError):
        configure_logging("LOUD")
