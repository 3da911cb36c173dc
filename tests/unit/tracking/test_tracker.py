"""The tracker as its users see it: detections in, tracks out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reid_core.tracking.tracker import Tracker, TrackerSettings
from reid_core.types import Detections, TrackedBoxes

# jacket and trousers: one colour all over would be taken for the light of the scene
RED_ON_BLACK, WHITE_ON_BLUE = ((30, 30, 200), (20, 20, 20)), ((230, 230, 230), (160, 60, 20))
Dress = tuple[tuple[int, int, int], tuple[int, int, int]]
PERSON_PX = np.array([30.0, 90.0])
QUICK = TrackerSettings(confirm_frames=1)


def seen(*boxes: tuple[float, float, float, float], confidence: float = 0.9) -> Detections:
    return Detections(np.array(boxes, np.float32).reshape(-1, 4), np.full(len(boxes), confidence, np.float32))


def walker(left: float, *, top: float = 50.0) -> tuple[float, float, float, float]:
    """A person 30 wide and 90 high."""
    return (left, top, left + 30.0, top + 90.0)


def picture(*people: tuple[tuple[float, float, float, float], Dress]) -> np.ndarray:
    """Plain figures on grey ground, in order of drawing."""
    image = np.full((240, 640, 3), 128, np.uint8)
    for (left, top, right, bottom), (jacket, trousers) in people:
        waist = int(top + bottom) // 2
        image[int(top) : waist, int(left) : int(right)] = jacket
        image[waist : int(bottom), int(left) : int(right)] = trousers
    return image


def ids(answer: TrackedBoxes) -> list[int]:
    return answer.track_ids.tolist()


def test_one_person_is_one_track():
    tracker = Tracker(QUICK)
    for frame in range(20):
        assert ids(tracker.update(seen(walker(10 + 3 * frame)))) == [1]


def test_a_track_is_reported_when_it_was_seen_often_enough():
    tracker = Tracker(TrackerSettings(confirm_frames=3))
    assert [ids(tracker.update(seen(walker(10)))) for _ in range(4)] == [[], [], [1], [1]]


def test_a_certain_detection_is_reported_at_once():
    assert ids(Tracker().update(seen(walker(10), confidence=0.99))) == [1]


def test_a_weak_detection_starts_no_track():
    tracker = Tracker(QUICK)
    for _ in range(5):
        assert ids(tracker.update(seen(walker(10), confidence=0.5))) == []
    assert tracker.is_idle


def test_a_weak_detection_continues_a_track():
    tracker = Tracker(QUICK)
    for frame in range(5):
        tracker.update(seen(walker(10 + frame)))
    answer = tracker.update(seen(walker(15), confidence=0.2))
    assert ids(answer) == [1]
    assert answer.confidences.tolist() == pytest.approx([0.2])


def test_a_weak_detection_comes_after_a_sure_one():
    tracker = Tracker(QUICK)
    for _ in range(5):
        tracker.update(seen(walker(10)))
    both = Detections(np.array([walker(10), walker(12)], np.float32), np.array([0.3, 0.8], np.float32))
    assert tracker.update(both).confidences.tolist() == pytest.approx([0.8])


def test_two_people_who_cross_keep_their_ids_by_motion():
    tracker = Tracker(QUICK)
    for frame in range(60):
        answer = tracker.update(seen(walker(10 + 4 * frame), walker(250 - 4 * frame, top=70.0)))
    left_to_right = answer.track_ids[np.argmax(answer.boxes_px[:, 0])]
    assert left_to_right == 1
    assert sorted(ids(answer)) == [1, 2]


def test_empty_frames_keep_their_shape_and_end_in_idleness():
    tracker = Tracker(TrackerSettings(confirm_frames=1, patience_frames=3))
    tracker.update(seen(walker(10)))
    assert not tracker.is_idle
    answers = [tracker.update(Detections.none()) for _ in range(5)]
    assert [answer.closed_track_ids for answer in answers] == [(), (), (), (1,), ()]
    assert all(answer.boxes_px.shape == (0, 4) and answer.track_ids.dtype == np.int64 for answer in answers)
    assert tracker.is_idle


def test_ids_go_on_from_the_first_and_are_never_used_again():
    tracker = Tracker(TrackerSettings(confirm_frames=1, patience_frames=1), first_track_id=41)
    given_ids = []
    for _ in range(3):
        given_ids += ids(tracker.update(seen(walker(10))))
        for _ in range(3):
            tracker.update(Detections.none())
    assert given_ids == [41, 42, 43]
    assert tracker.next_track_id == 44


def test_flush_closes_confirmed_tracks_once():
    tracker = Tracker(TrackerSettings(confirm_frames=2))
    tracker.update(seen(walker(10), walker(200)))
    tracker.update(seen(walker(10), walker(200), walker(400)))
    assert tracker.flush() == (1, 2)
    assert tracker.is_idle
    assert tracker.flush() == ()


def test_a_short_absence_is_bridged():
    tracker = Tracker(QUICK)
    for frame in range(10):
        tracker.update(seen(walker(10 + 3 * frame)))
    for _ in range(6):
        tracker.update(Detections.none())
    assert ids(tracker.update(seen(walker(10 + 3 * 16)))) == [1]


def hidden_then_elsewhere(*, dress_after: Dress, with_picture: bool) -> list[int]:
    """Someone in red stops while out of sight, so that motion expects them further on; answers the ids afterwards."""
    tracker = Tracker(QUICK)
    for frame in range(12):
        box = walker(10 + 6 * frame)
        tracker.update(seen(box), image=picture((box, RED_ON_BLACK)) if with_picture else None)
    for _ in range(12):
        tracker.update(Detections.none(), image=picture() if with_picture else None)
    box = walker(10 + 6 * 24 - 40)
    return ids(tracker.update(seen(box), image=picture((box, dress_after)) if with_picture else None))


def test_a_lost_person_is_known_again_by_their_looks():
    assert hidden_then_elsewhere(dress_after=RED_ON_BLACK, with_picture=True) == [1]


def test_someone_else_at_that_place_is_a_new_person():
    assert hidden_then_elsewhere(dress_after=WHITE_ON_BLUE, with_picture=True) == [2]


def test_without_a_picture_the_place_alone_is_no_evidence():
    assert hidden_then_elsewhere(dress_after=RED_ON_BLACK, with_picture=False) == [2]


def test_looks_keep_apart_people_who_turn_round_where_they_meet():
    """Both stop behind one another and walk back: motion alone would exchange them."""
    tracker = Tracker(QUICK)
    path = [*range(22), *range(22, 0, -1)]
    for step in path:
        red, blue = walker(100 + 4 * step), walker(284 - 4 * step)
        image = picture((blue, WHITE_ON_BLUE), (red, RED_ON_BLACK))
        answer = tracker.update(seen(red, blue) if abs(red[0] - blue[0]) > 12 else seen(red), image=image)
    assert ids(answer) == [1, 2]
    assert answer.boxes_px[0, 0] < answer.boxes_px[1, 0]


def scene(seed: int, frames: int = 25) -> list[Detections]:
    """People who walk straight, with noise, misses and false alarms."""
    random = np.random.default_rng(seed)
    starts, speeds = random.uniform(0, 500, (5, 2)), random.normal(0, 3, (5, 2))
    made = []
    for frame in range(frames):
        corners = starts + speeds * frame + random.normal(0, 1, (5, 2))
        boxes = np.concatenate([corners, corners + PERSON_PX], axis=1)[random.random(5) < 0.85]
        false = random.uniform(0, 500, (random.integers(0, 2), 2))
        boxes = np.concatenate([boxes, np.concatenate([false, false + PERSON_PX], axis=1)]).astype(np.float32)
        made.append(Detections(boxes, random.uniform(0.1, 0.99, len(boxes)).astype(np.float32)))
    return made


def run(frames: list[Detections]) -> list[TrackedBoxes]:
    tracker = Tracker()
    return [tracker.update(frame) for frame in frames]


def assert_equal(one: list[TrackedBoxes], other: list[TrackedBoxes]) -> None:
    for mine, yours in zip(one, other, strict=True):
        np.testing.assert_array_equal(mine.track_ids, yours.track_ids)
        np.testing.assert_array_equal(mine.boxes_px, yours.boxes_px)
        assert mine.closed_track_ids == yours.closed_track_ids


def test_the_same_input_gives_the_same_output():
    assert_equal(run(scene(3)), run(scene(3)))


def test_two_trackers_do_not_meet():
    lone = run(scene(1))
    one, other = Tracker(), Tracker()
    together = []
    for mine, yours in zip(scene(1), scene(2), strict=True):
        together.append(one.update(mine))
        other.update(yours)
    assert_equal(lone, together)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_order_of_detections_does_not_matter(seed: int):
    frames, random = scene(seed), np.random.default_rng(seed)
    shuffled = []
    for frame in frames:
        order = random.permutation(len(frame))
        shuffled.append(Detections(frame.boxes_px[order], frame.confidences[order]))
    for mine, yours in zip(run(frames), run(shuffled), strict=True):
        np.testing.assert_array_equal(mine.track_ids, yours.track_ids)
        np.testing.assert_allclose(mine.boxes_px, yours.boxes_px, atol=1e-3)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_an_id_is_reported_once_a_frame_and_never_after_it_was_closed(seed: int):
    closed: set[int] = set()
    for answer in run([*scene(seed), *[Detections.none()] * 5, *scene(seed + 1)]):
        reported = ids(answer)
        assert reported == sorted(set(reported))
        assert not closed & set(reported)
        assert not closed & set(answer.closed_track_ids)
        closed |= set(answer.closed_track_ids)


def test_twice_the_picture_gives_the_same_tracks():
    doubled = [Detections(frame.boxes_px * 2, frame.confidences) for frame in scene(7)]
    for small, large in zip(run(scene(7)), run(doubled), strict=True):
        np.testing.assert_array_equal(small.track_ids, large.track_ids)
        np.testing.assert_allclose(2 * small.boxes_px, large.boxes_px, rtol=1e-4, atol=1e-3)


def test_boxes_without_area_are_ignored():
    tracker = Tracker(QUICK)
    answer = tracker.update(seen((10, 10, 10, 50), (30, 20, 10, 50), walker(100)))
    assert ids(answer) == [1]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(value: float):
    with pytest.raises(ValueError, match="must be finite"):
        Tracker().update(seen((0.0, 0.0, value, 10.0)))


def test_a_grey_picture_is_refused():
    with pytest.raises(ValueError, match="must have shape"):
        Tracker().update(seen(walker(10)), image=np.zeros((240, 640), np.uint8))


@pytest.mark.parametrize(
    "wrong", [{"confirm_frames": 0}, {"margin": -0.1}, {"sure_confidence": 0.05}, {"looks_inertia": 1.5}]
)
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, float]):
    with pytest.raises(ValueError, match=r"range|at least|rise"):
        TrackerSettings(**wrong)
