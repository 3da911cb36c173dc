"""Search by looks and times: exact, explained, and visual alone where there is no place or time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from transits import a_calibration, a_transit_model

from reid_core.retrieval import fused
from reid_core.retrieval.fused import FusedSearch
from reid_core.retrieval.index import FlatIndex, IndexRows
from reid_core.retrieval.reference import Reference, ReferenceShelf
from reid_core.retrieval.search import CropVectors, Query, search
from reid_core.spatio_temporal.fusion import judge
from reid_core.spatio_temporal.physique import Ground, Physique, Trait
from reid_core.spatio_temporal.sightings import Sightings
from reid_core.types import SearchFilter

EVERYTHING = SearchFilter()
CAMERAS = ("gate", "hall", "yard")
DIM = 16


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def rows_of(count, *, seed=0, span_s=3600.0):
    """Half of the tracklets lie near ten centres; one in ten has no clock."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, DIM))
    vectors[::2] = 3 * rng.normal(size=(10, DIM))[rng.integers(0, 10, len(vectors[::2]))] + vectors[::2]
    starts_s = rng.uniform(0, span_s, count)
    ends_s = starts_s + rng.uniform(1, 10, count)
    blind = rng.random(count) < 0.1
    return IndexRows(
        tracklet_nos=np.arange(1, count + 1),
        vectors=unit(vectors),
        camera_ids=[CAMERAS[c] for c in rng.integers(0, 3, count)],
        starts_s=np.where(blind, np.nan, starts_s),
        ends_s=np.where(blind, np.nan, ends_s),
        qualities=rng.random(count),
        bodies=bodies_of(count, rng),
    )


def bodies_of(count, rng):
    """Heights and paces; one in ten is not known."""
    bodies = np.tile([0.5, 0.2], (count, 4))[:, :7]
    bodies[:, 1:6:2] *= np.exp(rng.normal(0, 0.05, (count, 1)))
    bodies[:, 6] = rng.normal(0, 0.2, count)
    bodies[rng.random(count) < 0.1] = np.nan
    return bodies.astype(np.float32).astype(np.float64)


def index_of(rows):
    index = FlatIndex(DIM)
    index.add(rows)
    return index


def query_of(rows, at, **changes):
    known = bool(np.isfinite(rows.starts_s[at]))
    parts = {
        "vector": rows.vectors[at],
        "crop_vectors": np.zeros((0, DIM), np.float32),
        "camera_id": rows.camera_ids[at],
        "start_s": float(rows.starts_s[at]) if known else None,
        "end_s": float(rows.ends_s[at]) if known else None,
        "exclude_tracklet_nos": frozenset({int(rows.tracklet_nos[at])}),
        "body": rows.bodies[at],
    }
    return Query(**(parts | changes))


def judged_one_by_one(engine, index, rows, query, where):
    """Every tracklet's log-odds, by the whole arrays and no index: the naive twin."""
    codes = np.array([CAMERAS.index(camera_id) for camera_id in rows.camera_ids])
    stored = rows.vectors.astype(np.float16).astype(np.float32)
    distances = np.clip(1 - stored @ query.vector, 0, 2)
    reference = Reference.of(index)
    at = Sightings(
        CAMERAS,
        np.array([CAMERAS.index(query.camera_id)]),
        np.array([query.start_s]),
        np.array([query.end_s]),
        bodies=query.body[None],
    )
    judgement = judge(
        engine.calibration,
        distances,
        yardsticks=reference.yardsticks(query, prior=engine.calibration.curve.yardstick),
        is_own_camera=np.array(rows.camera_ids) == query.camera_id,
        prior_log_odds=0.0,
        transit=engine.transit,
        query=at,
        candidates=Sightings(CAMERAS, codes, rows.starts_s, rows.ends_s, bodies=rows.bodies),
    )
    passes = (rows.qualities >= where.min_quality) & ~np.isin(rows.tracklet_nos, list(query.exclude_tracklet_nos))
    order = np.lexsort((rows.tracklet_nos, distances, -judgement.log_odds))
    return [int(rows.tracklet_nos[row]) for row in order if passes[row]], judgement


GROUNDS = dict.fromkeys(CAMERAS, Ground(0.4, 0.0, 0.0, 0.0))


@pytest.mark.parametrize("physique", [None, Physique(GROUNDS, Trait(0.07, 0.025), Trait(0.28, 0.15))])
@pytest.mark.parametrize("shortlist", [4, 32, 1024])
@pytest.mark.parametrize("seed", range(3))
def test_the_order_is_that_of_judging_everybody_however_short_the_shortlist(monkeypatch, shortlist, seed, physique):
    monkeypatch.setattr(fused, "_SHORTLIST", shortlist)
    monkeypatch.setattr(fused, "_SHORTLIST_FOR_EACH", 1)
    rows = rows_of(400, seed=seed)
    index = index_of(rows)
    beyond = (1.0, 0.5, 0.15)[seed]
    transit = replace(a_transit_model(*CAMERAS, ahead_s={"hall": 4.0}, beyond=beyond), physique=physique)
    engine = FusedSearch(a_calibration(), transit)
    assert engine.knows_places == (physique is not None)
    for at in np.flatnonzero(np.isfinite(rows.starts_s))[:12].tolist():
        for where in (EVERYTHING, SearchFilter(min_quality=0.6)):
            query = query_of(rows, at)
            expected, judgement = judged_one_by_one(engine, index, rows, query, where)
            found = engine.search(index, query, k=7, where=where)
            assert [match.tracklet_no for match in found.matches] == expected[:7]
            for match in found.matches:
                row = match.tracklet_no - 1
                assert match.evidence.visual_log_odds == pytest.approx(judgement.visual[row], abs=2e-3)
                assert match.evidence.time_log_odds == pytest.approx(judgement.time[row], abs=1e-9, nan_ok=True) or (
                    match.evidence.time_log_odds is None and np.isnan(judgement.time[row])
                )


def test_both_parts_and_the_prior_make_up_the_probability():
    rows = rows_of(300)
    engine = FusedSearch(a_calibration(), a_transit_model(*CAMERAS))
    at = int(np.flatnonzero(np.isfinite(rows.starts_s))[0])
    found = engine.search(index_of(rows), query_of(rows, at), k=20, where=EVERYTHING)
    assert found.uses_time
    for match in found.matches:
        one = match.evidence
        total = found.prior_log_odds + one.visual_log_odds + (one.time_log_odds or 0.0)
        assert one.probability == pytest.approx(1 / (1 + np.exp(-total)))
    probabilities = [match.evidence.probability for match in found.matches]
    assert probabilities == sorted(probabilities, reverse=True)
    assert [match.rank for match in found.matches] == list(range(1, 21))


def walker(*, start_s, vectors, no=1, camera="hall"):
    return IndexRows(
        np.array([no]), unit(np.array([vectors])), [camera], np.array([start_s]), np.array([start_s + 5.0]), np.ones(1)
    )


def test_a_time_that_fits_lifts_an_answer_above_one_that_looks_a_little_more_alike():
    index = index_of(rows_of(200, seed=4))
    asked = np.eye(DIM)[0]
    index.add(walker(no=901, start_s=130.0, vectors=asked + 0.35 * np.eye(DIM)[1]))  # twenty seconds after the query
    index.add(walker(no=902, start_s=3000.0, vectors=asked + 0.30 * np.eye(DIM)[2]))
    engine = FusedSearch(a_calibration(), a_transit_model(*CAMERAS))
    query = Query(unit(asked), np.zeros((0, DIM), np.float32), "gate", 100.0, 110.0)
    first, second = engine.search(index, query, k=2, where=EVERYTHING).matches
    assert (first.tracklet_no, first.evidence.visual_rank) == (901, 2)
    assert (second.tracklet_no, second.evidence.visual_rank) == (902, 1)
    assert first.evidence.time_log_odds > 1
    assert second.evidence.time_log_odds < 0
    assert first.evidence.gap_s == 20.0
    alone = engine.search(index, query, k=2, where=EVERYTHING, use_time=False)
    assert [match.tracklet_no for match in alone.matches] == [902, 901]
    assert not alone.uses_time
    assert {match.evidence.time_log_odds for match in alone.matches} == {None}


@pytest.mark.parametrize("lacking", [{"camera_id": None}, {"start_s": None, "end_s": None}])
def test_a_query_without_place_or_time_is_ranked_by_looks_alone(lacking):
    rows = rows_of(300, seed=2)
    index = index_of(rows)
    query = query_of(rows, 0, camera_id="gate", start_s=5.0, end_s=9.0)
    query = Query(**({name: getattr(query, name) for name in query.__slots__} | lacking))
    found = FusedSearch(a_calibration(), a_transit_model(*CAMERAS)).search(index, query, k=10, where=EVERYTHING)
    assert not found.uses_time
    if query.camera_id is None:  # one yardstick for all: just the order of distances
        expected = search(index, query, k=10, where=EVERYTHING)
        assert [one.tracklet_no for one in found.matches] == [one.tracklet_no for one in expected]
    assert all(match.evidence.time_log_odds is None for match in found.matches)


def test_the_own_camera_and_unknown_clocks_have_no_evidence_of_time():
    rows = rows_of(300, seed=3)
    at = int(np.flatnonzero(np.isfinite(rows.starts_s))[0])
    engine = FusedSearch(a_calibration(), a_transit_model(*CAMERAS))
    for match in engine.search(index_of(rows), query_of(rows, at), k=299, where=EVERYTHING).matches:
        told = match.camera_id != rows.camera_ids[at] and np.isfinite(match.start_s)
        if {match.camera_id, rows.camera_ids[at]} == {"gate", "yard"}:
            told = False  # nobody was seen to take that way
        assert (match.evidence.time_log_odds is not None) == told


def test_at_most_the_wanted_share_of_the_answers_is_expected_to_be_false():
    rows = rows_of(300, seed=5)
    index, engine = index_of(rows), FusedSearch(a_calibration(steepness=3.0), a_transit_model(*CAMERAS))
    query = query_of(rows, int(np.flatnonzero(np.isfinite(rows.starts_s))[0]))
    everybody = engine.search(index, query, k=100, where=EVERYTHING).matches
    some = engine.search(index, query, k=100, where=EVERYTHING, max_error_rate=0.5).matches
    assert 0 < len(some) < len(everybody)
    assert [one.tracklet_no for one in some] == [one.tracklet_no for one in everybody[: len(some)]]
    errors = [1 - one.evidence.probability for one in everybody]
    assert np.mean(errors[: len(some)]) <= 0.5 < np.mean(errors[: len(some) + 1])
    assert engine.search(index, query, k=100, where=EVERYTHING, max_error_rate=0.0).matches == []


def test_fewer_candidates_around_the_query_make_each_of_them_likelier():
    rows = rows_of(400, seed=6)
    index, query = index_of(rows), query_of(rows, 3, start_s=100.0, end_s=104.0, camera_id="gate")
    whole = FusedSearch(a_calibration(span_s=3600.0)).search(index, query, k=1, where=EVERYTHING).prior_log_odds
    tenth = FusedSearch(a_calibration(span_s=360.0)).search(index, query, k=1, where=EVERYTHING).prior_log_odds
    elsewhere = index.count(SearchFilter(exclude_camera_ids=frozenset({"gate"})))
    near = index.count(SearchFilter(exclude_camera_ids=frozenset({"gate"}), start_s=0.0, end_s=360.0))
    blind = index.count(SearchFilter(exclude_camera_ids=frozenset({"gate"}))) - index.count(
        SearchFilter(exclude_camera_ids=frozenset({"gate"}), start_s=0.0)
    )
    assert whole == pytest.approx(np.log(2 / (elsewhere - blind - 2)), abs=0.02)
    assert tenth == pytest.approx(np.log(2 / (near - 2)), abs=0.05)


def test_an_empty_index_answers_nothing():
    query = Query(unit(np.ones(DIM)), np.zeros((0, DIM), np.float32), "gate", 1.0, 2.0)
    found = FusedSearch(a_calibration(), a_transit_model(*CAMERAS)).search(FlatIndex(DIM), query, k=3, where=EVERYTHING)
    assert found.matches == []


def test_crops_are_fetched_for_the_answers_only():
    rows = rows_of(100)
    asked = []

    def crop_vectors_of(nos):
        asked.append(list(nos))
        return {nos[0]: CropVectors((4,), rows.vectors[:1])}

    query = query_of(rows, 0, crop_vectors=rows.vectors[:1], start_s=1.0, end_s=2.0)
    engine = FusedSearch(a_calibration())
    matches = engine.search(index_of(rows), query, k=3, where=EVERYTHING, crop_vectors_of=crop_vectors_of).matches
    assert asked == [[match.tracklet_no for match in matches]]
    assert matches[0].evidence.crop_pairs == ((0, 4, 0.0),)


def test_a_wrong_rate_and_a_wrong_k_are_refused():
    rows = rows_of(20)
    engine, index, query = FusedSearch(a_calibration()), index_of(rows), query_of(rows, 0)
    with pytest.raises(ValueError, match=r"max_error_rate must be in \[0, 1\], got 1.5"):
        engine.search(index, query, k=3, where=EVERYTHING, max_error_rate=1.5)
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        engine.search(index, query, k=0, where=EVERYTHING)


def test_a_reference_is_drawn_anew_only_when_the_index_has_grown_by_a_twentieth():
    rows = rows_of(200)
    index, shelf = index_of(rows), ReferenceShelf()
    first = shelf.of(index)
    assert len(first.hits) == 200
    assert first.vectors == pytest.approx(rows.vectors, abs=1e-3)
    index.add(walker(no=500, start_s=1.0, vectors=np.ones(DIM)))
    assert shelf.of(index) is first
    index.remove(range(1, 20))
    assert shelf.of(index) is not first
    assert shelf.of(FlatIndex(DIM)).vectors.shape == (0, DIM)


def test_the_query_itself_does_not_shorten_its_yardstick():
    rows = rows_of(50)
    reference, prior = Reference.of(index_of(rows)), a_calibration().curve.yardstick
    without = reference.yardsticks(query_of(rows, 7), prior=prior)
    with_itself = reference.yardsticks(query_of(rows, 7, exclude_tracklet_nos=frozenset()), prior=prior)
    assert without.elsewhere.mean_log == pytest.approx(with_itself.elsewhere.mean_log, abs=1e-6)
    assert without.own_camera.spread_log < with_itself.own_camera.spread_log
