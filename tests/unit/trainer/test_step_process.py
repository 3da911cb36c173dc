from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from services.trainer.step_process import End, run_in_process

_HEAD = "import json, os, signal, subprocess, sys, time; request = json.loads(sys.stdin.readline())\n"


def run(source, *, request=None, is_wanted=lambda: True, told=None):
    command = (sys.executable, "-S", "-c", _HEAD + source)
    heard = [] if told is None else told
    return run_in_process(command, request or {}, on_progress=heard.append, is_wanted=is_wanted, poll_s=0.05)


def test_what_a_step_tells_comes_in_order_and_its_result_last():
    told = []
    end = run(
        "for n in range(3): print(json.dumps({'progress': {'done': n}}), flush=True)\n"
        "print(json.dumps({'done': {'got': request['n']}}), flush=True)",
        request={"n": 7},
        told=told,
    )
    assert (end.how, end.result) == (End.DONE, {"got": 7})
    assert told == [{"done": 0}, {"done": 1}, {"done": 2}]


@pytest.mark.parametrize("is_passing", [True, False])
def test_a_failure_is_told_with_its_reason(is_passing):
    end = run(f"print(json.dumps({{'failed': 'no space', 'is_passing': {is_passing}}}), flush=True)")
    assert (end.how, end.reason, end.is_passing) == (End.FAILED, "no space", is_passing)


def test_a_step_that_is_killed_died():
    end = run("os.kill(os.getpid(), signal.SIGKILL)")
    assert end.how is End.DIED
    assert end.reason == "its process was killed (signal 9), most likely because memory ran out"


@pytest.mark.parametrize(
    ("source", "reason"),
    [("sys.exit(3)", "with exit code 3"), ("os.kill(os.getpid(), signal.SIGABRT)", "by signal 6")],
)
def test_a_step_that_ends_without_a_word_died(source, reason):
    end = run(source)
    assert end.how is End.DIED
    assert reason in end.reason


def test_half_a_line_of_a_dying_step_is_nothing():
    end = run("os.write(1, b'{\"done\": {'); os.kill(os.getpid(), signal.SIGKILL)")
    assert end.how is End.DIED


def test_a_step_that_is_killed_died_even_if_a_child_of_its_own_keeps_its_output_open(tmp_path):
    note = tmp_path / "pid"
    source = (
        "child = os.fork()\n"
        "if not child: time.sleep(60)\n"
        f"open({str(note)!r}, 'w').write(str(child)); os.kill(os.getpid(), signal.SIGKILL)"
    )
    began_s = time.monotonic()
    end = run(source)
    assert end.how is End.DIED
    assert "signal 9" in end.reason
    assert time.monotonic() - began_s < 30
    _wait_for(lambda: _is_gone(int(note.read_text())))


def test_a_step_that_is_not_wanted_is_killed_with_its_children(tmp_path):
    note = tmp_path / "pid"
    source = (
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(note)!r}, 'w').write(str(child.pid)); time.sleep(60)"
    )
    began_s = time.monotonic()
    end = run(source, is_wanted=lambda: not (note.exists() and note.read_text()))
    assert end.how is End.STOPPED
    assert time.monotonic() - began_s < 30
    _wait_for(lambda: _is_gone(int(note.read_text())))


def test_a_program_that_cannot_read_its_request_died():
    command = (sys.executable, "-S", "-c", "import os; os.close(0); os._exit(2)")
    end = run_in_process(command, {"much": "x" * 1_000_000}, on_progress=lambda _told: None, is_wanted=lambda: True)
    assert end.how is End.DIED


def test_a_step_hears_of_its_workers_death_by_the_end_of_its_input(tmp_path):
    """The real child: its worker is killed while it runs."""
    note = tmp_path / "pid"
    step = (
        "import os, sys, time; from services.trainer.step import main\n"
        f"def run(request, tell): open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)\n"
        "main(run)"
    )
    worker = (
        "import sys; from services.trainer.step_process import run_in_process\n"
        f"run_in_process((sys.executable, '-c', {step!r}), {{'locks_dir': {str(tmp_path)!r}}},"
        " on_progress=print, is_wanted=lambda: True)"
    )
    pid = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "-c", worker])
    try:
        _wait_for(lambda: note.exists() and note.read_text())
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    _wait_for(lambda: _is_gone(int(note.read_text())))


def _is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def _wait_for(condition, *, patience_s=60.0):
    deadline_s = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come about in time"
        time.sleep(0.01)
