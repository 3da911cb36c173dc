"""Yardsticks, and the falling curve of log-odds over standardised distance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from reid_core.spatio_temporal.visual_curve import VisualCurve, fit_curve
from reid_core.spatio_temporal.yardstick import Yardstick

SITE = Yardstick(-0.5, 0.3)


def drawn(seed, *, pairs=20_000, slope=2.0, level=-9.0):
    """Standardised distances, and whether each is one person: ``logit P = level - slope * x``."""
    rng = np.random.default_rng(seed)
    standard = rng.normal(size=pairs)
    return standard, rng.random(pairs) < expit(level - slope * standard)


def fitted(standard, same, different, **changes):
    parts = {"weights": np.ones_like(standard), "yardstick": SITE} | changes
    return fit_curve(standard, same.astype(float), different.astype(float), **parts)


def stated(curve, standard):
    return expit(np.interp(standard, curve.standard, curve.log_odds) + curve.prior_log_odds)


def test_a_yardstick_worked_by_hand():
    yardstick = Yardstick.of(np.exp([-1.0, -2.0, -3.0]))
    assert yardstick.mean_log == pytest.approx(-2.0)
    assert yardstick.spread_log == pytest.approx(np.sqrt(2 / 3))
    assert yardstick.standardise(np.exp([-2.0 - np.sqrt(2 / 3)])) == pytest.approx([-1.0])


def test_few_distances_are_drawn_to_the_prior_and_none_are_the_prior():
    nothing = Yardstick.of(np.zeros(0), prior=SITE)
    assert (nothing.mean_log, nothing.spread_log) == pytest.approx((SITE.mean_log, SITE.spread_log))
    ten = Yardstick.of(np.full(10, np.exp(-1.5)), prior=SITE)  # as many as the prior counts
    assert ten.mean_log == pytest.approx(-1.0)
    assert ten.spread_log == pytest.approx(np.sqrt((0.3**2 + 0.5**2 + 0.5**2) / 2))


def test_a_yardstick_does_not_depend_on_order_and_scales_with_its_query():
    distances = np.random.default_rng(0).uniform(0.2, 1.2, 50)
    one, other = Yardstick.of(distances), Yardstick.of(distances[::-1] / 3)
    assert one.standardise(distances) == pytest.approx(other.standardise(distances / 3))


def test_what_is_no_yardstick_is_refused():
    with pytest.raises(ValueError, match="at least two distances, got 1"):
        Yardstick.of(np.array([0.3]))
    with pytest.raises(ValueError, match=r"a spread above 0, got 0\.0, 0\.0"):
        Yardstick(0.0, 0.0)


@pytest.mark.parametrize("seed", range(3))
def test_labels_give_back_the_probabilities_that_they_were_drawn_with(seed):
    standard, is_same = drawn(seed, level=-6.0)
    curve = fitted(standard, is_same, ~is_same)
    at = np.array([-3.0, -2.0, -1.0])
    assert stated(curve, at) == pytest.approx(expit(-6.0 - 2.0 * at), abs=0.05)
    assert curve.prior == pytest.approx(is_same.mean(), rel=0.05)


@pytest.mark.parametrize("seed", range(3))
def test_what_times_tell_gives_them_back_without_a_label(seed):
    # Times of one person lie around 0, those of two anywhere from -30 to 30: their ratio is known, labels are not.
    standard, is_same = drawn(seed, level=-6.0)
    rng = np.random.default_rng(seed + 100)
    times = np.where(is_same, rng.normal(0, 3, len(standard)), rng.uniform(-30, 30, len(standard)))
    same = np.exp(-0.5 * (times / 3) ** 2) / (3 * np.sqrt(2 * np.pi))
    curve = fitted(standard, same, np.full(len(standard), 1 / 60))
    at = np.array([-3.0, -2.0, -1.0])
    assert stated(curve, at) == pytest.approx(expit(-6.0 - 2.0 * at), abs=0.12)


def test_the_curve_never_rises_and_is_flat_beyond_its_ends():
    standard, is_same = drawn(1)
    curve = fitted(standard, is_same, ~is_same)
    distances = np.linspace(0.001, 2.0, 500)
    llr = curve.llr(distances, SITE)
    assert (np.diff(llr) <= 0).all()
    assert llr[0] == curve.log_odds[0] == curve.llr(np.array([0.0]))[0]
    assert llr[-1] == curve.log_odds[-1]
    assert np.isfinite(llr).all()


def test_a_curve_does_not_follow_labels_that_rise_with_distance():
    standard, is_same = drawn(2, slope=-1.5, level=-3.0)
    curve = fitted(standard, is_same, ~is_same)
    assert np.ptp(curve.log_odds) == pytest.approx(0.0, abs=1e-3)
    assert stated(curve, np.zeros(1)) == pytest.approx([is_same.mean()], rel=0.01)


def test_weights_are_as_good_as_repeating_pairs():
    standard, is_same = drawn(3, pairs=500, level=-2.0)
    twice = fitted(np.tile(standard, 2), np.tile(is_same, 2), np.tile(~is_same, 2))
    weighted = fitted(standard, is_same, ~is_same, weights=np.full(500, 2.0))
    at = np.array([-2.0, -1.0, 0.0])
    assert stated(weighted, at) == pytest.approx(stated(twice, at), abs=1e-3)


def test_the_order_of_pairs_does_not_matter():
    standard, is_same = drawn(4, pairs=2000, level=-3.0)
    order = np.random.default_rng(0).permutation(2000)
    one, other = fitted(standard, is_same, ~is_same), fitted(standard[order], is_same[order], ~is_same[order])
    assert one.log_odds == pytest.approx(other.log_odds, abs=1e-3)


def test_the_curve_survives_json():
    standard, is_same = drawn(5, pairs=2000, level=-3.0)
    curve = fitted(standard, is_same, ~is_same)
    again = VisualCurve.from_json(curve.to_json())
    assert again.to_json() == curve.to_json()
    assert again.log_odds == pytest.approx(curve.log_odds, abs=1e-6)


def test_what_tells_nothing_or_is_no_curve_is_refused():
    ones = np.ones(3)
    with pytest.raises(ValueError, match="a curve needs pairs"):
        fit_curve(np.zeros(0), np.zeros(0), np.zeros(0), weights=np.zeros(0), yardstick=SITE)
    with pytest.raises(ValueError, match=r"got lengths \(3, 2, 3, 3\)"):
        fit_curve(ones, np.ones(2), ones, weights=ones, yardstick=SITE)
    with pytest.raises(ValueError, match="nothing that was observed"):
        fit_curve(ones, ones, ones, weights=ones, yardstick=SITE)
    with pytest.raises(ValueError, match="never rise in log-odds"):
        VisualCurve(SITE, np.array([0.0, 1.0]), np.array([0.0, 1.0]), 0.1)
    with pytest.raises(ValueError, match=r"prior must lie between 0 and 1, got 1\.0"):
        VisualCurve(SITE, np.array([0.0, 1.0]), np.array([1.0, 0.0]), 1.0)
    with pytest.raises(ValueError, match="two knots or more"):
        VisualCurve(SITE, np.zeros(1), np.zeros(1), 0.5)
    with pytest.raises(ValueError, match="no visual curve: KeyError"):
        VisualCurve.from_json({"knots": []})
