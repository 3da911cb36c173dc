"""Shares over tracklets, their bootstrap intervals, and comparisons in pairs."""

from __future__ import annotations

import numpy as np
import pytest

from reid_core.metrics.tallies import Tally, compare_tallies


def test_the_share_is_all_hits_over_all_trials():
    assert Tally(np.array([1.0, 2.0]), np.array([1.0, 4.0])).share == pytest.approx(3 / 5)


def test_without_a_trial_there_is_no_share():
    tally = Tally(np.zeros(3), np.zeros(3))
    assert tally.share is None
    assert tally.interval(seed=0).as_dict() == {"value": None, "low": None, "high": None}
    assert compare_tallies(tally, tally, seed=0).difference is None


def test_no_tracklets_have_no_share():
    assert Tally(np.zeros(0), np.zeros(0)).interval(seed=0).value is None


def test_the_interval_is_as_wide_as_a_binomial_one():
    """200 tracklets at one half: a standard error of 0.0354, so the bounds lie near 0.5 -+ 0.069."""
    hits = np.arange(200) % 2.0
    interval = Tally(hits, np.ones(200)).interval(seed=1)
    assert interval.value == 0.5
    assert interval.low == pytest.approx(0.431, abs=0.01)
    assert interval.high == pytest.approx(0.569, abs=0.01)


def test_a_comparison_in_pairs_is_sure_where_single_intervals_overlap():
    """Nine in ten tracklets agree; the candidate finds one in ten more."""
    random = np.random.default_rng(2)
    current = (random.random(300) < 0.5).astype(float)
    candidate = np.where(np.arange(300) % 10 == 0, 1.0, current)
    trials = np.ones(300)
    comparison = compare_tallies(Tally(candidate, trials), Tally(current, trials), seed=3)
    assert comparison.low > 0
    assert comparison.is_better_share > 0.99
    assert Tally(current, trials).interval(seed=3).high > Tally(candidate, trials).interval(seed=3).low


def test_equal_models_are_not_better():
    tally = Tally(np.array([1.0, 0.0, 1.0]), np.ones(3))
    comparison = compare_tallies(tally, tally, seed=0)
    assert (comparison.difference, comparison.low, comparison.high, comparison.is_better_share) == (0.0, 0.0, 0.0, 0.0)


def test_the_same_seed_draws_the_same():
    tally = Tally(np.arange(30) % 2.0, np.ones(30))
    assert tally.interval(seed=4) == tally.interval(seed=4)


@pytest.mark.parametrize(
    ("hits", "trials", "message"),
    [
        (np.ones(2), np.ones(3), "do not fit"),
        (np.full(2, 2.0), np.ones(2), "between 0 and the trials"),
        (np.full(1, np.nan), np.ones(1), "between 0 and the trials"),
    ],
)
def test_what_is_no_tally_is_refused(hits: np.ndarray, trials: np.ndarray, message: str):
    with pytest.raises(ValueError, match=message):
        Tally(hits, trials)


def test_tallies_of_other_tracklets_are_not_compared():
    with pytest.raises(ValueError, match="3 and 2 tracklets"):
        compare_tallies(Tally(np.ones(3), np.ones(3)), Tally(np.ones(2), np.ones(2)), seed=0)
