from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reid_core.evaluation.inspection import Searches, inspect_searches, queries_to_inspect
from reid_core.metrics.junk import JunkRule, SameCamera
from reid_core.metrics.ranking import evaluate_ranking

# One query of person 1 at camera a. Nearest first: own camera (junk), wrong at b, right at b, right at c, wrong at c.
PEOPLE = np.array([1, 1, 2, 1, 3])
CAMERAS = np.array(["a", "b", "b", "c", "c"])
DISTANCES = np.array([[0.0, 0.2, 0.1, 0.3, 0.4]], np.float32)


def searches(
    distances: np.ndarray, people: np.ndarray, cameras: np.ndarray, query_people: np.ndarray, query_cameras: np.ndarray
) -> Searches:
    return Searches(
        distances=lambda start, stop: distances[start:stop],
        rule=JunkRule(query_people, people, query_cameras, cameras),
        query_rows=1000 + np.arange(len(distances)),
        gallery_rows=10 * np.arange(len(people)),
        query_cameras=query_cameras,
        gallery_cameras=cameras,
    )


ONE = searches(DISTANCES, PEOPLE, CAMERAS, np.array([1]), np.array(["a"]))


def test_list_is_shown_without_junk_and_with_its_verdicts():
    shown = inspect_searches(ONE).queries[0]
    assert (shown.row, shown.first_rank, shown.matches) == (1000, 2, 2)
    assert shown.precision == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert [(answer.row, answer.is_right) for answer in shown.answers] == [
        (20, False),
        (10, True),
        (30, True),
        (40, False),
    ]
    assert shown.answers[0].distance == pytest.approx(0.1)


def test_camera_pairs_are_worked_by_hand():
    pairs = inspect_searches(ONE).pairs
    assert pairs is not None
    assert pairs.cameras == ("a", "b", "c")
    assert pairs.queries.tolist() == [[0, 1, 1], [0, 0, 0], [0, 0, 0]]
    assert pairs.mean_precision[0, 1:].tolist() == [0.5, 1.0]  # second of two at b, first of two at c
    assert pairs.rank1[0, 1:].tolist() == [0.0, 1.0]
    assert np.isnan(pairs.mean_precision[1:]).all()


def test_precision_falls_with_recall_and_takes_the_best_beyond():
    # Precision is 1/2 at the first match and 2/3 at the second: the better one holds for both.
    assert inspect_searches(ONE).precision.tolist() == pytest.approx([2 / 3] * 101)
    ranked = replace(ONE, distances=lambda _start, _stop: np.array([[0.0, 0.1, 0.2, 0.3, 0.4]], np.float32))
    precision = inspect_searches(ranked).precision  # ranks 1 and 3
    assert precision[:51].tolist() == [1.0] * 51
    assert precision[51:].tolist() == pytest.approx([2 / 3] * 50)


def test_similarities_leave_junk_out_and_auc_counts_pairs():
    similarities = inspect_searches(ONE).similarities
    assert sorted(similarities.same.tolist()) == pytest.approx([0.2, 0.3])
    assert sorted(similarities.different.tolist()) == pytest.approx([0.1, 0.4])
    assert similarities.auc == pytest.approx(2 / 4)  # each match is nearer than 0.4 and farther than 0.1


def test_equal_distances_count_half():
    tied = replace(ONE, distances=lambda _start, _stop: np.full((1, 5), 0.5, np.float32))
    assert inspect_searches(tied).similarities.auc == 0.5
    assert [answer.row for answer in inspect_searches(tied).queries[0].answers] == [10, 20, 30, 40]


def crowd(seed: int, queries: int = 70, gallery: int = 400) -> tuple[Searches, tuple[np.ndarray, ...]]:
    rng = np.random.default_rng(seed)
    people = np.concatenate([np.arange(1, 31), np.arange(1, 31), rng.integers(0, 31, gallery - 60)])
    cameras = np.concatenate([["a"] * 30, ["b"] * 30, rng.choice(list("abcd"), gallery - 60)])
    asking, asking_cameras = rng.integers(1, 31, queries), rng.choice(list("ab"), queries)
    distances = np.round(rng.random((queries, gallery)), 2).astype(np.float32)
    arrays = (distances, people, cameras, asking, asking_cameras)
    return searches(*arrays), arrays


@pytest.mark.parametrize("seed", range(3))
def test_lists_agree_with_the_scores(seed: int):
    some, (distances, people, cameras, asking, asking_cameras) = crowd(seed)
    scores = evaluate_ranking(
        distances, query_ids=asking, gallery_ids=people, query_cameras=asking_cameras, gallery_cameras=cameras
    )
    found = inspect_searches(some)
    assert [query.precision for query in found.queries] == pytest.approx(scores.precisions.tolist())
    assert [query.first_rank for query in found.queries] == scores.first_ranks.tolist()
    for query in found.queries:
        right = [rank for rank, answer in enumerate(query.answers, start=1) if answer.is_right]
        assert (right[0] if right else None) == (query.first_rank if query.first_rank <= 10 else None)


def test_a_pair_of_cameras_is_a_ranking_of_its_own():
    some, (distances, people, cameras, asking, asking_cameras) = crowd(4)
    pairs = inspect_searches(some).pairs
    assert pairs is not None
    rows, there = np.flatnonzero(asking_cameras == "a"), np.flatnonzero(cameras == "b")
    alone = evaluate_ranking(
        distances[np.ix_(rows, there)],
        query_ids=asking[rows],
        gallery_ids=people[there],
        query_cameras=asking_cameras[rows],
        gallery_cameras=cameras[there],
    )
    assert pairs.mean_precision[0, 1] == pytest.approx(alone.map_rectangle)
    assert pairs.rank1[0, 1] == pytest.approx(alone.rank(1))
    assert pairs.queries[0, 1] == len(alone.queries)


def test_order_of_the_gallery_changes_no_figure():
    _, (_, people, cameras, asking, asking_cameras) = crowd(5)
    distances = np.random.default_rng(6).permuted(np.arange(70 * 400, dtype=np.float32).reshape(70, 400), axis=1)
    order = np.random.default_rng(7).permutation(400)
    first = inspect_searches(searches(distances, people, cameras, asking, asking_cameras))
    again = inspect_searches(searches(distances[:, order], people[order], cameras[order], asking, asking_cameras))
    assert first.precision == pytest.approx(again.precision)
    assert first.similarities.auc == pytest.approx(again.similarities.auc)
    assert [query.precision for query in first.queries] == [query.precision for query in again.queries]


def test_whole_camera_may_be_junk():
    rule = JunkRule(np.array([1]), PEOPLE, np.array(["b"]), CAMERAS, SameCamera.EVERYBODY)
    shown = inspect_searches(replace(ONE, rule=rule)).queries[0]
    assert [answer.row for answer in shown.answers] == [0, 30, 40]


def test_large_galleries_are_thinned_evenly():
    values = np.arange(5002, dtype=np.float32)[None] / 5002
    people = np.array([1] + [2] * 5001)
    found = inspect_searches(searches(values, people, np.array(["b"] * 5002), np.array([1]), np.array(["a"])))
    assert len(found.similarities.different) == 500
    assert found.similarities.auc == 1
    assert np.diff(np.sort(found.similarities.different)).max() < 0.003


def test_many_cameras_are_not_told_apart():
    assert inspect_searches(ONE, most_cameras=2).pairs is None


def test_as_many_cameras_as_pictures_need_no_table_of_pairs():
    # LaST: every picture is its own camera; a table of pairs would take hundreds of gigabytes.
    count = 60_000
    people = np.append([1], np.full(count - 1, 2))
    values = np.arange(count, dtype=np.float32)[None]
    found = inspect_searches(searches(values, people, np.arange(count).astype(str), np.array([1]), np.array(["x"])))
    assert found.pairs is None
    assert len(found.similarities.different) == 500


def test_query_without_a_match_and_no_query_are_refused():
    lonely = searches(DISTANCES, PEOPLE, CAMERAS, np.array([8]), np.array(["a"]))
    with pytest.raises(ValueError, match="query 1000 has no true match"):
        inspect_searches(lonely)
    nobody = searches(DISTANCES[:0], PEOPLE, CAMERAS, np.zeros(0, np.int64), np.zeros(0, np.str_))
    with pytest.raises(ValueError, match="no query"):
        inspect_searches(nobody)


def test_few_queries_are_all_inspected():
    assert queries_to_inspect(np.array([4, 7]), at_most=2).tolist() == [4, 7]
