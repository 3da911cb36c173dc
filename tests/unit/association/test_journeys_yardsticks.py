"""How far tracklets lie from other people."""

from __future__ import annotations

import numpy as np
import pytest

from reid_core.association.journeys_yardsticks import measure, standardised
from reid_core.spatio_temporal.yardstick import Yardstick

PRIOR = Yardstick(-0.2, 0.2)


@pytest.fixture
def site():
    """Vectors of 130 tracklets, 60 of the first camera and 70 of the second."""
    vectors = np.random.default_rng(1).normal(size=(130, 6))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.repeat([0, 1], [60, 70])


def test_they_are_what_one_yardstick_after_another_is(site):
    vectors, cameras = site
    found = measure(vectors, cameras, np.array([3, 100]), prior=PRIOR)
    for place, row in enumerate((3, 100)):
        distances = np.clip(1 - vectors @ vectors[row], 0, 2)
        others = np.arange(130) != row
        for side, chosen in enumerate((cameras != cameras[row], cameras == cameras[row])):
            expected = Yardstick.of(distances[chosen & others], prior=PRIOR)
            assert found[place, side] == pytest.approx([expected.mean_log, expected.spread_log])
            one = standardised(distances[None, :5], found[place : place + 1], np.full((1, 5), side == 1))
            np.testing.assert_allclose(one[0], expected.standardise(distances[:5]))


def test_a_small_crowd_is_measured_by_the_site(site):
    vectors, cameras = site
    found = measure(vectors[:55], cameras[:55], np.array([0]), prior=PRIOR)
    assert found[0, 0].tolist() == [-0.2, 0.2], "nobody is at another camera"
    assert found[0, 1].tolist() != [-0.2, 0.2], "54 others are at its own"
    assert measure(vectors[:0], cameras[:0], np.zeros(0, np.int64), prior=PRIOR).shape == (0, 2, 2)


def test_the_order_of_tracklets_does_not_matter(site):
    vectors, cameras = site
    order = np.random.default_rng(2).permutation(130)
    found = measure(vectors[order], cameras[order], np.arange(130), prior=PRIOR)
    np.testing.assert_allclose(found, measure(vectors, cameras, np.arange(130), prior=PRIOR)[order])
