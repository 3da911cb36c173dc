"""Promote only what is better with confidence, and in nothing worse; else keep and say why."""

from __future__ import annotations

import pytest

from reid_core.metrics.tallies import Comparison
from services.trainer.promotion import Figures, Policy, decide

POLICY = Policy(margin=0.02, calibration_margin=0.02, calibration_limit=0.1)
EVEN = Comparison(0.0, -0.03, 0.03, 0.5)
BETTER = Comparison(0.2, 0.1, 0.3, 1.0)
SLIGHTLY = Comparison(0.04, 0.015, 0.06, 0.99)
WORSE = Comparison(-0.2, -0.3, -0.1, 0.0)
UNTOLD = Comparison(None, None, None, None)


def test_one_figure_better_and_none_worse_is_promoted():
    decision = decide(Figures({"rematch_rank1": EVEN, "time_yield": BETTER}), POLICY)
    assert decision.promote
    assert decision.reason == (
        "pairs that walking times explain, of all there could be: +0.200 (95% interval +0.100 to +0.300)"
    )
    assert decision.as_dict() == {"outcome": "promote", "reasons": list(decision.reasons)}


def test_better_within_the_margin_is_kept_and_the_nearest_is_named():
    decision = decide(Figures({"rematch_rank1": EVEN, "time_yield": SLIGHTLY}), POLICY)
    assert not decision.promote
    assert decision.reason.startswith(
        "nothing is better by more than 0.02 with confidence; nearest to it: pairs that walking"
    )
    assert decision.as_dict()["outcome"] == "keep"


def test_one_figure_worse_outweighs_all_that_are_better():
    decision = decide(Figures({"rematch_rank1": WORSE, "time_yield": BETTER, "halves_agreement": BETTER}), POLICY)
    assert not decision.promote
    assert decision.reasons == (
        "parts of tracklets found again within their camera: -0.200 (95% interval -0.300 to -0.100)",
    )


def test_worse_within_the_margin_does_not_count():
    slightly_worse = Comparison(-0.03, -0.05, -0.01, 0.01)
    assert decide(Figures({"rematch_rank1": slightly_worse, "time_yield": BETTER}), POLICY).promote


def test_the_margin_is_a_bound_that_must_be_passed():
    at_margin = Comparison(0.03, POLICY.margin, 0.05, 0.99)
    assert not decide(Figures({"time_yield": at_margin}), POLICY).promote
    assert decide(Figures({"time_yield": at_margin}), Policy(margin=0.0199)).promote


@pytest.mark.parametrize(
    ("ours", "theirs", "promoted"),
    [
        (None, None, True),
        (0.1, None, True),
        (0.11, None, False),
        (0.3, 0.29, True),
        (0.3, 0.27, False),
        (0.05, 0.0, True),
    ],
)
def test_a_calibration_must_hold_or_be_as_good_as_the_current_one(ours, theirs, promoted):
    decision = decide(Figures({"time_yield": BETTER}, ours, theirs), POLICY)
    assert decision.promote is promoted
    assert promoted or decision.reason.startswith(f"calibration error is {ours:.3f}")


@pytest.mark.parametrize(
    ("ours", "theirs", "promoted"),
    [(None, None, False), (0.04, None, True), (0.2, None, False), (0.04, 0.06, True), (0.04, 0.05, False)],
)
def test_the_same_model_is_judged_by_its_calibration(ours, theirs, promoted):
    assert decide(Figures({}, ours, theirs), POLICY).promote is promoted


def test_too_little_to_judge_by_keeps_what_is():
    decision = decide(Figures({"rematch_rank1": UNTOLD, "time_yield": UNTOLD}), POLICY)
    assert not decision.promote
    assert "too few tracklets" in decision.reason


def test_margins_below_nought_are_refused():
    for wrong in ({"margin": -0.1}, {"calibration_margin": -1.0}, {"calibration_limit": float("nan")}):
        with pytest.raises(ValueError, match="must be at least 0"):
            Policy(**wrong)
