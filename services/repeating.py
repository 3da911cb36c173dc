"""A thread that does something again and again until it is stopped."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Repeating"]


class Repeating:
    """Runs an act from a thread of its own for as long as the ``with`` block lasts.

    Args:
        act: What to do; answers how many seconds to wait before it is done again. It must not raise.
        name: Of the thread.
        first_s: Seconds before it is done first.
        patience_s: How long the end of the block waits for an act that is under way, and then leaves it to end with the
            process; ``None``: for ever.
    """

    def __init__(self, act: Callable[[], float], *, name: str, first_s: float, patience_s: float | None = None) -> None:
        self._act = act
        self._patience_s = patience_s
        self._wait_s = first_s
        self._stop = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        self._thread.join(self._patience_s)

    def _run(self) -> None:
        while not self._stop.wait(self._wait_s):
            self._wait_s = self._act()
