"""Groups of tracklets by average linkage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import cophenet, linkage
from scipy.special import logit

from reid_core.association.grouping import group_tracklets

NONE = np.zeros(0, np.int64)


def grouped(count, pairs, **options):
    rows = np.array([pair[:2] for pair in pairs], np.int64).reshape(-1, 2)
    odds = np.array([pair[2] for pair in pairs], np.float64)
    found = group_tracklets(count, rows[:, 0], rows[:, 1], odds, **{"floor": -3.0, "least": 0.0, **options})
    return {(a, b): w for a, b, w in zip(found.rows_a.tolist(), found.rows_b.tolist(), found.weights, strict=True)}


def test_a_third_joins_by_its_mean_log_odds_to_both():
    found = grouped(3, [(1, 0, 4.0), (1, 2, 3.0), (0, 2, -1.0)])
    assert list(found) == [(0, 1), (0, 2), (1, 2)]
    assert logit(list(found.values())) == pytest.approx([4.0, 1.0, 1.0])


def test_who_is_alike_to_one_only_stays_outside():
    assert list(grouped(3, [(0, 1, 4.0), (1, 2, 2.0)])) == [(0, 1)]  # (2 - 3) / 2 < 0


def test_any_linkage_is_that_of_scipy():
    rng = np.random.default_rng(5)
    count = 24
    odds = rng.normal(0, 2, (count, count)).clip(-3)
    rows_a, rows_b = np.triu_indices(count, 1)
    between = odds[rows_a, rows_b]
    found = group_tracklets(count, rows_b, rows_a, between, floor=-3.0, least=-3.0)
    witness = 10.0 - cophenet(linkage(10.0 - between, "average"))
    assert logit(found.weights) == pytest.approx(witness[witness > -3.0])
    shuffled = rng.permutation(len(between))
    again = group_tracklets(count, rows_a[shuffled], rows_b[shuffled], between[shuffled], floor=-3.0, least=-3.0)
    assert again.weights == pytest.approx(found.weights)


def test_who_is_kept_apart_is_in_one_group_with_nobody_of_the_others():
    pairs = [(0, 1, 5.0), (2, 3, 4.0), (1, 2, 9.0), (0, 2, 9.0), (0, 3, 9.0), (1, 3, 9.0)]
    assert len(grouped(4, pairs)) == 6
    assert list(grouped(4, pairs, apart=np.array([[3, 0]]))) == [(0, 2), (1, 3)]


def test_what_is_known_is_one_group_from_the_start_with_weight_one():
    found = grouped(4, [(2, 3, 1.0), (0, 2, 2.0)], groups=np.array([7, 7, 7, 1]))
    assert found == {(0, 1): 1.0, (0, 2): 1.0, (1, 2): 1.0}  # 3: (1 - 3 - 3) / 3 < 0
    assert grouped(2, [], groups=np.array([0, 0]), apart=np.array([[0, 1]])) == {(0, 1): 1.0}


def test_nothing_comes_of_nothing():
    assert grouped(0, []) == {}
    assert grouped(3, []) == {}


@pytest.mark.parametrize(
    ("odds", "least"), [(np.zeros(2), 0.0), (np.array([np.nan]), 0.0), (np.zeros(1), -4.0), (np.zeros(1), np.nan)]
)
def test_what_does_not_fit_is_refused(odds, least):
    with pytest.raises(ValueError, match="log-odds"):
        group_tracklets(2, np.array([0]), np.array([1]), odds, floor=-3.0, least=least)
