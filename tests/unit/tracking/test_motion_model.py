"""The batched filter against hand-worked numbers and against filterpy."""

from __future__ import annotations

import numpy as np
import pytest
from filterpy.common import Q_discrete_white_noise
from filterpy.kalman import KalmanFilter
from hypothesis import given, settings
from hypothesis import strategies as st

from reid_core.tracking.motion_model import BoxFilter, cxcywh_to_xyxy, xyxy_to_cxcywh

BOX = np.array([[100.0, 100.0, 140.0, 200.0]])


def test_one_step_by_hand():
    """Height 100, noise 0.1 heights, first speed 0.1 heights: every number below is worked out on paper."""
    boxes = BoxFilter(acceleration=0.1, place_noise=0.1, size_noise=0.1, first_speed=0.1)
    boxes.add(BOX)
    np.testing.assert_allclose(boxes.spread[:, 0, 0], [100.0, 0.0, 100.0])
    boxes.predict()  # F P F' = [[200, 100], [100, 100]], Q = 100 * [[1/4, 1/2], [1/2, 1]]
    np.testing.assert_allclose(boxes.spread[:, 0, 0], [225.0, 150.0, 200.0])
    boxes.update(np.array([0]), BOX + 13.0)  # S = 225 + 100, gain = 225 / 325, velocity gain = 150 / 325
    np.testing.assert_allclose(boxes.position[0], [129.0, 159.0, 40.0, 100.0])
    np.testing.assert_allclose(boxes.velocity[0], [6.0, 6.0, 0.0, 0.0])
    np.testing.assert_allclose(boxes.spread[:, 0, 0], [225 * 100 / 325, 150 * 100 / 325, 200 - 150 * 150 / 325])


def witness(box: np.ndarray, *, place: float, size: float, speed: float) -> KalmanFilter:
    """filterpy's filter of one box: all four positions, then all four velocities."""
    kalman = KalmanFilter(dim_x=8, dim_z=4)
    kalman.x[:4, 0] = xyxy_to_cxcywh(box)[0]
    height = kalman.x[3, 0]
    kalman.F[:4, 4:] = np.eye(4)
    kalman.H = np.eye(4, 8)
    kalman.P = np.diag(np.r_[np.array([place, place, size, size]) ** 2, np.full(4, speed**2)]) * height**2
    return kalman


def noise_of(height: float, acceleration: float) -> np.ndarray:
    """The process noise for positions first, velocities second."""
    small = Q_discrete_white_noise(dim=2, dt=1.0, var=(acceleration * height) ** 2)
    return np.kron(small, np.eye(4))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), frames=st.integers(1, 12), doubt=st.floats(0.05, 3.0))
def test_equals_filterpy_over_any_walk_with_gaps(seed: int, frames: int, doubt: float):
    random = np.random.default_rng(seed)
    boxes = BoxFilter(acceleration=0.02, place_noise=0.05, size_noise=0.15, first_speed=0.05)
    starts = np.concatenate([random.uniform(0, 500, (3, 2)), random.uniform(600, 900, (3, 2))], axis=1)
    boxes.add(starts)
    others = [witness(start[None], place=0.05, size=0.15, speed=0.05) for start in starts]
    for _ in range(frames):
        for other in others:
            other.predict(Q=noise_of(other.x[3, 0], 0.02))
        boxes.predict()
        rows = np.flatnonzero(random.random(3) < 0.7)
        seen = boxes.boxes_px[rows] + random.normal(0, 3, (len(rows), 4))
        measurement = np.array([0.05, 0.05, 0.15, 0.15]) ** 2 * doubt
        for row, box in zip(rows, seen, strict=True):
            other = others[row]
            other.update(xyxy_to_cxcywh(box[None])[0], R=np.diag(measurement * other.x[3, 0] ** 2))
        boxes.update(rows, seen, doubt=doubt)
    for row, other in enumerate(others):
        np.testing.assert_allclose(np.r_[boxes.position[row], boxes.velocity[row]], other.x[:, 0], atol=1e-9, rtol=1e-9)
        np.testing.assert_allclose(boxes.spread[0, row], np.diag(other.P)[:4], atol=1e-9, rtol=1e-9)
        np.testing.assert_allclose(boxes.spread[1, row], np.diag(other.P[:4, 4:]), atol=1e-9, rtol=1e-9)
        np.testing.assert_allclose(boxes.spread[2, row], np.diag(other.P)[4:], atol=1e-9, rtol=1e-9)


def test_without_tracks_nothing_happens():
    boxes = BoxFilter()
    boxes.predict()
    boxes.update(np.zeros(0, np.intp), np.zeros((0, 4)))
    assert len(boxes) == 0
    assert boxes.boxes_px.shape == (0, 4)


def test_a_box_never_shrinks_below_one_pixel():
    boxes = BoxFilter()
    boxes.add(BOX)
    boxes.update(np.array([0]), np.array([[120.0, 150.0, 120.5, 150.5]]))
    boxes.velocity[0, 2:] = -1000.0
    boxes.predict()
    assert (boxes.position[0, 2:] >= 1.0).all()


def test_wrong_shapes_are_refused():
    boxes = BoxFilter()
    boxes.add(BOX)
    with pytest.raises(ValueError, match=r"broadcast|shape"):
        boxes.update(np.array([0]), np.zeros((3, 4)))


def test_twice_the_picture_gives_twice_the_prediction():
    small, large = BoxFilter(), BoxFilter()
    for boxes, factor in ((small, 1.0), (large, 2.0)):
        boxes.add(BOX * factor)
        for step in range(4):
            boxes.predict()
            boxes.update(np.array([0]), (BOX + 5.0 * step) * factor)
        boxes.predict()
    np.testing.assert_allclose(large.boxes_px, 2 * small.boxes_px)


def test_a_forgotten_track_leaves_the_others_as_they_were():
    boxes = BoxFilter()
    boxes.add(np.concatenate([BOX, BOX + 300.0]))
    boxes.keep(np.array([False, True]))
    np.testing.assert_allclose(boxes.boxes_px, BOX + 300.0)


def test_corners_and_centres_are_inverse():
    np.testing.assert_allclose(cxcywh_to_xyxy(xyxy_to_cxcywh(BOX)), BOX)
