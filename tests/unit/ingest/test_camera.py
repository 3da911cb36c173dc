from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from moving_blocks import FPS, BlockDetector, Walk, paint

from reid_core.types import Detections, Frame, Tracklet
from services.ingest.camera import CHECKPOINT_FRAMES, CameraPipeline, Cursor
from services.ingest.lanes import DetectorLanes
from services.ingest.stages import StageClock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reid_core.types import ImageBGR

EARLY = Walk(0, 5, 40)
LATE = Walk(1, 220, 260)
BOTH = (EARLY, LATE)
FRAMES = 300


class Immediate:
    """A looker that answers at once and counts what it was asked."""

    def __init__(self, detector: BlockDetector | None = None, lanes: int = 1) -> None:
        self.asked = 0
        self._lanes = lanes
        self._detector = detector or BlockDetector()

    def __len__(self) -> int:
        return self._lanes

    def submit(self, image: ImageBGR) -> Future[Detections]:
        self.asked += 1
        found: Future[Detections] = Future()
        found.set_result(self._detector.detect(image))
        return found


def frames(walks: Sequence[Walk], indices: Iterable[int], *, size_px: tuple[int, int] = (160, 120)) -> Iterator[Frame]:
    return (Frame(index, index / FPS, paint(tuple(walks), index, size_px=size_px)) for index in indices)


def run(
    source: Iterable[Frame], *, looker: Immediate | DetectorLanes | None = None, cursor: Cursor | None = None
) -> list[Frame | Tracklet | Cursor]:
    return list(CameraPipeline(looker or Immediate(), StageClock(), cursor=cursor or Cursor()).follow(source))


def tracklets(events: Iterable[Frame | Tracklet | Cursor]) -> list[Tracklet]:
    return [event for event in events if isinstance(event, Tracklet)]


def cursors(events: Iterable[Frame | Tracklet | Cursor]) -> list[Cursor]:
    return [event for event in events if isinstance(event, Cursor)]


def digest(tracklet: Tracklet) -> tuple[object, ...]:
    path = tracklet.path
    columns = (path.frame_indices, path.times_s, path.boxes_px, path.confidences)
    crops = [(crop.frame_index, crop.jpeg, crop.quality) for crop in tracklet.crops]
    return tracklet.track_no, [column.tobytes() for column in columns], crops, tracklet.display_order


def test_block_that_walks_through_becomes_one_tracklet() -> None:
    (tracklet,) = tracklets(run(frames([EARLY], range(100))))
    assert tracklet.track_no == 1
    assert tracklet.path.frame_indices[-1] == 39
    assert len(tracklet.path) >= 30
    found = tracklet.path.boxes_px[-1]
    assert np.abs(found - np.array(EARLY.box_px(39))).max() <= 4


def test_every_frame_is_reported_in_order() -> None:
    events = run(frames(BOTH, range(FRAMES)))
    assert [event.index for event in events if isinstance(event, Frame)] == list(range(FRAMES))


def test_source_without_frames_gives_nothing() -> None:
    assert run([]) == []


def test_person_still_in_view_at_the_end_is_kept() -> None:
    assert len(tracklets(run(frames([EARLY], range(20))))) == 1


def test_number_of_lanes_does_not_change_the_outcome() -> None:
    expected = [digest(tracklet) for tracklet in tracklets(run(frames(BOTH, range(FRAMES))))]
    assert len(expected) == 2
    for lanes in (1, 3):
        with DetectorLanes(BlockDetector(), lanes, StageClock()) as looker:
            events = run(frames(BOTH, range(FRAMES)), looker=looker)
        assert [digest(tracklet) for tracklet in tracklets(events)] == expected


def test_cursor_is_reached_only_where_nobody_is_followed() -> None:
    watched = Walk(0, 90, 130)
    events = run(frames([watched], range(FRAMES)))
    assert [cursor.frame for cursor in cursors(events)] == [2 * CHECKPOINT_FRAMES]
    assert events.index(cursors(events)[0]) > events.index(tracklets(events)[0])


def test_cursor_tells_the_numbers_to_go_on_with() -> None:
    (first, second) = cursors(run(frames(BOTH, range(FRAMES))))
    assert first == Cursor(100, track_no=2, track_id=2)
    assert second == Cursor(200, track_no=2, track_id=2)


@pytest.mark.parametrize("which", [0, 1])
def test_pass_from_a_cursor_equals_the_rest_of_the_whole_pass(which: int) -> None:
    whole = run(frames(BOTH, range(FRAMES)))
    cursor = cursors(whole)[which]
    rest = run(frames(BOTH, range(cursor.frame, FRAMES)), cursor=cursor)
    expected = [digest(tracklet) for tracklet in tracklets(whole) if tracklet.track_no >= cursor.track_no]
    assert [digest(tracklet) for tracklet in tracklets(rest)] == expected
    assert cursors(rest) == cursors(whole)[which + 1 :]


def test_still_scene_is_not_looked_at_but_its_people_are_followed() -> None:
    image = paint((Walk(0, 0, 100),), 10)
    still = [Frame(index, index / FPS, image.copy()) for index in range(60)]
    looker = Immediate()
    (tracklet,) = tracklets(run(still, looker=looker))
    assert looker.asked < 20
    first = int(tracklet.path.frame_indices[0])
    assert first < 6
    assert tracklet.path.frame_indices.tolist() == list(range(first, 60))


def test_change_of_size_closes_tracks_and_goes_on() -> None:
    small = frames([Walk(0, 0, 60)], range(30))
    large = frames([Walk(0, 0, 60)], range(30, 60), size_px=(320, 240))
    first, second = tracklets(run([*small, *large]))
    assert (first.frame_size_px, second.frame_size_px) == ((160, 120), (320, 240))
    assert (first.track_no, second.track_no) == (1, 2)
    assert first.path.frame_indices[-1] == 29
    assert second.path.frame_indices[0] >= 30


def test_failure_of_the_detector_reaches_the_caller() -> None:
    class Broken(BlockDetector):
        def detect(self, image: ImageBGR) -> Detections:
            raise RuntimeError(f"out of memory for {image.shape}")

    with DetectorLanes(Broken(), 2, StageClock()) as looker, pytest.raises(RuntimeError, match="out of memory"):
        run(frames([EARLY], range(20)), looker=looker)


def test_only_a_few_frames_are_under_way_at_once() -> None:
    taken: list[int] = []

    def counted() -> Iterator[Frame]:
        for frame in frames([EARLY], range(50)):
            taken.append(frame.index)
            yield frame

    for event in CameraPipeline(Immediate(lanes=2), StageClock(), cursor=Cursor()).follow(counted()):
        if isinstance(event, Frame):
            assert taken[-1] - event.index <= 4


def test_lanes_work_side_by_side() -> None:
    with ThreadPoolExecutor(1) as other:
        gate: Future[None] = Future()

        class Waiting(BlockDetector):
            def detect(self, image: ImageBGR) -> Detections:
                if image[0, 0, 0] == 1:
                    gate.result(timeout=10)
                else:
                    gate.set_result(None)
                return Detections.none()

        with DetectorLanes(Waiting(), 2, StageClock()) as lanes:
            waits = lanes.submit(np.ones((2, 2, 3), np.uint8))
            other.submit(lanes.submit, np.zeros((2, 2, 3), np.uint8))
            assert len(waits.result(timeout=10)) == 0
