"""One maximisation step: what is seen one way is borrowed, as a few pairs, by the walk the other way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reid_core.spatio_temporal.gaps import Background
from reid_core.spatio_temporal.link_pairs import LinkPairs
from reid_core.spatio_temporal.mixture import Mixture, PeakPrior
from reid_core.spatio_temporal.peak_updates import with_shapes, with_shares, with_zones

EVERYBODY = Background(np.array([-1000.0, 1000.0]), np.array([1 / 2000, 1 / 2000]))
HALVES = (np.array([0.5, 0.5]), np.array([0.5, 0.5]))


def onward_pairs(count):
    """All went from A to B in 20 s, left by A's second zone and arrived by B's first."""
    return LinkPairs(
        gaps_s=np.tile([20.0, -40.0], (count, 1)),
        rows=np.arange(count),
        weights=np.ones(count),
        leaves=np.tile([1, 0], (count, 1)),
        arrives=np.tile([0, 1], (count, 1)),
        backgrounds=(EVERYBODY, EVERYBODY),
        leave_shares=HALVES,
        arrive_shares=HALVES,
    )


def both_ways(*, twins):
    priors = tuple(PeakPrior(way, np.log(10.0), 0.4, 2.0, 2.0, 1.0, twin=1 - way if twins else None) for way in (0, 1))
    ones = (np.ones(2), np.ones(2))
    means = np.log([20.0, 10.0])
    return Mixture(priors, np.full(2, 0.4), means, np.full(2, 0.4), np.zeros(2), ones, ones, 0.0, 0.0)


def belongs(count):
    return np.tile([1.0, 0.0], (count, 1))


def test_a_door_of_the_way_there_is_a_door_of_the_way_back():
    found = with_zones(both_ways(twins=True), onward_pairs(6), belongs(6))
    np.testing.assert_allclose(found.leaves[0], [1.5 / 9 / 0.5, 7.5 / 9 / 0.5])  # six pairs beside three of anybody
    np.testing.assert_allclose(found.arrives[1], found.leaves[0])
    np.testing.assert_allclose(found.leaves[1], found.arrives[0])


def test_doors_are_lent_for_ten_pairs_at_most():
    found = with_zones(both_ways(twins=True), onward_pairs(1000), belongs(1000))
    np.testing.assert_allclose(found.arrives[1], [1.5 / 13 / 0.5, 11.5 / 13 / 0.5])


def test_without_a_twin_nothing_is_borrowed():
    alone = both_ways(twins=False)
    data = onward_pairs(6)
    np.testing.assert_allclose(with_zones(alone, data, belongs(6)).arrives[1], 1.0)
    assert with_shapes(alone, data, belongs(6)).log_means[1] == pytest.approx(np.log(10.0))


def test_a_walk_that_nobody_took_lies_where_the_way_back_lies():
    data = onward_pairs(4)
    data = replace(data, gaps_s=data.gaps_s + np.array([0.0, 80.0]))
    found = with_shapes(both_ways(twins=True), data, np.tile([1.0, 1e-6], (4, 1)))
    expected = (2 * np.log(10.0) + 4 * np.log(20.0)) / 6  # the prior's two pairs and four that are lent
    assert found.log_means[1] == pytest.approx(expected, abs=1e-3)


def test_shares_count_pairs_and_leave_a_rest_for_outliers():
    found = with_shares(both_ways(twins=True), belongs(6), same=8.0)
    np.testing.assert_allclose(
        found.shares, [7 / 12, 1 / 12]
    )  # six and one made up, of eight, two made up, two outliers
    assert with_shares(both_ways(twins=True), belongs(1000), same=1000.0).shares.sum() == pytest.approx(0.95)
