from __future__ import annotations

import sys
from dataclasses import replace
from uuid import UUID

import pytest

from services.cli import following
from services.cli.following import describe, follow
from services.storage.job_records import Job, JobState

RUNNING = Job(
    job_id=UUID(int=1),
    kind="train",
    recipe="site-cpu",
    options={},
    state=JobState.RUNNING,
    step="train-1",
    progress={"step_no": 3, "steps": list("abcdef"), "share": 0.25, "eta_s": 90.0, "metrics": {"loss": 0.5, "x": None}},
    result=None,
    error=None,
    author=None,
    created_at_s=0.0,
    started_at_s=1.0,
    finished_at_s=None,
)
QUEUED = replace(RUNNING, state=JobState.QUEUED, step=None, progress={})
DONE = replace(RUNNING, state=JobState.SUCCEEDED)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(following, "_LOOK_S", 0.0)


def test_a_job_is_described_in_one_line():
    assert describe(RUNNING) == "train-1 (3 of 6), 25%, loss 0.5, about 90 s to go"
    assert describe(QUEUED) == "queued"
    assert describe(DONE) == "succeeded"


def test_lines_are_said_when_something_changes(capsys):
    looks = iter([QUEUED, QUEUED, RUNNING, RUNNING, DONE])
    assert follow(lambda: next(looks)) == DONE
    assert capsys.readouterr().err.splitlines() == [describe(one) for one in (QUEUED, RUNNING, DONE)]


def test_a_terminal_gets_a_bar(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    looks = iter([QUEUED, RUNNING, DONE])
    assert follow(lambda: next(looks)) == DONE
    assert "succeeded" in capsys.readouterr().err
