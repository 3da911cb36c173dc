from __future__ import annotations

import numpy as np
import pytest

from reid_core.graph.pooling import pool_tracklets
from reid_core.spatio_temporal.sightings import Sightings

RIGHT, UP = [1.0, 0.0], [0.0, 1.0]


def seen(*places: tuple[int, float]) -> Sightings:
    times_s = np.array([time for _, time in places], np.float64)
    return Sightings(("a", "b"), np.array([camera for camera, _ in places], np.int64), times_s, times_s)


def pooled(looks: list[list[float]], *places: tuple[int, float], within_s: float = 10.0):
    return pool_tracklets(
        np.array(looks, np.float32).reshape(-1, 2), seen(*places), within_s=within_s, least_cosine=0.7
    )


def test_a_chain_of_alike_images_is_one_tracklet_by_hand():
    slanted = [0.6, 0.8]
    done = pooled([RIGHT, UP, RIGHT, RIGHT, RIGHT, slanted], (0, 0), (0, 1), (0, 9), (0, 18), (1, 5), (0, 60))
    assert done.numbers.tolist() == [0, 1, 0, 0, 2, 3]  # another look, another camera, too late
    np.testing.assert_allclose(done.vectors, [RIGHT, UP, RIGHT, slanted], atol=1e-6)
    assert done.sightings.starts_s.tolist() == done.sightings.ends_s.tolist() == [9, 1, 5, 60]
    assert done.sightings.cameras.tolist() == [0, 0, 1, 0]


def test_the_mean_look_has_length_one():
    done = pooled([RIGHT, [0.8, 0.6]], (0, 0), (0, 1))
    np.testing.assert_allclose(done.vectors, [np.array([1.8, 0.6]) / np.hypot(1.8, 0.6)], atol=1e-6)


def test_tracklets_do_not_depend_on_the_order_of_images():
    rng = np.random.default_rng(0)
    looks = rng.normal(size=(60, 2))
    looks = (looks / np.linalg.norm(looks, axis=1, keepdims=True)).tolist()
    places = [(int(rng.integers(2)), float(rng.uniform(0, 200))) for _ in range(60)]
    order = rng.permutation(60)
    once, again = pooled(looks, *places), pooled([looks[i] for i in order], *[places[i] for i in order])
    same = once.numbers[:, None] == once.numbers[None]
    np.testing.assert_array_equal(same[order][:, order], again.numbers[:, None] == again.numbers[None])
    assert 10 < len(once.vectors) < 60


@pytest.mark.parametrize("times", [(np.nan, np.nan), (0.0, np.nan)])
def test_images_without_a_time_stay_alone(times: tuple[float, float]):
    assert pooled([RIGHT, RIGHT], (0, times[0]), (0, times[1])).numbers.tolist() == [0, 1]


def test_nothing_is_pooled_within_no_time():
    assert pooled([RIGHT, RIGHT], (0, 0), (0, 0), within_s=0).numbers.tolist() == [0, 1]


def test_nothing_pools_to_nothing():
    done = pooled([])
    assert (done.numbers.shape, done.vectors.shape, len(done.sightings)) == ((0,), (0, 2), 0)


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="1 vectors and 2 sightings"):
        pooled([RIGHT], (0, 0), (0, 1))
