from __future__ import annotations

import numpy as np
import pytest

from reid_core.simulation.facing import facing
from reid_core.simulation.rendering import CameraRenderer
from reid_core.simulation.settings import SiteSettings
from reid_core.simulation.world import make_world

SETTINGS = SiteSettings(seed=7, cameras=2, people=60, minutes=0.2)


@pytest.fixture(scope="module")
def frames():
    renderer = CameraRenderer(make_world(SETTINGS), 0)
    return [renderer.render(time_s) for time_s in np.arange(2.0, 10.0, 1.0)]


def test_equal_seeds_give_equal_pixels_and_truth(frames):
    renderer = CameraRenderer(make_world(SETTINGS), 0)
    again = [renderer.render(time_s) for time_s in (2.0, 3.0)]
    for first, second in zip(frames[:2], again, strict=True):
        np.testing.assert_array_equal(first.image, second.image)
        assert [figure.box_px for figure in first.figures] == [figure.box_px for figure in second.figures]


def test_boxes_lie_inside_the_picture_and_hold_their_visible_keypoints(frames):
    figures = [figure for frame in frames for figure in frame.figures]
    assert len(figures) >= 8
    for figure in figures:
        x0, y0, x1, y1 = figure.box_px
        assert 0 <= x0 < x1 <= 960
        assert 0 <= y0 < y1 <= 540
        seen = figure.keypoints[figure.keypoints[:, 2] == 2, :2]
        assert (seen >= np.array([x0 - 1, y0 - 1])).all()
        assert (seen <= np.array([x1 + 1, y1 + 1])).all()


def test_visibility_is_a_share(frames):
    shares = [figure.visibility for frame in frames for figure in frame.figures]
    assert all(0.0 <= share <= 1.0 for share in shares)
    assert max(shares) == 1.0


def test_nobody_is_visible_where_only_furniture_was_painted(frames):
    assert all(figure.person_id >= 1 for frame in frames for figure in frame.figures)
    assert len({figure.person_id for figure in frames[0].figures}) == len(frames[0].figures)


def test_facing_is_computed_from_where_the_camera_stands():
    coming = facing(np.array([0.0, 5.0]), -np.pi / 2)
    assert (coming.right, coming.towards) == pytest.approx((0.0, 1.0))
    crossing = facing(np.array([0.0, 5.0]), 0.0)
    assert (crossing.right, crossing.towards) == pytest.approx((1.0, 0.0))


def test_side_view_is_narrower_than_front_view():
    assert facing(np.array([0.0, 5.0]), 0.0).half_width(0.2, 0.1) == pytest.approx(0.1)
    assert facing(np.array([0.0, 5.0]), -np.pi / 2).half_width(0.2, 0.1) == pytest.approx(0.2)
