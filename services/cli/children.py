"""Other `reknit` commands run as child processes, which never outlive the command that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

__all__ = ["ending_with_us", "run_child", "running_child"]

_PATIENCE_S = 10.0
_START = "from services.cli.main import main; main()"


def run_child(args: Sequence[str]) -> int:
    """Run a `reknit` command to its end and return its exit code; what it prints goes to our standard error."""
    with running_child(args) as child:
        return child.wait()


@contextmanager
def running_child(args: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A `reknit` command that runs beside the block and is ended with it, together with its own children.

    Args:
        args: Command and options, without the program's name.
    """
    command = [sys.executable, "-c", _START, *args]
    child = subprocess.Popen(command, stdout=sys.stderr.fileno(), start_new_session=True)  # noqa: S603 - our own program
    try:
        yield child
    finally:
        _end(child)


@contextmanager
def ending_with_us() -> Iterator[None]:
    """While the block runs, being terminated or hung up unwinds it, so that children are ended."""

    def unwind(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, unwind) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask the child's whole process group to end, and make it after a while."""
    if child.poll() is None:
        _signal_group(child, signal.SIGTERM)
        try:
            child.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            _signal_group(child, signal.SIGKILL)
            child.wait()


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        return  # it ended just now
