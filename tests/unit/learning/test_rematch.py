"""Cutting tracklets in two and finding the parts again, without a label."""

from __future__ import annotations

import numpy as np
import pytest

from reid_core.learning.crop_vectors import CropVectors
from reid_core.learning.rematch import cut_around_middle_third, rematch


def crops_of(parts: list[list[list[float]]], cameras: list[int]) -> CropVectors:
    """Tracklets of evenly spaced crops."""
    first_crop = np.cumsum([0, *(len(part) for part in parts)])
    times_s = np.concatenate([np.arange(len(part), dtype=np.float64) for part in parts] or [np.zeros(0)])
    vectors = np.array([crop for part in parts for crop in part], np.float32).reshape(len(times_s), -1)
    return CropVectors(vectors, times_s, first_crop, np.array(cameras, np.int64))


A, B, C = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]


def test_the_middle_third_is_left_out():
    first, last = cut_around_middle_third(np.array([0.0, 2.0, 3.0, 4.0, 6.0]), np.array([0, 5]))
    assert first.tolist() == [True, True, False, False, False]
    assert last.tolist() == [False, False, False, True, True]


def test_crops_of_one_moment_cannot_be_cut():
    first, last = cut_around_middle_third(np.array([5.0, 5.0, 7.0]), np.array([0, 2, 2, 3]))
    assert not first.any()
    assert not last.any()


def test_whoever_looks_the_same_all_along_is_found_again():
    found = rematch(crops_of([[A, A, A], [B, B, B]], [0, 0]))
    assert found.rank1 == 1.0
    assert found.reciprocal_ranks.share == 1.0


def test_two_who_exchange_their_looks_are_not_found():
    """Either part's own partner is second of two: no hit, one over two."""
    found = rematch(crops_of([[A, C, B], [B, C, A]], [0, 0]))
    assert found.rank1 == 0.0
    assert found.reciprocal_ranks.share == 0.5


def test_one_vector_for_all_finds_nobody():
    assert rematch(crops_of([[A, A, A], [A, A, A]], [0, 0])).rank1 == 0.0


def test_only_the_own_camera_competes():
    """The look-alike of another camera does no harm; the two of camera 1 do."""
    found = rematch(crops_of([[A, A, A], [B, B, B], [A, A, A], [A, A, A]], [0, 0, 1, 1]))
    assert found.by_camera() == {0: 1.0, 1: 0.0}
    assert found.rank1 == 0.5


def test_a_tracklet_that_is_too_short_or_alone_is_no_trial():
    found = rematch(crops_of([[A, A, A], [B], [C, C, C]], [0, 0, 1]))
    assert found.tally.trials.tolist() == [0.0, 0.0, 0.0]
    assert found.rank1 is None
    assert found.as_dict(seed=0, camera_ids=("cam1", "cam2")) == {
        "rank1": {"value": None, "low": None, "high": None},
        "mean_reciprocal_rank": {"value": None, "low": None, "high": None},
        "cameras": {"cam1": None, "cam2": None},
        "tracklets": 0,
        "skipped": 3,
    }


def test_no_tracklets_are_no_trial():
    none = CropVectors(np.zeros((0, 3)), np.zeros(0), np.zeros(1, np.int64), np.zeros(0, np.int64))
    assert rematch(none).rank1 is None


def test_order_of_tracklets_and_length_of_vectors_do_not_matter():
    random = np.random.default_rng(5)
    parts = [(person + 0.8 * random.normal(size=(6, 8))).tolist() for person in random.normal(size=(12, 8))]
    order = random.permutation(12)
    plain = rematch(crops_of(parts, [0] * 12))
    shuffled = rematch(crops_of([(7 * np.array(parts[row])).tolist() for row in order], [0] * 12))
    np.testing.assert_array_equal(shuffled.tally.hits, plain.tally.hits[order])
    assert 0 < plain.rank1 < 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"times_s": np.zeros(2)}, "crops need shapes"),
        ({"first_crop": np.array([0, 1])}, "counted from 0 to 3"),
        ({"vectors": np.full((3, 2), np.nan)}, "not finite"),
    ],
)
def test_crops_that_do_not_fit_are_refused(change: dict[str, np.ndarray], message: str):
    fitting = {
        "vectors": np.zeros((3, 2)),
        "times_s": np.zeros(3),
        "first_crop": np.array([0, 3]),
        "cameras": np.zeros(1),
    }
    with pytest.raises(ValueError, match=message):
        CropVectors(**(fitting | change))
