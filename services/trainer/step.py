"""What runs in a step's process: read the request, do the step, tell of it, end with the worker.

Run as ``python -m services.trainer.step``; see `step_process` for the other side.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from reid_core.errors import ReknitError, StepFailedError, StorageError, StorageFullError
from services.trainer.locks import lock_if_free

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Tell", "finite", "main"]

_LOCK_PATIENCE_S = 60.0
_TELL_EVERY_S = 0.2


class Tell:
    """Tells the worker how a step goes; what comes too fast is left out, but never the first or the last.

    Args:
        out: Where lines go.
        every_s: Least seconds between two lines.
    """

    def __init__(self, out: TextIO, *, every_s: float = _TELL_EVERY_S) -> None:
        self._out = out
        self._every_s = every_s
        self._told_s = -every_s

    def progress(self, done: int, total: int, metrics: Mapping[str, float] | None = None) -> None:
        """So much of the step is done."""
        now_s = time.monotonic()
        if now_s - self._told_s >= self._every_s or done >= total:
            self._told_s = now_s
            self.line({"progress": {"done": int(done), "total": int(total), "metrics": finite(metrics or {})}})

    def line(self, told: Mapping[str, Any]) -> None:
        """One JSON object on a line."""
        self._out.write(json.dumps(told, allow_nan=False) + "\n")
        self._out.flush()


def main(run: Callable[[Mapping[str, Any], Tell], Mapping[str, Any]] | None = None) -> None:
    """Do the step that standard input asks for.

    Args:
        run: Does it and returns its result; default: `services.trainer.steps.run_step`.
    """
    request = json.loads(sys.stdin.buffer.readline())
    _end_with_the_worker()
    tell = Tell(_private_output())
    try:
        with _alone(Path(request["locks_dir"])):
            result = (run or _run)(request, tell)
        told: dict[str, Any] = {"done": dict(result)}
    except Exception as error:  # noqa: BLE001 - whatever it is, the worker must hear of it
        told = _failure(error)
    tell.line(told)
    sys.stderr.flush()
    os._exit(0)  # neither threads nor libraries hold up the next step


def _run(request: Mapping[str, Any], tell: Tell) -> Mapping[str, Any]:
    from services.trainer.steps import run_step

    return run_step(request, tell)


def _failure(error: Exception) -> dict[str, Any]:
    """Why a step failed, in one line; what nobody foresaw goes to the log in full."""
    if isinstance(error, OSError):
        from services.storage.failures import from_disk

        error = from_disk(error, Path(str(error.filename or "a file")))
    if isinstance(error, MemoryError):
        error = StepFailedError("memory ran out")
    if not isinstance(error, ReknitError):
        traceback.print_exception(error)
        error = StepFailedError(f"{type(error).__name__}: {error}")
    passing = isinstance(error, StorageError) and not isinstance(error, StorageFullError)
    return {"failed": str(error), "is_passing": passing}


def finite(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """JSON knows no NaN and no infinity."""
    return {name: float(value) if abs(float(value)) < float("inf") else None for name, value in metrics.items()}


def _private_output() -> TextIO:
    """Standard output for the protocol alone; what libraries print goes to standard error."""
    private = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return private


def _end_with_the_worker() -> None:
    """The worker holds the other end of standard input for as long as it lives."""

    def watch() -> None:
        sys.stdin.buffer.read()
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


@contextmanager
def _alone(locks_dir: Path) -> Iterator[None]:
    """One step at a time over one data folder, even if an older worker's step is still on its way out.

    Raises:
        StepFailedError: If another step does not leave.
    """
    deadline_s = time.monotonic() + _LOCK_PATIENCE_S
    while True:
        with lock_if_free(locks_dir / "training.lock") as is_ours:
            if is_ours:
                yield
                return
        if time.monotonic() > deadline_s:
            raise StepFailedError("another training step is at work on this data folder and does not end")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
