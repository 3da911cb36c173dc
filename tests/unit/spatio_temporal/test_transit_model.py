from __future__ import annotations

import json
import math

import numpy as np
import pytest
from transit_sites import pairs_of, walkers

from reid_core.spatio_temporal.sightings import MatchedPairs, Sightings
from reid_core.spatio_temporal.transit import cross_fitted_llr, fit_transit
from reid_core.spatio_temporal.transit_model import TransitModel
from reid_core.types import CameraLink


@pytest.fixture(scope="module")
def learned():
    sightings, people = walkers()
    return sightings, people, fit_transit(sightings, pairs_of(sightings, people, wrong=1), largest_shift_s=6.0)


def naive_llr(model, one, i, other, j):
    """The docstring's formula for one pair, from the densities themselves."""
    right_i, right_j = model.corrected(one), model.corrected(other)
    a, b = one.camera_ids[one.cameras[i]], other.camera_ids[other.cameras[j]]
    if a == b or (a, b) not in model.links or math.isnan(one.starts_s[i] + other.starts_s[j]):
        return 0.0
    apart_s = max(right_j.starts_s[j] - right_i.ends_s[i], right_i.starts_s[i] - right_j.ends_s[j])
    if apart_s > max(model.links[a, b].background.reach_s, model.links[b, a].background.reach_s):
        return 0.0
    odds, shares = 0.0, 0.0
    ways = ((a, b, right_i, i, right_j, j), (b, a, right_j, j, right_i, i))
    for start, stop, leaving, k, arriving, m in ways:
        gap_s = np.array([arriving.starts_s[m] - leaving.ends_s[k]])
        for peak in model.links[start, stop].peaks:
            leaves = model.zones[start].of(leaving.exits[k : k + 1], 1)[0]
            arrives = model.zones[stop].of(arriving.entries[m : m + 1], 1)[0]
            odds += peak.share * float(peak.likelier(gap_s)[0]) * peak.leaves[leaves] * peak.arrives[arrives]
            shares += peak.share
    return max(math.log((odds + 1 - shares) / model.links[a, b].beyond), model.floor)


def test_evidence_equals_the_formula_pair_by_pair(learned):
    sightings, _, model = learned
    rng = np.random.default_rng(3)
    rows = np.concatenate([np.arange(20), rng.integers(0, len(sightings), 40)])
    others = np.concatenate([np.arange(20) + 1, rng.integers(0, len(sightings), 40)])
    found = model.pair_llr(sightings.take(rows), sightings.take(others))
    expected = [naive_llr(model, sightings, i, sightings, j) for i, j in zip(rows, others, strict=True)]
    np.testing.assert_allclose(found, expected, atol=0.01)
    assert np.count_nonzero(found) > 20


def test_the_matrix_holds_the_same_evidence_and_is_symmetric(learned):
    sightings, _, model = learned
    matrix = model.llr_matrix(sightings, sightings)
    rows, others = np.arange(50), np.arange(50)[::-1] + 30
    assert (matrix[rows, others] == model.pair_llr(sightings.take(rows), sightings.take(others))).all()
    np.testing.assert_array_equal(matrix, matrix.T)


def test_walkers_gain_and_nobody_loses_more_than_the_floor(learned):
    sightings, people, model = learned
    matrix = model.llr_matrix(sightings, sightings)
    across = sightings.cameras[:, None] + sightings.cameras[None] == 1
    same = (people[:, None] == people[None]) & across
    assert np.median(matrix[same]) > 4
    assert np.median(matrix[across & ~same]) < 0
    assert matrix.min() >= model.floor


def test_one_camera_unknown_clocks_and_unseen_links_say_nothing(learned):
    sightings, _, model = learned
    here = sightings.take(sightings.cameras == 0)
    assert not model.llr_matrix(here, here).any()
    blind = Sightings(sightings.camera_ids, here.cameras, here.starts_s * np.nan, here.ends_s * np.nan)
    assert not model.llr_matrix(blind, sightings).any()
    empty = TransitModel({}, model.offsets, {})
    assert not empty.llr_matrix(sightings, sightings).any()


def test_a_gap_that_was_never_compared_says_nothing(learned):
    sightings, _, model = learned
    tomorrow = sightings.shifted(np.full(3, 86400.0))
    assert not model.llr_matrix(sightings, tomorrow).any()


def test_nobody_against_somebody_keeps_its_shape(learned):
    sightings, _, model = learned
    nobody = sightings.take(np.zeros(0, np.int64))
    assert model.llr_matrix(nobody, sightings).shape == (0, len(sightings))
    assert model.pair_llr(nobody, nobody).shape == (0,)


def test_the_document_gives_the_same_model_back(learned):
    sightings, _, model = learned
    document = json.loads(json.dumps(model.to_json()))
    again = TransitModel.from_json(document)
    assert again.to_json() == document
    assert again.transit_id == model.transit_id
    np.testing.assert_allclose(
        again.llr_matrix(sightings, sightings), model.llr_matrix(sightings, sightings), atol=0.01
    )


def test_a_document_from_before_windows_were_compared_means_what_it_meant(learned):
    sightings, _, model = learned
    document = json.loads(json.dumps(model.to_json()))
    assert all(link.pop("beyond") == 1.0 for link in document["links"])
    older = TransitModel.from_json(document)
    assert older.to_json() == model.to_json()
    np.testing.assert_allclose(
        older.llr_matrix(sightings, sightings), model.llr_matrix(sightings, sightings), atol=0.01
    )


def test_documents_of_another_kind_and_broken_ones_are_refused(learned):
    with pytest.raises(ValueError, match="not a transit model"):
        TransitModel.from_json({"form": "something else"})
    with pytest.raises(ValueError, match="not a whole transit model"):
        TransitModel.from_json({**learned[2].to_json(), "links": [{"from": "a"}]})


def test_clocks_that_are_wrong_by_twenty_seconds_are_found_from_both_ways():
    sightings, people = walkers(200, offsets_s=(0.0, 20.0, 0.0))
    model = fit_transit(sightings, pairs_of(sightings, people, wrong=2))
    assert model.offsets.offsets_s["b"] == pytest.approx(20.0, abs=1.0)
    assert model.offsets.offsets_s["c"] is None
    assert model.links["a", "b"].peaks[0].median_s == pytest.approx(10.0, abs=1.5)


def test_a_peak_below_zero_is_fitted_where_one_way_alone_leaves_clocks_unidentified():
    sightings, people = walkers(200, offsets_s=(0.0, -25.0, 0.0))
    pairs = pairs_of(sightings, people)
    onward = sightings.cameras[pairs.rows_a] == 0
    first = sightings.starts_s[pairs.rows_a] < sightings.starts_s[pairs.rows_b] + 25.0
    model = fit_transit(sightings, pairs.take(onward & first), largest_shift_s=5.0)
    one, other = sightings.take(pairs.rows_a[onward & first]), sightings.take(pairs.rows_b[onward & first])
    assert np.median(model.pair_llr(one, other)) > 3


def test_wrong_pairs_do_not_hide_the_walk():
    sightings, people = walkers(200)
    model = fit_transit(sightings, pairs_of(sightings, people, wrong=6), largest_shift_s=6.0)
    direct = max(model.links["a", "b"].peaks, key=lambda peak: peak.share)
    assert direct.median_s == pytest.approx(10.0, abs=1.5)


def test_useless_times_give_hardly_any_evidence():
    sightings, people = walkers(200)
    rng = np.random.default_rng(4)
    moved_s = rng.uniform(0, 7200, len(people)) - sightings.starts_s
    random = Sightings(
        sightings.camera_ids, sightings.cameras, sightings.starts_s + moved_s, sightings.ends_s + moved_s
    )
    model = fit_transit(random, pairs_of(random, people, wrong=2), largest_shift_s=6.0)
    assert np.abs(model.llr_matrix(random, random)).mean() < 0.3


def test_a_map_speaks_where_no_pair_was_seen():
    sightings, _ = walkers(30)
    none = MatchedPairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    assert not fit_transit(sightings, none).links
    mapped = fit_transit(sightings, none, map_links=[CameraLink("a", "b", 12.5)])
    assert set(mapped.links) == {("a", "b"), ("b", "a")}
    assert mapped.links["a", "b"].peaks[0].median_s == pytest.approx(10.0, rel=0.3)


def test_equal_seeds_make_equal_models():
    sightings, people = walkers(60)
    pairs = pairs_of(sightings, people, wrong=1)
    one, other = (fit_transit(sightings, pairs, seed=5, largest_shift_s=6.0) for _ in range(2))
    assert one.transit_id == other.transit_id


def test_cross_fitted_evidence_never_saw_the_pair_that_it_judges():
    sightings, people = walkers(80)
    pairs = pairs_of(sightings, people)
    held = cross_fitted_llr(sightings, pairs, folds=2)
    assert held.shape == (len(pairs),)
    a_to_b = sightings.cameras[pairs.rows_a] + sightings.cameras[pairs.rows_b] == 1
    assert np.median(held[a_to_b]) > 2
    with pytest.raises(ValueError, match="at least 2"):
        cross_fitted_llr(sightings, pairs, folds=1)


@pytest.mark.parametrize(("rows", "message"), [(([0], [10_000]), "10000 of"), (([0], [0]), "one camera is no transit")])
def test_pairs_that_cannot_be_are_refused(rows, message):
    sightings, _ = walkers(20)
    pairs = MatchedPairs(np.array(rows[0]), np.array(rows[1]), np.ones(1))
    with pytest.raises(ValueError, match=message):
        fit_transit(sightings, pairs)


def test_sightings_that_do_not_belong_together_are_refused(learned):
    sightings, _, model = learned
    with pytest.raises(ValueError, match="do not pair up"):
        model.pair_llr(sightings, sightings.take(np.array([0])))
    elsewhere = Sightings(("x",), np.array([0]), np.zeros(1), np.ones(1))
    with pytest.raises(ValueError, match="different sites"):
        model.llr_matrix(sightings, elsewhere)
