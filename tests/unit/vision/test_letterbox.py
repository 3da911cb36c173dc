"""A picture of any size fits the canvas, and boxes find their way back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid_core.vision.letterbox import Letterbox

SIDES = st.integers(1, 3000)


@pytest.mark.parametrize(
    ("frame", "scaled", "canvas", "offset"),
    [
        ((768, 576), (640, 480), (640, 480), (0, 0)),
        ((1920, 1080), (640, 360), (640, 384), (0, 12)),
        ((960, 540), (640, 360), (640, 384), (0, 12)),
        ((100, 200), (320, 640), (320, 640), (0, 0)),
        ((40000, 10), (640, 1), (640, 32), (0, 15)),
    ],
)
def test_worked_sizes(frame, scaled, canvas, offset):
    fitted = Letterbox.fit(*frame)
    assert (fitted.scaled_size_px, fitted.canvas_size_px, fitted.offset_px) == (scaled, canvas, offset)


@given(SIDES, SIDES)
def test_canvas_holds_the_picture_in_whole_strides_with_less_than_a_stride_of_grey(width, height):
    fitted = Letterbox.fit(width, height)
    for side in (0, 1):
        spare = fitted.canvas_size_px[side] - fitted.scaled_size_px[side]
        assert fitted.canvas_size_px[side] % 32 == 0
        assert 0 <= fitted.offset_px[side] <= spare < 32
    assert max(fitted.scaled_size_px) == 640


@given(st.integers(20, 3000), st.integers(20, 3000))
def test_corners_of_the_painted_picture_are_the_corners_of_the_frame(width, height):
    fitted = Letterbox.fit(width, height)
    (left, top), (scaled_width, scaled_height) = fitted.offset_px, fitted.scaled_size_px
    corners = np.array([[left, top, left + scaled_width, top + scaled_height]], np.float32)
    assert fitted.to_frame(corners)[0] == pytest.approx([0, 0, width, height], abs=0.01)


def test_boxes_are_clipped_to_the_picture_and_no_boxes_keep_their_shape():
    fitted = Letterbox.fit(1920, 1080)
    outside = np.array([[-50, -50, 700, 700]], np.float32)
    assert fitted.to_frame(outside).tolist() == [[0, 0, 1920, 1080]]
    assert fitted.to_frame(np.zeros((0, 4), np.float32)).shape == (0, 4)
    assert fitted.to_frame(outside).dtype == np.float32


@pytest.mark.parametrize(("width", "height"), [(300, 200), (200, 300), (640, 320), (37, 640)])
def test_painting_scales_in_place_and_leaves_the_grey(width, height):
    picture = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    fitted = Letterbox.fit(width, height)
    canvas = fitted.blank()
    fitted.paint(picture, canvas)
    (left, top), size = fitted.offset_px, fitted.scaled_size_px
    inside = canvas[top : top + size[1], left : left + size[0]].copy()
    assert np.array_equal(inside, cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR))
    canvas[top : top + size[1], left : left + size[0]] = 114
    assert (canvas == 114).all()


@pytest.mark.parametrize("image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_what_is_no_bgr_picture_is_refused(image):
    with pytest.raises(ValueError, match="BGR picture"):
        Letterbox.for_picture(image)


def test_sides_and_pictures_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="positive sides, got 0x4"):
        Letterbox.fit(0, 4)
    with pytest.raises(ValueError, match=r"\(3, 4, 3\)"):
        Letterbox.fit(4, 3).paint(np.zeros((4, 3, 3), np.uint8), Letterbox.fit(4, 3).blank())
