"""One source's way from frames to tracklets: gate, detector, tracker, tracklets, and where it may be taken up again."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from reid_core.tracking.tracker import Tracker
from reid_core.tracking.tracklets import TrackletBuilder
from reid_core.types import Detections
from reid_core.vision.motion import MotionGate, MotionGateSettings
from services.ingest.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

    from reid_core.types import Frame, ImageBGR, Tracklet
    from services.ingest.stages import StageClock

__all__ = ["CHECKPOINT_FRAMES", "CameraPipeline", "Cursor", "Looker"]

CHECKPOINT_FRAMES = 100


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place at which a source can be taken up as if it had never been left: nobody is followed there.

    Attributes:
        frame: Index of the first frame that has not been worked on.
        track_no: Number that the next tracklet gets.
        track_id: Number that the tracker gives next.
    """

    frame: int = 0
    track_no: int = 1
    track_id: int = 1


class Looker(Protocol):
    """Finds the people in a picture, some time soon."""

    def __len__(self) -> int: ...

    def submit(self, image: ImageBGR) -> Future[Detections]:
        """The people in one picture, to come."""
        ...


class CameraPipeline:
    """Follows the people of one source. One object for one pass over it.

    A few pictures are under way in the detector at any time; everything after it goes frame by frame in order, so the
    outcome is the same however quick the detector is.

    At every frame whose index is a multiple of `CHECKPOINT_FRAMES` the gate forgets what it saw, and if nobody is being
    followed there, the tracker starts anew. So a pass that begins at such a `Cursor` does what the whole pass does.
    """

    def __init__(self, looker: Looker, clock: StageClock, *, cursor: Cursor, fps: float = 10.0) -> None:
        self._looker = looker
        self._clock = clock
        self._cursor = cursor
        self._gate = MotionGate(MotionGateSettings.at_rate(fps))  # a look at least every second
        self._gate_size_px = (0, 0)
        self._tracker = Tracker(first_track_id=cursor.track_id)
        self._builder: TrackletBuilder | None = None
        self._size_px = (0, 0)
        self._next_track_no = cursor.track_no
        self._last = Detections.none()

    def follow(self, frames: Iterable[Frame]) -> Iterator[Frame | Tracklet | Cursor]:
        """Work through a source's frames.

        Args:
            frames: In order, beginning at the cursor's frame.

        Yields:
            In order: each frame when it is done, after the tracklets that closed with it, and each cursor that was
            reached, after all tracklets before it.
        """
        under_way: deque[tuple[Frame, Future[Detections] | None]] = deque()
        for frame in frames:
            under_way.append((frame, self._look(frame)))
            if len(under_way) > len(self._looker) + 1:
                yield from self._work(*under_way.popleft())
        while under_way:
            yield from self._work(*under_way.popleft())
        yield from self._close()

    def _look(self, frame: Frame) -> Future[Detections] | None:
        """Send a picture to the detector, unless it shows what the last one showed."""
        with self._clock.measure(Stage.GATE):
            size_px = _size_px(frame)
            if frame.index % CHECKPOINT_FRAMES == 0 or size_px != self._gate_size_px:
                self._gate.reset()
            self._gate_size_px = size_px
            if self._gate.is_still(frame.image, frame.index):
                return None
        return self._looker.submit(frame.image)

    def _work(self, frame: Frame, found: Future[Detections] | None) -> Iterator[Frame | Tracklet | Cursor]:
        yield from self._fit_size(frame)
        if frame.index % CHECKPOINT_FRAMES == 0:
            yield from self._checkpoint(frame.index)
        if found is not None:
            self._last = found.result()
        with self._clock.measure(Stage.TRACK):
            tracked = self._tracker.update(self._last, image=frame.image)
        with self._clock.measure(Stage.CROPS):
            closed = self._open_builder().observe(frame, tracked)
        yield from closed
        yield frame

    def _fit_size(self, frame: Frame) -> Iterator[Tracklet]:
        size_px = _size_px(frame)
        if size_px == self._size_px:
            return
        if self._builder is not None:
            yield from self._close()
        self._size_px = size_px

    def _checkpoint(self, frame_index: int) -> Iterator[Cursor]:
        builder = self._open_builder()
        if not (self._tracker.is_idle and builder.is_idle):
            return
        self._tracker = Tracker(first_track_id=self._tracker.next_track_id)
        reached = Cursor(frame_index, builder.next_track_no, self._tracker.next_track_id)
        if reached != self._cursor:
            self._cursor = reached
            yield reached

    def _close(self) -> list[Tracklet]:
        """Close all tracks and start anew."""
        self._tracker.flush()
        self._tracker = Tracker(first_track_id=self._tracker.next_track_id)
        closed = self._open_builder().finish()
        self._next_track_no = self._open_builder().next_track_no
        self._builder = None
        return closed

    def _open_builder(self) -> TrackletBuilder:
        if self._builder is None:
            self._builder = TrackletBuilder(frame_size_px=self._size_px, first_track_no=self._next_track_no)
        return self._builder


def _size_px(frame: Frame) -> tuple[int, int]:
    height, width = frame.image.shape[:2]
    return width, height
