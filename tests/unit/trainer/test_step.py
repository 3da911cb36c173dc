"""What runs in a step's process, each time in a process of its own."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys

import pytest

from services.trainer.locks import lock_if_free
from services.trainer.step import Tell, finite

_HEAD = """
import os, sys, errno
from services.trainer import step
from reid_core.errors import *
step._LOCK_PATIENCE_S = 0.2
"""


def answer(tmp_path, body):
    """What a step with this body answers, and what it prints elsewhere."""
    source = f"{_HEAD}def run(request, tell):\n    {body}\nstep.main(run)"
    process = subprocess.Popen(
        [sys.executable, "-c", source],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    process.stdin.write(json.dumps({"locks_dir": str(tmp_path), "n": 7}) + "\n")
    process.stdin.flush()  # and left open: its end would end the step
    lines = [json.loads(line) for line in process.stdout]
    errors = process.stderr.read()
    process.stdin.close()
    process.stdout.close()
    process.stderr.close()
    assert process.wait() == 0
    return lines, errors


def test_a_result_is_told_and_prints_go_elsewhere(tmp_path):
    lines, errors = answer(tmp_path, "print('chatter'); os.system('echo more'); return {'got': request['n']}")
    assert lines == [{"done": {"got": 7}}]
    assert "chatter" in errors
    assert "more" in errors


@pytest.mark.parametrize(
    ("error", "reason", "is_passing"),
    [
        ("TooLittleToLearnError('one camera')", "There is too little to learn from: one camera", False),
        ("StorageError('db is locked')", "The storage cannot be used: db is locked", True),
        ("StorageFullError('x')", "There is no space left to store to: x", False),
        ("OSError(errno.ENOSPC, 'No space left on device', '/a/b')", "no space left to store to: /a/b", False),
        ("MemoryError()", "memory ran out", False),
        ("KeyError('k')", "KeyError: 'k'", False),
    ],
)
def test_every_failure_is_told_in_one_line(tmp_path, error, reason, is_passing):
    (line,), errors = answer(tmp_path, f"raise {error}")
    assert reason in line["failed"]
    assert "\n" not in line["failed"]
    assert line["is_passing"] is is_passing
    assert ("Traceback" in errors) is ("KeyError" in error)


def test_two_steps_never_work_at_once_on_one_data_folder(tmp_path):
    with lock_if_free(tmp_path / "training.lock") as ours:
        assert ours
        (line,), _ = answer(tmp_path, "return {}")
    assert "another training step is at work on this data folder" in line["failed"]


def test_what_comes_too_fast_is_left_out_but_never_the_first_and_the_last():
    out = io.StringIO()
    tell = Tell(out, every_s=3600.0)
    for done in range(1, 101):
        tell.progress(done, 100, {"loss": 1 / done})
    told = [json.loads(line)["progress"] for line in out.getvalue().splitlines()]
    assert [one["done"] for one in told] == [1, 100]
    assert told[0] == {"done": 1, "total": 100, "metrics": {"loss": 1.0}}


def test_json_gets_no_number_that_it_does_not_know():
    assert finite({"a": math.nan, "b": math.inf, "c": 1}) == {"a": None, "b": None, "c": 1.0}
