"""A second look re-orders answers exactly, whoever gives it, and leaves probabilities alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from transits import a_calibration, a_transit_model

from reid_core.retrieval import fused
from reid_core.retrieval.fused import FusedSearch
from reid_core.retrieval.index import FlatIndex, IndexRows
from reid_core.retrieval.reference import Reference
from reid_core.retrieval.search import Query
from reid_core.retrieval.second_look import Refinement
from reid_core.types import SearchFilter

CAMERAS = ("gate", "hall", "yard")
DIM = 16
EVERYTHING = SearchFilter()


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def rows_of(count, *, seed=0):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, DIM))
    vectors[::2] = 3 * rng.normal(size=(10, DIM))[rng.integers(0, 10, len(vectors[::2]))] + vectors[::2]
    starts_s = rng.uniform(0, 3600.0, count)
    cameras = [CAMERAS[c] for c in rng.integers(0, 3, count)]
    return IndexRows(np.arange(1, count + 1), unit(vectors), cameras, starts_s, starts_s + 5, rng.random(count))


def query_of(rows, at, **changes):
    start_s, own = float(rows.starts_s[at]), frozenset({int(rows.tracklet_nos[at])})
    made = Query(rows.vectors[at], np.zeros((0, DIM), np.float32), rows.camera_ids[at], start_s, start_s + 5, own)
    return replace(made, **changes)


class TableLook:
    """Says of each tracklet what a table says; 0 is nobody's number."""

    def __init__(self, rows, distances, *, unknown=()):
        self.rows, self.table = rows, np.concatenate([[np.nan], distances]).astype(np.float32)
        self.table[list(unknown)] = np.nan
        self.heard = None

    def hear(self, near):
        self.heard = near

    def nearest(self, k, where):
        passing = [
            no
            for no in np.argsort(self.table, kind="stable").tolist()
            if no and no not in where.exclude_tracklet_nos and self.rows.qualities[no - 1] >= where.min_quality
        ]
        nearest = np.array([no for no in passing if not np.isnan(self.table[no])][:k], np.int64)
        return nearest, self.table[nearest]

    def distances(self, tracklet_nos):
        return self.table[tracklet_nos]


@pytest.mark.parametrize("shortlist", [4, 32, 1024])
@pytest.mark.parametrize("seed", range(3))
def test_the_order_is_that_of_judging_everybody_twice(monkeypatch, shortlist, seed):
    rows, rng = rows_of(300, seed=seed), np.random.default_rng(seed + 100)
    index = FlatIndex(DIM)
    index.add(rows)
    engine = FusedSearch(a_calibration(), a_transit_model(*CAMERAS, beyond=(1.0, 0.5, 0.15)[seed]))
    look = TableLook(rows, rng.uniform(0.05, 1.2, 300))
    for at in range(6):
        for where in (EVERYTHING, SearchFilter(min_quality=0.6)):
            query = query_of(rows, at)
            monkeypatch.setattr(fused, "_SHORTLIST", 1024)
            everybody = engine.search(index, query, k=299, where=where, second=look)
            refinement = Refinement.of(look, engine.calibration, query, Reference.of(index))
            scores = {}
            for match in everybody.matches:
                one = match.evidence
                side = refinement.yardsticks.own_camera if match.camera_id == query.camera_id else None
                said = engine.calibration.visual_llr(
                    look.distances(np.array([match.tracklet_no])), side or refinement.yardsticks.elsewhere
                )[0]
                scores[match.tracklet_no] = (one.visual_log_odds + said) / 2 + (one.time_log_odds or 0.0)
            assert list(scores) == sorted(scores, key=lambda no: -scores[no])
            monkeypatch.setattr(fused, "_SHORTLIST", shortlist)
            monkeypatch.setattr(fused, "_SHORTLIST_FOR_EACH", 2)
            few = engine.search(index, query, k=7, where=where, second=look)
            assert [match.tracklet_no for match in few.matches] == list(scores)[:7]
            assert few.reranked


def test_probabilities_stay_and_the_plain_rank_is_told():
    rows = rows_of(120)
    index = FlatIndex(DIM)
    index.add(rows)
    engine, query = FusedSearch(a_calibration(), a_transit_model(*CAMERAS)), query_of(rows, 3)
    plain = engine.search(index, query, k=119, where=EVERYTHING)
    look = TableLook(rows, np.linspace(1.2, 0.1, 120))
    again = engine.search(index, query, k=119, where=EVERYTHING, second=look)
    assert not plain.reranked
    ranks = {match.tracklet_no: match.rank for match in plain.matches}
    odds = {match.tracklet_no: match.evidence.probability for match in plain.matches}
    assert [match.tracklet_no for match in again.matches] != list(ranks)
    for match in again.matches:
        assert match.evidence.plain_rank == ranks[match.tracklet_no]
        assert match.evidence.probability == odds[match.tracklet_no]
        assert match.evidence.refined_distance == pytest.approx(look.table[match.tracklet_no])
    assert (
        look.heard.tracklet_nos.tolist()
        == index.nearest(
            query.vector, 476, where=SearchFilter(exclude_tracklet_nos=query.exclude_tracklet_nos)
        ).tracklet_nos.tolist()
    )


def test_who_is_not_known_to_the_second_look_keeps_its_place():
    rows = rows_of(60)
    index = FlatIndex(DIM)
    index.add(rows)
    engine, query = FusedSearch(a_calibration()), query_of(rows, 3)
    look = TableLook(rows, np.full(60, 0.7), unknown=range(20, 61))
    found = {
        match.tracklet_no: match for match in engine.search(index, query, k=59, where=EVERYTHING, second=look).matches
    }
    assert found[40].evidence.refined_distance is None
    assert found[40].evidence.plain_rank is None
    assert found[10].evidence.refined_distance == pytest.approx(0.7)


@pytest.mark.parametrize("unknown", [range(1, 13), range(2, 13)])
def test_nobody_to_measure_by_means_no_second_look(unknown):
    rows = rows_of(12)
    index = FlatIndex(DIM)
    index.add(rows)
    engine, query = FusedSearch(a_calibration()), query_of(rows, 3)
    found = engine.search(index, query, k=5, where=EVERYTHING, second=TableLook(rows, np.ones(12), unknown=unknown))
    assert not found.reranked
    plain = engine.search(index, query, k=5, where=EVERYTHING)
    assert [match.tracklet_no for match in found.matches] == [match.tracklet_no for match in plain.matches]
