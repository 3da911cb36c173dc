"""Following a job: a bar on a terminal, plain lines otherwise, until the job has ended."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.storage.job_records import Job

__all__ = ["describe", "follow"]

_LOOK_S = 0.5
_LINE_EVERY_S = 5.0


class _Show(Protocol):
    def __call__(self, job: Job) -> None: ...


def follow(read: Callable[[], Job]) -> Job:
    """Show a job's progress on standard error until it has ended, and return it as it ended.

    Args:
        read: Reads the job.
    """
    if not sys.stderr.isatty():
        return _watch(read, _Lines())
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("queued", total=1.0, note="")

        def show(job: Job) -> None:
            share = 1.0 if job.state == "succeeded" else job.progress.get("share", 0.0)
            bar.update(task, completed=share, description=_place(job), note=_note(job))

        return _watch(read, show)


def describe(job: Job) -> str:
    """Where a job stands, in one line."""
    parts = [_place(job)]
    if job.progress and not job.state.is_final:
        parts.append(f"{job.progress['share']:.0%}")
    note = _note(job)
    return ", ".join([*parts, note] if note else parts)


def _watch(read: Callable[[], Job], show: _Show) -> Job:
    while True:
        job = read()
        show(job)
        if job.state.is_final:
            return job
        time.sleep(_LOOK_S)


class _Lines:
    """A line when the step or the state changes, and one every few seconds in between."""

    def __init__(self) -> None:
        self._said_s = float("-inf")
        self._place = ""

    def __call__(self, job: Job) -> None:
        place = _place(job)
        if place != self._place or time.monotonic() - self._said_s >= _LINE_EVERY_S:
            self._said_s, self._place = time.monotonic(), place
            print(describe(job), file=sys.stderr, flush=True)


def _place(job: Job) -> str:
    if job.state != "running" or job.step is None or not job.progress:
        return job.state.value
    return f"{job.step} ({job.progress['step_no']} of {len(job.progress['steps'])})"


def _note(job: Job) -> str:
    """Metrics and seconds to go of a job that runs."""
    if job.state.is_final or not job.progress:
        return ""
    metrics = [f"{name} {value:.4g}" for name, value in job.progress["metrics"].items() if value is not None]
    eta_s = job.progress["eta_s"]
    return ", ".join([*metrics, *([] if eta_s is None else [f"about {eta_s:.0f} s to go"])])
