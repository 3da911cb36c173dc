from __future__ import annotations

import numpy as np
import pytest

from reid_core.simulation.canvas import Canvas
from reid_core.simulation.shading import Polygon


def square(x, y, side, *, solid=True):
    corners = np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side]], np.float64)
    return Polygon(corners, (10.0, 20.0, 30.0), solid=solid)


def make_canvas():
    return Canvas(np.full((100, 200, 3), 200, np.uint8))


def test_box_is_tight_around_what_was_painted():
    canvas = make_canvas()
    silhouette = canvas.paint([square(20, 30, 10)], 1)
    assert silhouette.box_px == (20, 30, 31, 41)
    changed = np.argwhere((canvas.image != 200).any(axis=2))
    np.testing.assert_allclose(changed.min(axis=0), [30, 20], atol=1)  # softened edges reach one pixel further
    np.testing.assert_allclose(changed.max(axis=0), [40, 30], atol=1)


def test_box_ends_at_the_picture_but_the_area_does_not():
    canvas = make_canvas()
    silhouette = canvas.paint([square(-5, 30, 10)], 1)
    assert silhouette.box_px == (0, 30, 6, 41)
    assert silhouette.area_px == 121
    assert canvas.visible_px(silhouette) == 66


def test_figure_outside_the_picture_has_no_silhouette():
    assert make_canvas().paint([square(300, 30, 10)], 1) is None


def test_later_figure_hides_the_earlier():
    canvas = make_canvas()
    first = canvas.paint([square(20, 30, 9)], 1)
    second = canvas.paint([square(20, 30, 4)], 2)
    assert canvas.visible_px(first) == 100 - 25
    assert canvas.visible_px(second) == 25


def test_parts_that_are_not_solid_do_not_widen_the_box():
    silhouette = make_canvas().paint([square(20, 30, 10), square(15, 35, 3, solid=False)], 1)
    assert silhouette.box_px == (20, 30, 31, 41)


def test_furniture_brought_to_the_front_hides_figures_and_is_the_background():
    canvas = make_canvas()
    background = canvas.image.copy()
    silhouette = canvas.paint([square(20, 30, 9)], 1)
    canvas.cover(background, np.full((10, 5), 255, np.uint8), (20, 30))
    assert canvas.visible_px(silhouette) == 50
    assert (canvas.image[30:40, 20:25] == 200).all()


def test_shadow_darkens_its_middle_by_its_share():
    canvas = make_canvas()
    canvas.darken([square(50, 20, 40).corners_px], share=0.5, blur_px=1.0)
    assert canvas.image[40, 70, 0] == pytest.approx(100, abs=2)
    assert canvas.image[5, 5, 0] == 200


def test_shadow_outside_the_picture_changes_nothing():
    canvas = make_canvas()
    canvas.darken([square(500, 20, 40).corners_px], share=0.5, blur_px=1.0)
    assert (canvas.image == 200).all()
