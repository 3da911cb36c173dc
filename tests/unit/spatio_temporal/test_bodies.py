from __future__ import annotations

import numpy as np
import pytest

from reid_core.spatio_temporal.bodies import MARKS, body_marks, heights_and_feet, paces, statures

_SIZE = (400, 200)


def a_walk(count: int = 9, *, tall_px: float = 40.0, foot_px: float = 100.0, speed_px: float = 10.0):
    """Somebody who crosses the picture at one depth, a box a second."""
    times = np.arange(count, dtype=np.float64)
    left = 50 + speed_px * times
    boxes = np.column_stack([left, np.full(count, foot_px - tall_px), left + 20, np.full(count, foot_px)])
    return boxes, times


def test_height_place_and_pace_by_hand():
    marks = body_marks(*a_walk(), _SIZE)
    assert marks[:6] == pytest.approx([0.5, 0.2] * 3)
    assert marks[6] == pytest.approx(np.log(10 / 200 / 0.5))  # picture heights over the foot's place, each second
    assert statures(marks[None], 0.4, 0.0) == pytest.approx([0.0])
    assert statures(marks[None], 0.0, 0.1) == pytest.approx([np.log(2)])
    assert paces(marks[None]) == pytest.approx([np.log(0.1)])


def test_towards_the_camera_counts_by_depth():
    boxes, times = a_walk(speed_px=0.0)
    boxes[:, [1, 3]] += 5 * times[:, None]
    feet = (100 + 5 * times) / 200
    across = (boxes[0, 0] + 10) / 200 - 1.0
    speeds = np.hypot(np.diff(across / feet), np.diff(1.2 / feet))
    assert body_marks(boxes, times, _SIZE)[6] == pytest.approx(np.log(np.median(speeds)))


def test_scale_of_the_picture_and_mirror_images_change_nothing():
    boxes, times = a_walk()
    boxes[:, 1] -= np.random.default_rng(0).random(9) * 5
    marks = body_marks(boxes, times, _SIZE)
    assert body_marks(boxes * 2, times, (800, 400)) == pytest.approx(marks)
    mirrored = boxes.copy()
    mirrored[:, [0, 2]] = 400 - boxes[:, [2, 0]]
    assert body_marks(mirrored, times, _SIZE) == pytest.approx(marks)


def test_hidden_legs_and_boxes_at_the_edge_are_passed_over():
    boxes, times = a_walk(30)
    hidden, cut = boxes.copy(), boxes.copy()
    hidden[::4, 3] -= 25.0
    assert statures(body_marks(hidden, times, _SIZE)[None], 0.4, 0.0) == pytest.approx([0.0])
    cut[:10, 1] = 0.0
    assert body_marks(cut, times, _SIZE)[:6] == pytest.approx([0.5, 0.2] * 3)


def test_too_little_to_tell_is_nan():
    boxes, times = a_walk(5)
    assert np.isnan(body_marks(boxes, times, _SIZE)).all()
    boxes, times = a_walk(9, speed_px=0.0)
    marks = body_marks(boxes, times, _SIZE)
    assert np.isfinite(marks[:6]).all()
    assert np.isnan(marks[6])  # who stands has no pace
    assert np.isnan(body_marks(boxes, times / 100, _SIZE)[6])  # shorter than a stride
    unknown = np.full((1, MARKS), np.nan)
    assert np.isnan(statures(unknown, 0.4, 0.0)).all()
    assert np.isnan(statures(marks[None], -1.0, 0.0)).all()  # a line below the ground tells nothing
    feet, heights = heights_and_feet(np.concatenate([unknown, marks[None]]))
    assert (feet.tolist(), heights.tolist()) == ([0.5] * 3, [0.2] * 3)
