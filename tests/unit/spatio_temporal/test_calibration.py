"""Calibrations: their arithmetic, and what they learn of a site without a label."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit
from transits import a_calibration, a_transit_model

from reid_core.errors import CalibrationError
from reid_core.metrics.calibration import expected_calibration_error
from reid_core.spatio_temporal.calibration import Calibration, fit_calibration, fit_site_calibration
from reid_core.spatio_temporal.fusion import Judgement, Yardsticks, judge, longest_prefix
from reid_core.spatio_temporal.sightings import Sightings
from reid_core.spatio_temporal.site_pairs import mutual_pairs, site_pairs
from reid_core.spatio_temporal.windows import WindowTable
from reid_core.spatio_temporal.yardstick import Yardstick

CAMERAS = ("gate", "hall")


def a_site(seed, *, people=150, hours=1.0, dim=12, noise=0.25, walks=True):
    """Each person is seen at the gate and, ``walks`` permitting twenty seconds later, in the hall."""
    rng = np.random.default_rng(seed)
    looks = rng.normal(size=(people, dim))
    vectors = np.concatenate([looks + noise * rng.normal(size=(people, dim)) for _ in CAMERAS])
    left_s = rng.uniform(0, 3600 * hours, people)
    arrived_s = left_s + np.exp(rng.normal(np.log(20), 0.3, people)) if walks else rng.uniform(0, 3600 * hours, people)
    starts_s = np.concatenate([left_s - 5, arrived_s])
    sightings = Sightings(CAMERAS, np.repeat([0, 1], people), starts_s, starts_s + 5)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), sightings, np.tile(np.arange(people), 2)


def test_the_log_odds_worked_by_hand():
    calibration = a_calibration(time_weight=0.5)  # at the mean distance the line is at -2; two nats for each spread
    distances = np.exp([-0.2, -0.2 - 3 * 0.2])
    assert calibration.visual_llr(distances) == pytest.approx([-2.0, 4.0])
    assert calibration.prior_log_odds == pytest.approx(logit(2 / 200))
    odds = calibration.log_odds(distances, np.array([1.0, -3.0]))
    assert odds == pytest.approx(logit(0.01) + np.array([-2.0 + 0.5, 4.0 - 1.5]))
    assert calibration.probability(distances, np.array([1.0, -3.0])) == pytest.approx(expit(odds))
    alone = calibration.log_odds(distances, prior_log_odds=1.0, yardstick=Yardstick(-0.4, 0.2))
    assert alone == pytest.approx([1.0 - 4.0, 1.0 + 2.0])


def test_the_prior_follows_the_candidates_and_stays_within_reason():
    calibration = a_calibration(matches=2.0, candidates=200.0)
    assert calibration.prior_of(400) == pytest.approx(logit(1 / 200))
    assert calibration.prior_of(1) == calibration.prior_of(0) == 0.0


def test_a_calibration_survives_json_and_is_named_by_its_content():
    calibration = a_calibration()
    document = json.loads(json.dumps(calibration.to_json()))
    again = Calibration.from_json(document)
    assert again.to_json() == calibration.to_json()
    assert again.calibration_id == calibration.calibration_id != a_calibration(matches=3.0).calibration_id
    assert calibration.calibration_id.startswith("calibration-")
    with pytest.raises(ValueError, match="no calibration of this form: None"):
        Calibration.from_json({})
    with pytest.raises(ValueError, match="no calibration: KeyError"):
        Calibration.from_json({"format": document["format"]})


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"time_weight": 1.5}, r"time_weight must be in \[0, 1\], got 1.5"), ({"matches": 0.0}, "must be above 0")],
)
def test_numbers_out_of_range_are_refused(changes, told):
    with pytest.raises(ValueError, match=told):
        replace(a_calibration(), **changes)


def test_labelled_pairs_are_calibrated():
    rng = np.random.default_rng(3)
    alike, other = np.exp(rng.normal(-1.2, 0.3, 1000)), np.exp(rng.normal(-0.2, 0.2, 30_000))
    calibration = fit_calibration(
        positive_distances=alike[::2],
        positive_weights=np.ones(500),
        negative_distances=other[::2],
        negative_weights=np.ones(15_000),
    )
    distances, truths = np.concatenate([alike[1::2], other[1::2]]), np.repeat([True, False], [500, 15_000])
    assert expected_calibration_error(calibration.probability(distances), truths) < 0.01
    near = distances < np.quantile(distances, 0.05)
    assert expected_calibration_error(calibration.probability(distances)[near], truths[near]) < 0.05


def test_labels_of_one_kind_only_are_refused():
    some, none = np.ones(3), np.zeros(0)
    with pytest.raises(ValueError, match="pairs of one person and pairs of two"):
        fit_calibration(positive_distances=some, positive_weights=some, negative_distances=none, negative_weights=none)


@pytest.mark.parametrize("seed", range(2))
def test_a_site_is_calibrated_without_a_label(seed):
    vectors, sightings, people = a_site(seed)
    transit = a_transit_model(*CAMERAS, share=0.45)
    calibration = fit_site_calibration(vectors, sightings, transit, seed=0)
    assert calibration.time_weight >= 0.375
    assert calibration.candidates == 150
    assert calibration.matches == pytest.approx(1.0, abs=0.35)
    assert calibration.span_s == pytest.approx(sightings.ends_s.max() - sightings.starts_s.min())
    stated, truths = [], []
    for row in range(150):
        distances = 1 - vectors[150:] @ vectors[row]
        llr = transit.llr_matrix(sightings.take(slice(row, row + 1)), sightings.take(slice(150, None)))[0]
        odds = calibration.log_odds(distances, llr, yardstick=Yardstick.of(distances))
        best = np.argsort(-odds)[:10]
        stated.append(expit(odds[best]))
        truths.append(people[150:][best] == people[row])
    assert expected_calibration_error(np.concatenate(stated), np.concatenate(truths)) < 0.05


def test_times_that_tell_nothing_are_given_no_weight_or_refused():
    vectors, sightings, _ = a_site(0, walks=False)
    with pytest.raises(CalibrationError, match="nothing here to calibrate"):
        fit_site_calibration(
            vectors,
            Sightings(CAMERAS, sightings.cameras, np.full(300, np.nan), np.full(300, np.nan)),
            a_transit_model(*CAMERAS),
            seed=0,
        )


def test_one_camera_cannot_be_calibrated():
    vectors, sightings, _ = a_site(0)
    with pytest.raises(CalibrationError, match="no tracklet has two others"):
        fit_site_calibration(vectors[:150], sightings.take(slice(0, 150)), a_transit_model(*CAMERAS), seed=0)


def test_pairs_and_their_reverses_fall_into_one_fold_and_mutual_ones_are_named_once():
    vectors, sightings, people = a_site(1, people=40, noise=0.05)
    pairs = site_pairs(vectors, sightings, rng=np.random.default_rng(0))
    assert len(pairs.queries) == 2 * 40 * 40
    fold_of = {}
    for query, answer, fold in zip(pairs.queries, pairs.answers, pairs.folds(5), strict=True):
        assert fold_of.setdefault(frozenset((int(query), int(answer))), int(fold)) == fold
    mutual = mutual_pairs(pairs, sightings.cameras)
    assert sorted(pairs.queries[mutual].tolist()) == list(range(40))
    assert (people[pairs.queries[mutual]] == people[pairs.answers[mutual]]).all()


def test_far_candidates_of_large_sites_are_drawn_and_stand_for_all(monkeypatch):
    vectors, sightings, _ = a_site(2, people=60)
    whole = site_pairs(vectors, sightings, rng=np.random.default_rng(0))
    monkeypatch.setattr("reid_core.spatio_temporal.site_pairs._NEAREST", 10)
    monkeypatch.setattr("reid_core.spatio_temporal.site_pairs._DRAWN", 20)
    some = site_pairs(vectors, sightings, rng=np.random.default_rng(0), most_queries=50)
    assert len(np.unique(some.queries)) == 50
    assert len(some.queries) == 50 * 30
    assert some.weights.sum() == pytest.approx(50 * 60)
    assert some.candidates == whole.candidates == 60
    first = some.queries == some.queries[0]
    nearest = np.sort(whole.standard[whole.queries == some.queries[0]])[:10]
    assert np.sort(some.standard[first])[:10] == pytest.approx(nearest)


def test_vectors_and_sightings_must_fit():
    vectors, sightings, _ = a_site(0, people=5)
    with pytest.raises(ValueError, match="3 vectors and 10 sightings do not fit"):
        site_pairs(vectors[:3], sightings, rng=np.random.default_rng(0))


def test_the_longest_prefix_is_that_of_every_prefix_tried():
    probabilities = np.sort(np.random.default_rng(1).random(30))[::-1]
    for rate in (0.0, 0.1, 0.3, 0.5, 1.0):
        fitting = [n for n in range(1, 31) if np.mean(1 - probabilities[:n]) <= rate]
        assert longest_prefix(probabilities, rate) == max(fitting, default=0)
    assert longest_prefix(np.zeros(0), 0.5) == 0
    with pytest.raises(ValueError, match=r"got -0\.1"):
        longest_prefix(probabilities, -0.1)


def test_a_judgement_is_the_sum_of_its_parts_and_silence_counts_nothing():
    judgement = Judgement(np.array([1.0, 2.0]), np.array([0.5, np.nan]), -3.0)
    assert judgement.log_odds.tolist() == [-1.5, -1.0]
    assert judgement.probabilities == pytest.approx(expit([-1.5, -1.0]))


def test_the_own_camera_has_a_yardstick_of_its_own():
    calibration = a_calibration()
    own = np.array([True, False])
    sides = Yardsticks(Yardstick(-0.2, 0.2), Yardstick(-0.6, 0.2))
    found = judge(calibration, np.exp([-0.6, -0.6]), yardsticks=sides, is_own_camera=own, prior_log_odds=0.0)
    assert found.visual == pytest.approx([-2.0, 2.0])
    assert np.isnan(found.time).all()
    with pytest.raises(ValueError, match="1 distances do not fit 2 candidates"):
        judge(calibration, np.ones(1), yardsticks=sides, is_own_camera=own, prior_log_odds=0.0)


@pytest.mark.parametrize(("ahead_s", "beyond"), [(0.0, 1.0), (7.0, 1.0), (0.0, 0.15)])
def test_outside_of_the_windows_time_hardly_speaks_for_one_person(ahead_s, beyond):
    transit = a_transit_model("gate", "hall", "yard", ahead_s={"hall": ahead_s}, beyond=beyond)
    table = WindowTable(transit)
    cameras = ("gate", "hall", "yard")
    query = Sightings(cameras, np.array([0]), np.array([1000.0]), np.array([1010.0]))
    (there,) = table.of(query)
    assert there == "hall"  # nobody was seen to go straight to the yard
    window = table.of(query)["hall"]
    starts_s = np.arange(0.0, 2000.0, 0.5)
    seen = Sightings(cameras, np.ones(4000, np.int64), starts_s, starts_s + 4.0)
    llr = transit.pair_llr(query.take(np.zeros(4000, np.int64)), seen)
    inside = (starts_s >= window.start_from_s) & (starts_s <= window.start_to_s)
    inside |= (seen.ends_s >= window.end_from_s) & (seen.ends_s <= window.end_to_s)
    assert llr[~inside].max() <= table.outside_llr + 1e-9
    assert (table.outside_llr == 0) == (beyond == 1.0)
    assert (llr[inside] > 0).mean() > 0.5
    assert llr.max() <= table.most_llr
    assert 1010 < window.start_from_s - ahead_s < 1010 + 20 < window.start_to_s - ahead_s < 1010 + 90


def test_an_unknown_clock_has_no_windows():
    query = Sightings(CAMERAS, np.array([0]), np.array([np.nan]), np.array([np.nan]))
    assert WindowTable(a_transit_model(*CAMERAS)).of(query) == {}
