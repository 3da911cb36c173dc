"""Progress of long work: a bar with ETA on a terminal, a plain log line every few seconds otherwise."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOG_EVERY_S = 5.0


class Advance(Protocol):
    """Tells that some of the work is done."""

    def __call__(self, steps: int = 1) -> None:
        """``steps`` more are done."""
        ...


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Advance]:
    """Show progress on standard error while the block runs.

    Args:
        title: What is being done, such as "Ingesting".
        total: Steps in all, ``None`` where unknown.
    """
    if sys.stderr.isatty():
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task(title, total=total)

            def advance_bar(steps: int = 1) -> None:
                bar.advance(task, steps)

            yield advance_bar
    else:
        lines = _Lines(title, total)
        yield lines
        lines.finish()


class _Lines:
    """Plain lines for logs: at most one every few seconds, and one at the end."""

    def __init__(self, title: str, total: int | None) -> None:
        self._title = title
        self._total = total
        self._done = 0
        self._started_s = self._said_s = time.monotonic()

    def __call__(self, steps: int = 1) -> None:
        self._done += steps
        now_s = time.monotonic()
        if now_s - self._said_s >= _LOG_EVERY_S:
            self._said_s = now_s
            self._say(now_s)

    def finish(self) -> None:
        """Say where the work ended."""
        self._say(time.monotonic())

    def _say(self, now_s: float) -> None:
        spent_s = now_s - self._started_s
        of = f"/{self._total}" if self._total else ""
        eta = ""
        if self._total and 0 < self._done < self._total:
            eta = f", about {spent_s / self._done * (self._total - self._done):.0f} s to go"
        print(f"{self._title}: {self._done}{of} in {spent_s:.0f} s{eta}", file=sys.stderr, flush=True)
