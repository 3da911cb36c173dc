"""Reliability, expected calibration error, Brier score and log loss."""

from __future__ import annotations

import numpy as np
import pytest

from reid_core.metrics.calibration import (
    BinSpacing,
    brier_score,
    expected_calibration_error,
    log_loss,
    reliability,
)


def drawn(seed, n=300):
    rng = np.random.default_rng(seed)
    probabilities = rng.beta(0.4, 1.5, n).round(2)  # rounded, so that there are ties
    return probabilities, rng.random(n) < probabilities**1.5


def written_out(probabilities, truths, bins):
    """Equal widths, one value after the other."""
    members = {}
    for p, y in zip(probabilities.tolist(), truths.tolist(), strict=True):
        members.setdefault(min(int(p * bins), bins - 1), []).append((p, y))
    missed = [abs(sum(p for p, _ in one) - sum(y for _, y in one)) for one in members.values()]
    return sum(missed) / len(probabilities)


def test_the_error_worked_by_hand():
    # Bin [0, 0.5): 0.2 and 0.4 stated, 0.3 on average, one of two true: 0.2 off. Bin [0.5, 1]: 0.9 stated, true: 0.1.
    stated, truths = np.array([0.2, 0.9, 0.4]), np.array([False, True, True])
    bins = reliability(stated, truths, bins=2)
    assert bins.counts.tolist() == [2, 1]
    assert bins.stated.tolist() == pytest.approx([0.3, 0.9])
    assert bins.true_shares.tolist() == [0.5, 1.0]
    assert expected_calibration_error(stated, truths, bins=2) == pytest.approx((2 * 0.2 + 1 * 0.1) / 3)


def test_equal_masses_cut_by_rank_where_equal_widths_see_one_bin():
    stated, truths = np.array([0.01, 0.02, 0.03, 0.04]), np.array([False, False, False, True])
    assert expected_calibration_error(stated, truths) == pytest.approx(0.225)  # 0.025 stated, 0.25 true
    halves = reliability(stated, truths, bins=2, spacing=BinSpacing.EQUAL_MASS)
    assert halves.stated.tolist() == pytest.approx([0.015, 0.035])
    assert halves.error == pytest.approx((0.015 + 0.465) / 2)


def test_equal_values_are_never_parted():
    bins = reliability(np.full(7, 0.3), np.arange(7) < 2, bins=4, spacing=BinSpacing.EQUAL_MASS)
    assert bins.counts.tolist() == [7]
    assert bins.error == pytest.approx(0.3 - 2 / 7)


def test_the_border_of_a_bin_belongs_to_the_one_above_and_one_to_the_last():
    bins = reliability(np.array([0.5, 1.0]), np.array([True, True]), bins=2)
    assert bins.counts.tolist() == [2]


@pytest.mark.parametrize("bins", [1, 7, 10])
@pytest.mark.parametrize("seed", range(4))
def test_the_error_equals_that_of_every_value_written_out(seed, bins):
    probabilities, truths = drawn(seed)
    error = expected_calibration_error(probabilities, truths, bins=bins)
    assert error == pytest.approx(written_out(probabilities, truths, bins))


@pytest.mark.parametrize("spacing", BinSpacing)
def test_the_order_of_values_does_not_matter(spacing):
    probabilities, truths = drawn(3)
    order = np.random.default_rng(0).permutation(len(truths))
    one = reliability(probabilities, truths, spacing=spacing)
    other = reliability(probabilities[order], truths[order], spacing=spacing)
    assert one.counts.tolist() == other.counts.tolist()
    assert one.error == pytest.approx(other.error)


@pytest.mark.parametrize("spacing", BinSpacing)
def test_what_comes_true_as_often_as_stated_has_little_error(spacing):
    rng = np.random.default_rng(8)
    probabilities = rng.random(200_000)
    assert expected_calibration_error(probabilities, rng.random(200_000) < probabilities, spacing=spacing) < 0.005


def test_brier_score_and_log_loss_worked_by_hand():
    stated, truths = np.array([0.8, 0.4]), np.array([True, False])
    assert brier_score(stated, truths) == pytest.approx((0.04 + 0.16) / 2)
    assert log_loss(stated, truths) == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)


def test_a_certainty_that_proves_wrong_costs_much_and_not_everything():
    assert log_loss(np.array([0.0]), np.array([True])) == pytest.approx(-np.log(1e-12))


@pytest.mark.parametrize("spacing", BinSpacing)
def test_nothing_stated_has_no_error(spacing):
    nothing, none = np.zeros(0), np.zeros(0, np.bool_)
    assert expected_calibration_error(nothing, none, spacing=spacing) == 0
    assert reliability(nothing, none, spacing=spacing).counts.shape == (0,)
    assert (brier_score(nothing, none), log_loss(nothing, none)) == (0, 0)


def test_what_is_no_probability_or_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"\(2,\) probabilities and \(1,\) truths do not fit"):
        brier_score(np.array([0.1, 0.2]), np.array([True]))
    for wrong in (1.5, -0.1, np.nan):
        with pytest.raises(ValueError, match=rf"must lie in \[0, 1\], got {wrong}"):
            log_loss(np.array([0.5, wrong]), np.array([True, True]))
    with pytest.raises(ValueError, match="bins must be at least 1, got 0"):
        reliability(np.array([0.5]), np.array([True]), bins=0)
