"""Detector lanes: several pictures under way at once, each on one thread.

Several pictures on one thread each are quicker than one picture on several threads, which wait for each other at every
layer. Each picture is still a batch of its own, so what is found in it never depends on what else was under way, nor on
how many processors there are.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

from services.ingest.stages import Stage

if TYPE_CHECKING:
    from concurrent.futures import Future

    from reid_core.ports import Detector
    from reid_core.types import Detections, ImageBGR
    from services.ingest.stages import StageClock

__all__ = ["DetectorLanes"]


class DetectorLanes:
    """A detector asked by several threads; shared by all cameras of a process.

    Args:
        detector: Can be asked by as many threads at once as there are lanes.
        count: Lanes, at least 1.
        clock: Told how long each picture took.
    """

    def __init__(self, detector: Detector, count: int, clock: StageClock) -> None:
        self._detector = detector
        self._count = count
        self._clock = clock
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="detector")

    def __len__(self) -> int:
        return self._count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def submit(self, image: ImageBGR) -> Future[Detections]:
        """Have a picture looked at as soon as a lane is free; pictures are taken in the order they came."""
        return self._threads.submit(self._detect, image)

    def close(self) -> None:
        """Drop what has not begun and wait for the rest."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _detect(self, image: ImageBGR) -> Detections:
        with self._clock.measure(Stage.DETECT):
            return self._detector.detect(image)
