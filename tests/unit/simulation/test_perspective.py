from __future__ import annotations

import math

import numpy as np
import pytest

from reid_core.simulation.perspective import CameraView


def make_view(pitch_rad=0.0):
    return CameraView(width_px=960, height_px=540, focal_px=800.0, height_m=3.0, pitch_rad=pitch_rad)


def test_level_camera_projects_as_computed_by_hand():
    # x: 480 + 800 * 2 / 8 = 680; foot: 270 + 800 * 3 / 8 = 570; head at 1.8 m: 270 + 800 * 1.2 / 8 = 390
    pixels, depths = make_view().project(np.array([[2.0, 8.0, 0.0], [2.0, 8.0, 1.8]]))
    np.testing.assert_allclose(pixels, [[680.0, 570.0], [680.0, 390.0]])
    np.testing.assert_allclose(depths, [8.0, 8.0])


def test_tilted_camera_sees_the_ground_point_it_aims_at_in_the_middle():
    # tilt atan(3 / 4): the axis meets the ground 4 m away, at depth 5
    pixels, depths = make_view(math.atan2(3.0, 4.0)).project(np.array([0.0, 4.0, 0.0]))
    np.testing.assert_allclose(pixels, [480.0, 270.0], atol=1e-9)
    assert depths == pytest.approx(5.0)


def test_rays_lead_back_to_the_points_they_came_from():
    view = make_view(0.3)
    points = np.array([[1.0, 7.0, 0.5], [-3.0, 15.0, 1.2]])
    pixels, depths = view.project(points)
    back = view.rays(pixels) * depths[:, None] + np.array([0.0, 0.0, view.height_m])
    np.testing.assert_allclose(back, points, atol=1e-9)


def test_half_width_is_where_the_picture_ends():
    view = make_view(0.3)
    pixels, _ = view.project(np.array([[view.half_width_m(9.0), 9.0, 0.0]]))
    assert pixels[0, 0] == pytest.approx(960.0)


def test_no_points_give_no_pixels():
    pixels, depths = make_view().project(np.zeros((0, 3)))
    assert pixels.shape == (0, 2)
    assert depths.shape == (0,)


def test_pixels_on_the_right_and_lower_edge_are_outside():
    pixels = np.array([[0.0, 0.0], [959.9, 539.9], [960.0, 10.0], [10.0, 540.0], [-0.1, 5.0]])
    assert make_view().holds(pixels).tolist() == [True, True, False, False, False]
