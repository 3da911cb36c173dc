"""Where the time of an ingest goes, by stage."""

from __future__ import annotations

import time
from contextlib import contextmanager
from enum import StrEnum
from threading import Lock
from typing import TYPE_CHECKING

from reid_core.types import StageSeconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Stage", "StageClock"]


class Stage(StrEnum):
    """A step of the ingest of one frame or tracklet, in the order in which data passes them."""

    DECODE = "decode"
    GATE = "gate"
    DETECT = "letterbox + detector"
    TRACK = "tracker"
    CROPS = "crops"
    EMBED = "embed"
    STORE = "store"


class StageClock:
    """Sums seconds by stage over all threads of an ingest.

    Stages overlap in time, so their sum is thread time and may exceed the time that passed.
    """

    def __init__(self, now_s: Callable[[], float] = time.perf_counter) -> None:
        self._now_s = now_s
        self._seconds = dict.fromkeys(Stage, 0.0)
        self._lock = Lock()

    @contextmanager
    def measure(self, stage: Stage) -> Iterator[None]:
        """Add the time that the block takes to a stage."""
        started_s = self._now_s()
        try:
            yield
        finally:
            spent_s = self._now_s() - started_s
            with self._lock:
                self._seconds[stage] += spent_s

    def seconds(self) -> StageSeconds:
        """What has been summed so far, in the order of the stages."""
        with self._lock:
            return StageSeconds({stage.value: seconds for stage, seconds in self._seconds.items()})
