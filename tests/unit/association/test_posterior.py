"""The prior fitted to evidence, and a pair's probability among all whom its tracklets might be."""

from __future__ import annotations

import numpy as np
import pytest

from reid_core.association.posterior import pair_posteriors, share_seen_again


def test_a_pair_without_rivals_has_the_odds_of_its_evidence():
    """Likelihood ratio e^2, prior one half: 1 / (1 + e^-2)."""
    llr = np.array([2.0])
    found = pair_posteriors(llr, llr, llr, shape=(1, 1), shares=(0.5, 0.5))
    assert found[0] == pytest.approx(1 / (1 + np.exp(-2.0)))


def test_the_less_sure_side_counts():
    """As a row it is alone with e^10 of evidence; as a column it competes with an equal."""
    llr, alone, shared = np.array([10.0]), np.array([10.0]), np.array([10.0 + np.log(2)])
    found = pair_posteriors(llr, alone, shared, shape=(2, 1), shares=(0.5, 0.5))
    assert found[0] == pytest.approx(0.5, abs=1e-3)


def test_the_share_of_those_seen_again_is_found():
    """Of 400 tracklets a quarter finds overwhelming evidence among ten candidates, the others find none."""
    evidence = np.where(np.arange(400) < 100, np.log(10) + 12.0, np.log(10) - 12.0)
    assert share_seen_again(evidence, 10) == pytest.approx(0.25, abs=0.01)


def test_drawn_likelihoods_give_back_the_share_they_were_drawn_with():
    random = np.random.default_rng(3)
    own, others = random.normal(2.0, 1.0, 4000), random.normal(0.0, 1.0, (4000, 5))
    scores = np.column_stack([np.where(random.random(4000) < 0.6, own, random.normal(0.0, 1.0, 4000)), others])
    evidence = np.log(np.exp(2.0 * scores - 2.0).sum(1))  # the log likelihood ratio of N(2, 1) against N(0, 1)
    assert share_seen_again(evidence, 6) == pytest.approx(0.6, abs=0.04)


def test_without_evidence_nothing_can_be_told():
    assert share_seen_again(np.zeros(0), 3) == 0.5
    assert share_seen_again(np.zeros(4), 0) == 0.5


def test_impossible_candidates_leave_a_share_near_nothing():
    assert share_seen_again(np.full(5, -np.inf), 3) == pytest.approx(0.02)
