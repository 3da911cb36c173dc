"""`reknit train --follow` as people run it: a process with a worker of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from services.bootstrap import open_database
from services.settings import Settings
from services.storage.job_records import JobState
from services.storage.jobs import JobRepository
from services.trainer.locks import DEFAULT_WORKER, is_worker_alive

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = [sys.executable, "-c", "from services.cli.main import main; main()"]
PATIENCE_S = 120.0


@pytest.fixture
def settings(tmp_path):
    made = Settings(data_dir=tmp_path / "data")
    open_database(made).close()
    return made


def follow(data_dir: Path, *options: str) -> subprocess.Popen:
    command = [*PROGRAM, "train", "--follow", "--data-dir", str(data_dir), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def the_job(settings):
    with open_database(settings) as database, database.read() as session:
        return JobRepository(session).newest("train")


def test_a_cycle_that_fails_says_why_and_leaves_no_worker_behind(settings):
    child = follow(settings.data_dir, "--json", "-")
    told, log = child.communicate(timeout=PATIENCE_S)
    reason = "prepare: There is too little to learn from: 0 tracklets are stored, and none of them has a crop"
    assert child.returncode == 1
    assert json.loads(told)["error"].startswith(reason)
    assert log.splitlines()[-1].startswith(f"reknit: The job did not succeed: {reason}")
    assert not is_worker_alive(settings.locks_dir, DEFAULT_WORKER)


def test_who_stops_following_is_told_how_to_go_on(settings):
    child = follow(settings.data_dir)
    line = child.stderr.readline()
    child.send_signal(signal.SIGINT)
    _, rest = child.communicate(timeout=PATIENCE_S)
    job = the_job(settings)
    assert line
    assert child.returncode == 130
    assert f"job {job.job_id} goes on while a worker runs" in rest
    assert f"reknit jobs cancel {job.job_id}" in rest
    deadline_s = time.monotonic() + PATIENCE_S
    while is_worker_alive(settings.locks_dir, DEFAULT_WORKER):
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
    assert the_job(settings).state in {JobState.QUEUED, JobState.RUNNING, JobState.FAILED}
