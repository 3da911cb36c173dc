from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from services.cli import children
from services.cli.children import ending_with_us, run_child, running_child


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def program(monkeypatch):
    """Makes the children run this source instead of `reknit`."""

    def replaced_by(source: str) -> None:
        monkeypatch.setattr(children, "_START", source)

    return replaced_by


def test_a_command_runs_to_its_end_and_prints_to_standard_error(capfd):
    assert run_child(["--version"]) == 0
    out, err = capfd.readouterr()
    assert (out, err.strip()) == ("", "0.1.0")


def test_exit_code_of_a_refused_command_is_passed_on(capfd):
    assert run_child(["evaluate", "tracking", "--ground-truth", "absent.txt", "--result", "absent.txt"]) == 2
    assert "absent.txt" in capfd.readouterr().err


def test_child_is_ended_with_the_block(program):
    program("import time; time.sleep(60)")
    with running_child([]) as child:
        assert child.poll() is None
    assert child.returncode == -signal.SIGTERM


def test_grandchildren_are_ended_too(program, tmp_path):
    note = tmp_path / "pid"
    program(
        "import subprocess, sys, time, pathlib; "
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        f"pathlib.Path({str(note)!r}).write_text(str(p.pid)); time.sleep(60)"
    )
    with running_child([]):
        wait_for(lambda: note.is_file() and note.read_text())
        grandchild = int(note.read_text())
        assert is_alive(grandchild)
    wait_for(lambda: is_gone_or_zombie(grandchild))


def test_a_child_that_does_not_listen_is_killed(program, monkeypatch, tmp_path):
    monkeypatch.setattr(children, "_PATIENCE_S", 0.2)
    ready = tmp_path / "ready"
    program(
        "import signal, time, pathlib; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"pathlib.Path({str(ready)!r}).touch(); time.sleep(60)"
    )
    with running_child([]) as child:
        wait_for(ready.exists)
    assert child.returncode == -signal.SIGKILL


def test_being_terminated_ends_the_children(tmp_path):
    note = tmp_path / "pid"
    source = (
        "import pathlib; from services.cli import children; children._START = 'import time; time.sleep(60)'\n"
        "with children.ending_with_us(), children.running_child([]) as child:\n"
        f"    pathlib.Path({str(note)!r}).write_text(str(child.pid)); child.wait()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", source])
    wait_for(lambda: note.is_file() and note.read_text())
    parent.terminate()
    assert parent.wait(10) == 128 + signal.SIGTERM
    wait_for(lambda: is_gone_or_zombie(int(note.read_text())))


def test_signal_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM)
    with ending_with_us():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def is_gone_or_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_for(condition, *, patience_s: float = 10.0) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)
