"""What the scoring of a dataset refuses, and that blocks and progress change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dataset_layouts
import numpy as np
import pytest
from protocol_scores import records, score, scores_of

from reid_core.errors import DatasetError
from reid_core.evaluation.datasets.dataset import ReidDataset, ReidRecord, Split
from reid_core.evaluation.datasets.registry import read_dataset
from reid_core.evaluation.feature_files import Distance
from reid_core.evaluation.protocols import protocol_of, queries_of, scored_records, trials_of
from reid_core.evaluation.ranking_report import report_ranking

if TYPE_CHECKING:
    from pathlib import Path


def test_clothes_must_be_labelled_where_they_matter():
    dataset = ReidDataset.of_parts("ltcc", train=[], query=records((1, "a")), gallery=records((1, "b"), name="g"))
    with pytest.raises(DatasetError, match="ltcc, cloth_changing: clothes are not labelled"):
        score(dataset, {"r": 0, "g": 0})


def test_ids_that_never_match_are_refused():
    dataset = ReidDataset.of_parts("last", train=[], query=records((1, "a")), gallery=records((2, "b"), name="g"))
    with pytest.raises(DatasetError, match="last, standard: none of 1 queries has a true match"):
        score(dataset, {"r": 0, "g": 0})


def test_a_query_that_shows_nobody_is_refused():
    dataset = ReidDataset.of_parts("last", train=[], query=records((0, "a")), gallery=records((2, "b"), name="g"))
    with pytest.raises(DatasetError, match="the query r0 shows nobody"):
        trials_of(dataset, protocol_of("last")[0])


def test_nobody_left_to_ask_or_to_answer_is_refused():
    junk = ReidDataset.of_parts("last", train=[], query=records((1, "a")), gallery=records((-1, "b"), name="g"))
    with pytest.raises(DatasetError, match="last, standard: 1 queries, 0 gallery entries"):
        trials_of(junk, protocol_of("last")[0])
    from_a = ReidDataset.of_parts("prcc", train=[], query=records((1, "A")), gallery=records((1, "A"), name="g"))
    with pytest.raises(DatasetError, match="prcc, cloth_changing: 0 queries, 1 gallery entries"):
        trials_of(from_a, protocol_of("prcc")[0])


def test_features_must_be_of_the_records_that_are_scored():
    dataset = ReidDataset.of_parts("last", train=[], query=records((1, "a")), gallery=records((1, "b"), name="g"))
    with pytest.raises(ValueError, match="3 features for 2 positions"):
        report_ranking(dataset, np.zeros((3, 2), np.float32), np.array([0, 1]))
    with pytest.raises(ValueError, match="some records that are scored are missing"):
        report_ranking(dataset, np.zeros((1, 2), np.float32), np.array([0]))


def test_overflowing_distances_are_refused_not_scored():
    dataset = ReidDataset.of_parts(
        "last", train=[], query=records((1, "a")), gallery=records((1, "b"), (2, "b"), name="g")
    )
    features = np.array([[3e38], [3e38], [-3e38]], np.float32)
    with pytest.raises(DatasetError, match="not numbers"):
        report_ranking(dataset, features, np.arange(3), distance=Distance.EUCLIDEAN)


def test_euclidean_distances_far_from_zero_keep_small_differences():
    gallery = records((2, "b"), (1, "b"), name="g")
    dataset = ReidDataset.of_parts("last", train=[], query=records((1, "a")), gallery=gallery)
    report = score(dataset, {"r0": 10_000, "g0": 10_002, "g1": 10_001})
    assert scores_of(report).first_ranks.tolist() == [1]


def test_progress_tells_every_query_of_every_trial(tmp_path: Path):
    dataset = read_dataset("prcc", dataset_layouts.prcc(tmp_path))
    positions = scored_records(dataset)
    told: list[int] = []
    features = np.ones((len(positions), 2), np.float32)
    report_ranking(dataset, features, positions, on_progress=told.append)
    assert sum(told) == queries_of(dataset) == (10 + 10 + 1 + 1) * 4


def test_blocks_of_queries_equal_one_matrix():
    rng = np.random.default_rng(0)
    people = rng.integers(1, 30, 700)
    held = [ReidRecord(f"{n}", int(person), str(n % 4)) for n, person in enumerate(people)]
    order = rng.permutation(700)  # queries and gallery interleaved: gathered, not viewed
    dataset = ReidDataset("market1501", tuple(held), (Split.of((), order[:300].tolist(), order[300:].tolist()),))
    features = rng.normal(size=(700, 8)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    scores = scores_of(report_ranking(dataset, features, np.arange(700)))
    query, gallery = dataset.splits[0].query, dataset.splits[0].gallery
    ranked = np.argsort(1 - features[query[0]] @ features[gallery].T, kind="stable")
    kept = [at for at in gallery[ranked] if people[at] != people[query[0]] or at % 4 != query[0] % 4]
    places = np.flatnonzero(people[kept] == people[query[0]]) + 1
    assert scores.precisions[0] == pytest.approx(np.mean(np.arange(1, len(places) + 1) / places))
