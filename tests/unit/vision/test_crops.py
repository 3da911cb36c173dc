from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid_core.errors import NotAnImageError
from reid_core.vision.crops import (
    completenesses,
    crop_quality,
    cut_crop,
    decode_crop,
    encode_crop,
    sharpness,
    shrink_crop,
    visibilities,
)

SIZE_PX = (640, 480)


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def test_cut_takes_every_pixel_that_the_box_touches() -> None:
    image = noise(100, 80)
    assert np.array_equal(cut_crop(image, (10.5, 20.0, 29.1, 60.9)), image[20:61, 10:30])


def test_cut_keeps_only_the_part_inside_of_the_picture() -> None:
    assert cut_crop(noise(100, 80), (-5.0, 90.0, 10.0, 130.0)).shape == (10, 10, 3)


@pytest.mark.parametrize("box", [(80.0, 0.0, 90.0, 10.0), (-9.0, 0.0, -1.0, 10.0), (5.0, 5.0, 4.0, 9.0)])
def test_box_without_a_pixel_in_the_picture_is_refused(box: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="outside"):
        cut_crop(noise(100, 80), box)


def test_jpeg_is_at_most_256_px_high_and_keeps_its_shape() -> None:
    jpeg, width, height = encode_crop(noise(512, 200))
    assert (width, height) == (100, 256)
    assert decode_crop(jpeg).shape == (256, 100, 3)


def test_small_crop_is_not_enlarged() -> None:
    assert encode_crop(noise(40, 20))[1:] == (20, 40)


def test_encoding_is_deterministic_and_close_to_the_picture() -> None:
    image = cv2.GaussianBlur(noise(128, 64), (0, 0), 4)
    jpeg, _, _ = encode_crop(image)
    assert jpeg == encode_crop(image.copy())[0]
    assert np.abs(decode_crop(jpeg).astype(int) - image).mean() < 3


def test_shrunk_crop_does_not_share_memory_with_the_frame() -> None:
    image = noise(50, 50)
    assert not np.shares_memory(shrink_crop(image[10:40, 10:30]), image)


def test_empty_crop_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        encode_crop(np.zeros((0, 10, 3), np.uint8))


@pytest.mark.parametrize("data", [b"", b"not a picture"])
def test_bytes_that_are_no_picture_are_refused(data: bytes) -> None:
    with pytest.raises(NotAnImageError):
        decode_crop(data)


def checks(height: int = 128, width: int = 64, *, dark: int = 40, bright: int = 200, side: int = 16) -> np.ndarray:
    rows, columns = np.indices((height, width)) // side
    return np.repeat(np.where((rows + columns) % 2, bright, dark).astype(np.uint8)[:, :, None], 3, axis=2)


def test_blur_lowers_sharpness() -> None:
    little, much = (cv2.GaussianBlur(checks(), (0, 0), sigma) for sigma in (3, 6))
    assert sharpness(checks()) == 1.0
    assert 1.0 > sharpness(little) > sharpness(much) > 0.0


def test_plain_and_empty_pictures_have_no_sharpness() -> None:
    assert sharpness(np.full((100, 40, 3), 90, np.uint8)) == 0.0
    assert sharpness(np.zeros((0, 40, 3), np.uint8)) == 0.0


def test_sharpness_hardly_changes_with_size_or_contrast() -> None:
    image = cv2.GaussianBlur(checks(), (0, 0), 4)
    assert sharpness(cv2.resize(image, None, fx=3, fy=3)) == pytest.approx(sharpness(image), rel=0.1)
    assert sharpness(image // 2 + 60) == pytest.approx(sharpness(image), rel=0.2)


def test_only_the_nearer_of_two_boxes_hides_the_other() -> None:
    assert visibilities(boxes((0, 0, 10, 10), (5, 0, 15, 20))).tolist() == [0.5, 1.0]


def test_boxes_that_hide_the_same_part_count_once() -> None:
    seen = visibilities(boxes((0, 0, 10, 10), (5, 0, 15, 20), (5, 0, 15, 21), (0, 8, 5, 30)))
    assert seen[0] == pytest.approx(0.4)


def test_lone_and_absent_boxes_are_fully_visible() -> None:
    assert visibilities(boxes((0, 0, 10, 10))).tolist() == [1.0]
    assert visibilities(boxes()).shape == (0,)


@given(st.lists(st.tuples(*[st.integers(0, 60)] * 4), min_size=1, max_size=7))
def test_visibility_is_a_share_and_agrees_with_counting_pixels(rows: list[tuple[int, int, int, int]]) -> None:
    given_boxes = boxes(*[(x, y, x + w + 1, y + h + 1) for x, y, w, h in rows])
    for box, share in zip(given_boxes, visibilities(given_boxes), strict=True):
        seen = np.ones((130, 130), bool)
        for other in given_boxes[given_boxes[:, 3] > box[3]].astype(int):
            seen[other[1] : other[3], other[0] : other[2]] = False
        left, top, right, bottom = box.astype(int)
        assert share == pytest.approx(seen[top:bottom, left:right].mean(), abs=1e-5)


def test_person_inside_of_the_picture_is_complete() -> None:
    assert completenesses(boxes((100, 100, 141, 200)), SIZE_PX).tolist() == [1.0]


def test_person_cut_at_the_knees_by_the_border_is_incomplete() -> None:
    # 41 px wide means about 100 px high; 50 of them are seen above the lower border.
    assert completenesses(boxes((100, 430, 141, 480)), SIZE_PX)[0] == pytest.approx(0.5, abs=0.01)


def test_person_half_out_at_the_side_is_incomplete() -> None:
    assert completenesses(boxes((0, 100, 20.5, 200)), SIZE_PX)[0] == pytest.approx(0.5, abs=0.01)


def test_box_at_the_border_never_counts_as_wholly_complete() -> None:
    assert completenesses(boxes((0, 100, 41, 200)), SIZE_PX)[0] == pytest.approx(0.9)


@pytest.mark.parametrize("box", [(100.0, 100.0, 300.0, 200.0), (100.0, 100.0, 110.0, 200.0)])
def test_shape_of_no_standing_person_lowers_completeness(box: tuple[float, float, float, float]) -> None:
    assert completenesses(boxes(box), SIZE_PX)[0] < 0.5


def test_box_outside_of_the_picture_and_inverted_box_have_nothing_complete() -> None:
    assert completenesses(boxes((700, 0, 720, 50), (10, 10, 5, 50)), SIZE_PX).tolist() == [0.0, 0.0]


def test_quality_joins_its_four_parts() -> None:
    crop = noise(64, 26)
    quality = crop_quality(crop, (100, 100, 126, 164), others_px=boxes((100, 132, 126, 200)), frame_size_px=SIZE_PX)
    assert (quality.size, quality.visibility, quality.completeness) == pytest.approx((0.5, 0.5, 1.0))
    assert quality.sharpness == sharpness(crop)
    assert quality.overall == pytest.approx((0.25 * quality.sharpness) ** 0.25)
