"""Whom a picture is about."""

from __future__ import annotations

import numpy as np
import pytest

from reid_core.errors import ImageTooLargeError, NoPersonError, NotAnImageError
from reid_core.types import Detections
from services.query.pictures import Picture, PictureLimits, choose_person, decode_picture, find_person, whole_picture

LIMITS = PictureLimits(side_px=100, area_px=5000)


def detections(*rows):
    """Rows of (width, height, confidence)."""
    boxes = np.array([[1, 2, 1 + w, 2 + h] for w, h, _ in rows], np.float32).reshape(-1, 4)
    return Detections(boxes, np.array([confidence for *_, confidence in rows], np.float32))


@pytest.mark.parametrize(
    ("rows", "chosen"),
    [
        ([(10, 20, 0.9)], 0),
        ([(10, 20, 0.9), (20, 40, 0.6)], 1),
        ([(10, 20, 0.9), (90, 90, 0.4)], 0),
        ([(10, 20, 0.5), (10, 20, 0.6)], 1),
        ([(10, 20, 0.6), (10, 20, 0.6)], 0),
    ],
    ids=["alone", "the larger", "not the doubtful", "the surer of equals", "the first of twins"],
)
def test_the_largest_of_the_sure_is_chosen(rows, chosen):
    assert choose_person(detections(*rows)) == chosen


def test_the_choice_does_not_depend_on_the_order():
    rows = [(10, 20, 0.9), (20, 40, 0.6), (90, 90, 0.3), (15, 20, 0.8)]
    assert choose_person(detections(*rows[::-1])) == 3 - choose_person(detections(*rows))


class FoundDetector:
    def __init__(self, found):
        self.found = found

    def detect(self, _image):
        return self.found


def test_the_found_person_is_cut_out():
    image = np.arange(50 * 40 * 3, dtype=np.uint8).reshape(50, 40, 3)
    person = find_person(image, FoundDetector(detections((10, 20, 0.9), (5, 5, 0.5))), name="a.png")
    assert np.array_equal(person.crop, image[2:22, 1:11])
    assert (person.size_px, person.box_px, person.people_found) == ((40, 50), (1.0, 2.0, 11.0, 22.0), 2)


@pytest.mark.parametrize("found", [detections(), detections((10, 20, 0.24))], ids=["nobody", "a doubt"])
def test_nobody_is_refused(found):
    with pytest.raises(NoPersonError, match=r"a\.png"):
        find_person(np.zeros((50, 40, 3), np.uint8), FoundDetector(found), name="a.png")


def test_a_picture_within_the_limits_is_decoded(fakes):
    assert decode_picture(Picture("a", fakes.picture(50, 100)), LIMITS).shape == (100, 50, 3)


@pytest.mark.parametrize("size_px", [(101, 1), (1, 101), (51, 100)])
def test_a_picture_beyond_the_limits_is_refused(fakes, size_px):
    with pytest.raises(ImageTooLargeError, match=f"a is {size_px[0]}x{size_px[1]} px"):
        decode_picture(Picture("a", fakes.picture(*size_px)), LIMITS)


def test_what_is_no_picture_is_refused_by_name():
    with pytest.raises(NotAnImageError, match="a: not a JPEG"):
        decode_picture(Picture("a", b"text"), LIMITS)


def test_a_large_person_is_kept_no_larger_than_stored_crops():
    image = np.zeros((1000, 500, 3), np.uint8)
    found = find_person(image, FoundDetector(detections((400, 800, 0.9))), name="a.png")
    assert found.crop.shape == (256, 128, 3)
    assert whole_picture(image, name="a.png").crop.shape == (256, 128, 3)
    assert whole_picture(image, name="a.png").size_px == (500, 1000)
