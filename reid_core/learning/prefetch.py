"""Batches made ready by a thread while the step before them runs."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Prefetched"]

_Item = TypeVar("_Item")
_POLL_S = 0.1


class Prefetched(Generic[_Item]):
    """Iterates over ``make(start)`` to ``make(stop - 1)``, some of them made ahead; use it as a context.

    Leaving the context ends the thread. What ``make`` raises is raised where its item would have come.
    """

    def __init__(self, make: Callable[[int], _Item], start: int, stop: int, *, ahead: int = 3) -> None:
        self._make, self._range = make, range(start, stop)
        self._ready: queue.Queue[tuple[_Item | None, BaseException | None]] = queue.Queue(ahead)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="prefetch", daemon=True)

    def __enter__(self) -> Iterator[_Item]:
        self._thread.start()
        return self._items()

    def __exit__(self, *_exception: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _items(self) -> Iterator[_Item]:
        for _ in self._range:
            item, error = self._ready.get()
            if error is not None:
                raise error
            yield item  # type: ignore[misc]  # there is an item where there is no error

    def _work(self) -> None:
        for number in self._range:
            try:
                made: tuple[_Item | None, BaseException | None] = (self._make(number), None)
            except BaseException as error:  # noqa: BLE001  handed to whoever waits for it
                made = (None, error)
            if not self._put(made) or made[1] is not None:
                return

    def _put(self, made: tuple[_Item | None, BaseException | None]) -> bool:
        while not self._stopped.is_set():
            try:
                self._ready.put(made, timeout=_POLL_S)
            except queue.Full:
                continue
            return True
        return False
