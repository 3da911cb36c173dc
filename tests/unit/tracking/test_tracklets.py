from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from reid_core.tracking.crop_selection import CropReservoir, display_order
from reid_core.tracking.tracklets import TrackletBuilder, TrackletSettings
from reid_core.types import CropQuality, Frame, TrackedBoxes
from reid_core.vision.crops import decode_crop

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reid_core.types import Tracklet

SIZE_PX = (320, 240)
FPS = 10.0
BOX = (100.0, 60.0, 140.0, 160.0)
NOISE = np.random.default_rng(3).integers(0, 256, (SIZE_PX[1], SIZE_PX[0], 3), dtype=np.uint8)
BLURRED = cv2.GaussianBlur(NOISE, (0, 0), 5)

Box = tuple[float, float, float, float]


def frame(index: int, image: np.ndarray = NOISE) -> Frame:
    return Frame(index, 1_767_254_400.0 + index / FPS, image)


def tracked(people: Mapping[int, Box], closed: Iterable[int] = ()) -> TrackedBoxes:
    return TrackedBoxes(
        np.array(list(people), np.int64),
        np.array(list(people.values()), np.float32).reshape(-1, 4),
        np.full(len(people), 0.8, np.float32),
        tuple(closed),
    )


def builder(**settings: float) -> TrackletBuilder:
    return TrackletBuilder(TrackletSettings(**settings), frame_size_px=SIZE_PX)  # type: ignore[arg-type]  # ints and floats by name


def watch(build: TrackletBuilder, indices: Iterable[int], people: Mapping[int, Box] | None = None) -> list[Tracklet]:
    return [done for index in indices for done in build.observe(frame(index), tracked(people or {1: BOX}))]


def digest(tracklet: Tracklet) -> tuple[object, ...]:
    crops = [(crop.frame_index, crop.jpeg, crop.quality) for crop in tracklet.crops]
    return tracklet.track_no, tracklet.path.boxes_px.tobytes(), crops, tracklet.display_order


def test_closed_track_becomes_a_tracklet_with_its_path_and_crops() -> None:
    build = builder()
    assert watch(build, range(10)) == []
    (tracklet,) = build.observe(frame(10), tracked({}, closed=[1]))
    assert tracklet.track_no == 1
    assert tracklet.path.frame_indices.tolist() == list(range(10))
    assert tracklet.path.boxes_px.tolist() == [list(BOX)] * 10
    assert (tracklet.start_s, tracklet.end_s) == (frame(0).time_s, frame(9).time_s)
    assert [crop.frame_index for crop in tracklet.crops] == [0, 2, 4, 6, 8]
    assert decode_crop(tracklet.crops[0].jpeg).shape == (100, 40, 3)
    assert sorted(tracklet.display_order) == [0, 1, 2, 3, 4]
    assert build.is_idle


def test_no_people_make_no_tracklets() -> None:
    build = builder()
    assert build.observe(frame(0), tracked({})) == []
    assert build.finish() == []


def test_short_tracks_are_dropped_and_use_up_no_number() -> None:
    build = builder(min_observations=3)
    watch(build, range(2), {1: BOX, 2: BOX})
    watch(build, range(2, 6), {2: BOX})
    (tracklet,) = build.finish()
    assert (tracklet.track_no, len(tracklet.path)) == (1, 6)
    assert build.next_track_no == 2


def test_tracklets_that_close_together_are_numbered_by_track_id() -> None:
    build = builder()
    watch(build, range(6), {9: BOX, 4: (10.0, 10.0, 50.0, 110.0)})
    first, second = build.observe(frame(6), tracked({}, closed=[9, 4]))
    assert (first.track_no, first.path.boxes_px[0, 0]) == (1, 10.0)
    assert (second.track_no, second.path.boxes_px[0, 0]) == (2, 100.0)


def test_numbering_goes_on_from_the_number_given() -> None:
    build = TrackletBuilder(frame_size_px=SIZE_PX, first_track_no=41)
    watch(build, range(6))
    assert build.finish()[0].track_no == 41


def test_long_gap_splits_a_track() -> None:
    build = builder(max_gap_s=2.0)
    assert watch(build, range(10)) == []
    (before,) = watch(build, range(40, 50))
    (after,) = build.finish()
    assert (before.path.frame_indices[-1], after.path.frame_indices[0]) == (9, 40)


def test_gap_of_the_allowed_length_does_not_split() -> None:
    build = builder(max_gap_s=2.0)
    assert watch(build, [*range(10), *range(29, 40)]) == []
    assert len(build.finish()) == 1


def test_endless_stander_is_cut_into_tracklets_of_the_longest_duration() -> None:
    build = builder(max_duration_s=30.0)
    cut = watch(build, range(1000)) + build.finish()
    assert [tracklet.track_no for tracklet in cut] == [1, 2, 3, 4]
    assert max(tracklet.end_s - tracklet.start_s for tracklet in cut) <= 30.0
    assert sum(len(tracklet.path) for tracklet in cut) == 1000


def test_long_track_keeps_at_most_sixty_crops_spread_over_its_time() -> None:
    build = builder()
    watch(build, range(2000))
    (tracklet,) = build.finish()
    times_s = np.array([crop.time_s for crop in tracklet.crops]) - tracklet.start_s
    assert 30 <= len(times_s) <= 60
    assert np.diff(times_s).max() < 3 * 200.0 / len(times_s)


def test_closed_track_keeps_its_sharpest_crop() -> None:
    build = builder(crop_every_s=1.0)
    for index in range(20):
        build.observe(frame(index, NOISE if index in {7, 13} else BLURRED), tracked({1: BOX}))
    (tracklet,) = build.finish()
    assert [crop.frame_index for crop in tracklet.crops] == [7, 13]


def test_crop_that_nobody_hides_is_shown_first() -> None:
    build = builder(crop_every_s=0.1)
    for index in range(6):
        hider: dict[int, Box] = {} if index == 4 else {2: (110.0, 80.0, 150.0, 180.0)}
        build.observe(frame(index), tracked({1: BOX, **hider}))
    tracklet = build.finish()[0]
    assert tracklet.crops[tracklet.display_order[0]].frame_index == 4
    assert tracklet.quality == max(crop.quality.overall for crop in tracklet.crops)


def test_kept_crops_do_not_depend_on_when_the_track_ends() -> None:
    images = np.random.default_rng(5).integers(0, 256, (7, *NOISE.shape), dtype=np.uint8)
    kept = []
    for length in (700, 900):
        build = builder()
        for index in range(length):
            build.observe(frame(index, images[index % 7]), tracked({1: BOX}))
        kept.append({crop.frame_index for crop in build.finish()[0].crops if crop.frame_index < 600})
    assert kept[0] == kept[1]


def test_same_input_gives_the_same_bytes() -> None:
    runs = []
    for _ in range(2):
        build = builder()
        watch(build, range(100), {1: BOX, 2: (120.0, 70.0, 165.0, 180.0)})
        runs.append([digest(tracklet) for tracklet in build.finish()])
    assert runs[0] == runs[1]


def test_order_of_the_boxes_in_a_frame_does_not_matter() -> None:
    people = {1: BOX, 2: (120.0, 70.0, 165.0, 180.0), 3: (200.0, 10.0, 240.0, 100.0)}
    runs = []
    for order in (people, dict(reversed(people.items()))):
        build = builder()
        watch(build, range(30), order)
        runs.append([digest(tracklet) for tracklet in build.finish()])
    assert runs[0] == runs[1]


def test_box_outside_of_the_picture_counts_as_not_observed() -> None:
    build = builder()
    watch(build, range(6))
    watch(build, range(6, 9), {1: (-50.0, 10.0, -10.0, 90.0)})
    assert len(build.finish()[0].path) == 6


def test_frame_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="320, 240"):
        builder().observe(frame(0, np.zeros((10, 10, 3), np.uint8)), tracked({}))


@pytest.mark.parametrize("settings", [{"max_gap_s": 0.0}, {"min_observations": 0}, {"max_crops": 1}])
def test_settings_that_no_track_could_meet_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        builder(**settings)


def test_kept_crops_hold_no_frame_in_memory() -> None:
    image = NOISE.copy()
    held = sys.getrefcount(image)
    build = builder()
    for index in range(10):
        build.observe(frame(index, image), tracked({1: BOX}))
    assert sys.getrefcount(image) == held


def test_reservoir_is_bounded_whatever_the_length() -> None:
    reservoir = CropReservoir(start_s=0.0, cell_s=0.1, limit=8)
    for index in range(5000):
        reservoir.offer(index, index / 10, BOX, CropQuality(1.0, 1.0, 1.0, 1.0), NOISE[:20, :10])
        assert len(reservoir) <= 8
    assert len(reservoir) >= 4


def test_reservoir_survives_a_jump_in_time() -> None:
    reservoir = CropReservoir(start_s=0.0, cell_s=0.1, limit=8)
    for time_s in (0.0, 1e6):
        reservoir.offer(0, time_s, BOX, CropQuality(1.0, 1.0, 1.0, 1.0), NOISE[:20, :10])
    assert [crop.time_s for crop in reservoir.crops()] == [0.0, 1e6]


def test_display_order_is_best_first_but_not_all_from_one_moment() -> None:
    assert display_order([0.9, 0.89, 0.5], [0.0, 0.1, 10.0]) == (0, 2, 1)


def test_display_order_of_nothing_is_nothing() -> None:
    assert display_order([], []) == ()


def test_display_order_refuses_lists_of_unequal_length() -> None:
    with pytest.raises(ValueError, match="2 qualities"):
        display_order([0.1, 0.2], [1.0])


def test_display_order_does_not_change_with_the_unit_of_time() -> None:
    rng = np.random.default_rng(1)
    qualities, times_s = rng.random(40).tolist(), np.sort(rng.random(40) * 20)
    assert display_order(qualities, (times_s * 8).tolist()) == display_order(qualities, times_s.tolist())
