"""One step in a process of its own, which can be killed at any moment and never outlives its worker.

The step reads its request from standard input and then keeps the pipe open: the pipe's end is how it learns that its
worker has died. It answers with one JSON object a line on standard output.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["STEP_COMMAND", "End", "StepEnd", "run_in_process"]

STEP_COMMAND = (sys.executable, "-m", "services.trainer.step")
_POLL_S = 0.25
_LEAVE_S = 2.0  # for a step that has told its end to leave by itself


class End(Enum):
    """How a step's process ended."""

    DONE = "done"
    FAILED = "failed"
    DIED = "died"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class StepEnd:
    """How a step's process ended, and what it left.

    Attributes:
        how: In a word.
        result: Of a step that was done.
        reason: Why it failed or died.
        is_passing: True where the same may succeed a little later, such as a database out of reach.
    """

    how: End
    result: Mapping[str, Any]
    reason: str = ""
    is_passing: bool = False


def run_in_process(
    command: Sequence[str],
    request: Mapping[str, Any],
    *,
    on_progress: Callable[[Mapping[str, Any]], None],
    is_wanted: Callable[[], bool],
    poll_s: float = _POLL_S,
) -> StepEnd:
    """Run a step to its end, or kill it.

    Args:
        command: Program that speaks the protocol above.
        request: What it is to do; must be JSON.
        on_progress: Is given what the step tells on its way.
        is_wanted: Asked every ``poll_s``; the step is killed, with its own children, once it says no.
        poll_s: Seconds.
    """
    with _started(command, request) as process:
        lines = _lines_of(process)
        while True:
            if not is_wanted():
                return StepEnd(End.STOPPED, {}, "it was not wanted any more")
            try:
                line = lines.get(timeout=poll_s)
            except queue.Empty:
                if process.poll() is None:
                    continue
                line = _last_words(lines)
            if line is None:
                return _death(process)
            told = json.loads(line)
            if "progress" in told:
                on_progress(told["progress"])
            elif "done" in told:
                _let_leave(process)
                return StepEnd(End.DONE, told["done"])
            else:
                _let_leave(process)
                return StepEnd(End.FAILED, {}, told["failed"], told.get("is_passing", False))


@contextmanager
def _started(command: Sequence[str], request: Mapping[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(  # noqa: S603 - our own program
        list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        _send(process, request)
        yield process
    finally:
        _kill_group(process)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                _close(pipe)


def _send(process: subprocess.Popen[bytes], request: Mapping[str, Any]) -> None:
    if process.stdin is None:
        raise ValueError("the step's standard input must be a pipe")
    with suppress(BrokenPipeError):  # it died before it could read; its end is told like any other
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()


def _lines_of(process: subprocess.Popen[bytes]) -> queue.Queue[bytes | None]:
    """What the process says, line by line as it says it, and ``None`` at its end."""
    lines: queue.Queue[bytes | None] = queue.Queue()

    def read() -> None:
        for line in process.stdout or ():
            if line.endswith(b"\n"):  # it may have been killed in the middle of a line
                lines.put(line)
        lines.put(None)

    threading.Thread(target=read, name="step-output", daemon=True).start()
    return lines


def _last_words(lines: queue.Queue[bytes | None]) -> bytes | None:
    """What a step that has ended still said; no end of its output follows if a child of its own holds the pipe."""
    try:
        return lines.get(timeout=_LEAVE_S)
    except queue.Empty:
        return None


def _death(process: subprocess.Popen[bytes]) -> StepEnd:
    try:
        code = process.wait(_LEAVE_S)
    except subprocess.TimeoutExpired:
        return StepEnd(End.DIED, {}, "its process closed its output without a word on its end")
    if code == -signal.SIGKILL:
        return StepEnd(End.DIED, {}, "its process was killed (signal 9), most likely because memory ran out")
    how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
    return StepEnd(End.DIED, {}, f"its process ended {how} without a word on why; the worker's log may tell")


def _let_leave(process: subprocess.Popen[bytes]) -> None:
    with suppress(subprocess.TimeoutExpired):  # then it is killed: what it made is on disk
        process.wait(_LEAVE_S)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):  # it and its children may be gone
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _close(pipe: Any) -> None:
    with suppress(BrokenPipeError):  # a request that was never read
        pipe.close()
