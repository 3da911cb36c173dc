"""Stated probabilities of all searches of a site against its truth."""

from __future__ import annotations

import numpy as np
import pytest
from transits import a_calibration, a_transit_model

from reid_core.evaluation.calibration_score import score_calibration, state_pairs
from reid_core.metrics.calibration import expected_calibration_error
from reid_core.spatio_temporal.sightings import Sightings
from reid_core.spatio_temporal.yardstick import Yardstick

CAMERAS = ("gate", "hall")


def a_site(count=40):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(count, 8))
    people = np.arange(count) % (count // 2) + 1
    vectors += 2 * rng.normal(size=(count // 2, 8))[people - 1]
    people[:3] = 0
    starts_s = rng.uniform(0, 3600, count)
    sightings = Sightings(CAMERAS, np.repeat([0, 1], count // 2), starts_s, starts_s + 5)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), sightings, people


def test_pairs_are_stated_as_one_search_after_the_other_would():
    vectors, sightings, people = a_site()
    calibration, transit = a_calibration(candidates=20.0), a_transit_model(*CAMERAS)
    stated = state_pairs(calibration, transit, vectors, sightings, people)
    assert len(stated.truths) == 37 * 20  # three distractors do not ask
    assert stated.shown.sum() == 37 * 10
    distances = 1 - vectors[20:] @ vectors[3]
    llr = transit.llr_matrix(sightings.take(slice(3, 4)), sightings.take(slice(20, None)))[0]
    yardstick = Yardstick.of(distances, prior=calibration.curve.yardstick)
    expected = calibration.probability(distances, llr, yardstick=yardstick)
    assert stated.probabilities[:20] == pytest.approx(expected)
    assert stated.truths[:20].tolist() == (people[20:] == people[3]).tolist()
    assert set(stated.probabilities[:20][stated.shown[:20]]) == set(np.sort(stated.probabilities[:20])[-10:])


def test_the_figures_are_those_of_the_metrics():
    vectors, sightings, people = a_site()
    stated = state_pairs(a_calibration(), None, vectors, sightings, people)
    everything, shown = score_calibration(stated, only_shown=False), score_calibration(stated, only_shown=True)
    assert everything.ece == expected_calibration_error(stated.probabilities, stated.truths)
    assert shown.ece == expected_calibration_error(stated.probabilities[stated.shown], stated.truths[stated.shown])
    assert (everything.pairs, shown.pairs) == (740, 370)
    assert set(shown.as_dict()) == {"pairs", "ece", "ece_equal_mass", "brier", "log_loss"}
    assert shown.bins.counts.sum() == 370


def test_what_cannot_be_scored_is_refused():
    vectors, sightings, people = a_site()
    with pytest.raises(ValueError, match="39 vectors, 40 sightings and 40 people do not fit"):
        state_pairs(a_calibration(), None, vectors[1:], sightings, people)
    with pytest.raises(ValueError, match="nobody known"):
        state_pairs(a_calibration(), None, vectors[:20], sightings.take(slice(0, 20)), people[:20])
