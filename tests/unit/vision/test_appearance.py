from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from reid_core.vision.appearance import _mixing, _tents, balance_light, stripe_descriptor


def _one_colour(bgr: tuple[int, int, int], height: int = 40, width: int = 16) -> np.ndarray:
    return np.full((height, width, 3), bgr, np.uint8)


def _person(seed: int = 0) -> np.ndarray:
    """A smooth picture with a colourful top, a dark bottom and a grey wall behind."""
    rng = np.random.default_rng(seed)
    image = _one_colour((150, 150, 150), 128, 64)
    image[20:70, 16:48] = rng.integers(30, 220, 3)
    image[70:120, 20:44] = rng.integers(10, 80, 3)
    return cv2.GaussianBlur(image, (5, 5), 0)


def test_pure_red_falls_into_the_brightest_red_bin_of_each_stripe():
    stripes = stripe_descriptor(_one_colour((0, 0, 255)), stripes=8, hues=8, values=4, greys=6).reshape(8, 6 + 8 * 4)
    # Balanced to (0, 0, 220): hue 0 is the middle of the first hue, saturation 255 is no grey, value 220 lies in cell
    # 13 of 16, whose middle is 13.5 / 4 - 0.5 = 2.875 of 4 bins: 0.125 of it belongs to bin 2 and 0.875 to bin 3. All
    # is raised to 0.35, and the outer stripes weigh 0.7.
    expected = np.zeros((8, 38))
    expected[:, 6 + 2 : 6 + 4] = [0.125**0.35, 0.875**0.35]
    expected[[0, -1]] *= 0.7
    np.testing.assert_allclose(stripes, expected / np.linalg.norm(expected), atol=1e-6)


def test_black_is_the_darkest_grey_however_the_light_is_balanced():
    stripes = stripe_descriptor(_one_colour((0, 0, 0)), stripes=2, greys=6).reshape(2, -1)
    np.testing.assert_allclose(stripes[:, 0], [0.5**0.5, 0.5**0.5], atol=1e-6)
    assert np.count_nonzero(stripes) == 2


def test_upper_and_lower_half_are_told_apart():
    red_over_blue = np.concatenate([_one_colour((0, 0, 200)), _one_colour((200, 0, 0))])
    blue_over_red = red_over_blue[::-1].copy()
    assert stripe_descriptor(red_over_blue) @ stripe_descriptor(blue_over_red) < 0.01


def test_the_descriptor_has_unit_length_and_the_stated_size():
    descriptor = stripe_descriptor(_person(), stripes=4, hues=6, values=3, greys=5)
    assert descriptor.shape == (4 * (5 + 6 * 3),)
    assert descriptor.dtype == np.float32
    assert np.linalg.norm(descriptor) == pytest.approx(1, abs=1e-6)


def test_a_mirrored_person_looks_the_same():
    person = _person()
    assert stripe_descriptor(person) @ stripe_descriptor(person[:, ::-1].copy()) > 0.999


def test_a_person_twice_as_near_looks_the_same():
    person = _person()
    near = cv2.resize(person, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    assert stripe_descriptor(person) @ stripe_descriptor(near) > 0.98


def test_a_camera_with_a_colour_cast_sees_nearly_the_same():
    person = _person()
    cast = np.clip(person * np.array([0.8, 1.0, 1.1]), 0, 255).astype(np.uint8)
    other = _person(seed=5)
    assert stripe_descriptor(person) @ stripe_descriptor(cast) > 0.95
    assert stripe_descriptor(person) @ stripe_descriptor(cast) > stripe_descriptor(person) @ stripe_descriptor(other)


def test_the_same_crop_gives_the_same_bits_on_every_thread():
    person = _person()
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(stripe_descriptor, [person] * 16))
    assert all(np.array_equal(results[0], result) for result in results)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 300), (500, 3)])
def test_any_crop_with_a_pixel_can_be_described(size: tuple[int, int]):
    crop = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert np.linalg.norm(stripe_descriptor(crop)) == pytest.approx(1, abs=1e-6)


def test_a_part_of_a_larger_picture_needs_no_copy():
    frame = np.random.default_rng(2).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    assert np.array_equal(stripe_descriptor(frame[20:90, 30:60]), stripe_descriptor(frame[20:90, 30:60].copy()))


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 10, 3), np.uint8),
    ],
    ids=["grey", "four channels", "float", "empty"],
)
def test_what_is_no_bgr_picture_is_refused(wrong: np.ndarray):
    with pytest.raises(ValueError, match="a crop must be uint8"):
        stripe_descriptor(wrong)


def test_soft_bins_share_each_cell_completely():
    np.testing.assert_allclose(_mixing(8, 4, 6).sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(_tents(16, 4).sum(axis=1), 1)


def test_a_cell_between_two_bins_is_shared_by_its_distance():
    # Cell 3 of 8 has its middle at 3.5 / 8 of the range; with 2 bins centred at 1/4 and 3/4 that is 0.375 of the way.
    np.testing.assert_allclose(_tents(8, 2)[3], [0.625, 0.375])


def test_balanced_light_brings_every_channel_to_the_same_mean():
    image = np.random.default_rng(3).integers(0, 120, (50, 20, 3)).astype(np.uint8) // np.array([1, 2, 4], np.uint8)
    means = balance_light(image, light=70.0).mean(axis=(0, 1))
    np.testing.assert_allclose(means, 70, atol=0.5)


def test_balanced_light_does_not_blow_up_the_dark():
    assert balance_light(np.zeros((4, 4, 3), np.uint8), light=200.0).max() == 0
