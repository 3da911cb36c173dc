from __future__ import annotations

import numpy as np
import pytest

from reid_core.metrics.ranked_matches import ranks_at
from reid_core.metrics.ranking import (
    Clothes,
    SameCamera,
    average_precision,
    average_precision_trapezoid,
    cmc,
    evaluate_ranking,
)

PIDS = np.array([3, 7, 9, 7, 7, 1])
NO_JUNK = np.zeros(6, bool)


def scored(
    distances, query_ids=(7,), gallery_ids=(7, 3, 7, 7), query_cameras=(1,), gallery_cameras=(1, 2, 2, 3), **kwargs
):
    return evaluate_ranking(
        np.asarray(distances, float) if not callable(distances) else distances,
        query_ids=np.array(query_ids),
        gallery_ids=np.array(gallery_ids),
        query_cameras=np.array(query_cameras),
        gallery_cameras=np.array(gallery_cameras),
        **kwargs,
    )


def stepwise(pids, query_pid, *, trapezoid):
    """The authors' loop, spelt out."""
    hits, total, precision_before, found = 0.0, np.count_nonzero(pids == query_pid), 1.0, 0
    for place, pid in enumerate(pids, start=1):
        found += int(pid == query_pid)
        precision = found / place
        if pid == query_pid:
            hits += (precision_before + precision) / 2 if trapezoid else precision
        precision_before = precision
    return hits / total


def test_both_definitions_by_hand():
    # true matches at ranks 2, 4, 5: rectangles (1/2 + 2/4 + 3/5) / 3; trapezoids add the precision one place before.
    assert average_precision(PIDS, 7, junk=NO_JUNK) == pytest.approx((1 / 2 + 2 / 4 + 3 / 5) / 3)
    by_hand = ((0 + 1 / 2) / 2 + (1 / 3 + 2 / 4) / 2 + (2 / 4 + 3 / 5) / 2) / 3
    assert average_precision_trapezoid(PIDS, 7, junk=NO_JUNK) == pytest.approx(by_hand)


def test_a_match_at_the_top_is_perfect_in_both():
    top = np.array([7, 7, 3])
    junk = np.zeros(3, bool)
    assert average_precision(top, 7, junk=junk) == average_precision_trapezoid(top, 7, junk=junk) == 1


def test_junk_is_removed_and_not_a_miss():
    junk = np.array([True, False, False, False, False, False])
    assert average_precision(PIDS, 7, junk=junk) == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)


@pytest.mark.parametrize("seed", range(20))
def test_both_definitions_equal_the_loop_and_trapezoids_are_never_higher(seed):
    pids = np.random.default_rng(seed).integers(1, 5, 30)
    junk = np.zeros(30, bool)
    rectangle, trapezoid = average_precision(pids, 2, junk=junk), average_precision_trapezoid(pids, 2, junk=junk)
    assert rectangle == pytest.approx(stepwise(pids, 2, trapezoid=False))
    assert trapezoid == pytest.approx(stepwise(pids, 2, trapezoid=True))
    assert trapezoid <= rectangle


def test_ranking_without_a_match_is_refused():
    with pytest.raises(ValueError, match="person 8 has no true match"):
        average_precision(PIDS, 8, junk=NO_JUNK)


def test_lists_of_different_length_are_refused():
    with pytest.raises(ValueError, match="one length"):
        average_precision(PIDS, 7, junk=np.zeros(5, bool))


def test_curve_needs_queries():
    with pytest.raises(ValueError, match="0 queries"):
        cmc(np.zeros(0, np.int64), max_rank=5)


def test_equal_distances_rank_by_gallery_position():
    distances = np.array([0.5, 0.5, 0.1, 0.5, 0.5])
    assert ranks_at(distances, np.array([1, 4])).tolist() == [3, 5]
    scores = scored([distances], gallery_ids=(-1, 7, 9, 9, 7), gallery_cameras=(2, 2, 2, 2, 2))
    assert scores.map_rectangle == pytest.approx((1 / 2 + 2 / 4) / 2)


def test_own_person_at_own_camera_is_junk():
    scores = scored([[0.0, 0.1, 0.2, 0.3]])
    assert scores.map_rectangle == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert scores.map_trapezoid == pytest.approx((1 / 4 + (1 / 2 + 2 / 3) / 2) / 2)
    assert (scores.rank(1), scores.rank(2), scores.rank(99)) == (0, 1, 1)
    assert scores.minp == pytest.approx(2 / 3)


def test_whole_own_camera_is_dropped_on_wish():
    cameras = {"gallery_cameras": (1, 1, 2, 3)}
    assert scored([[0.0, 0.1, 0.2, 0.3]], **cameras).map_rectangle == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert scored([[0.0, 0.1, 0.2, 0.3]], **cameras, same_camera=SameCamera.EVERYBODY).map_rectangle == 1


CLOTHES = {"query_clothes": np.array(["a"]), "gallery_clothes": np.array(["a", "x", "a", "b"])}


def test_own_person_in_the_same_clothes_is_junk_where_only_changed_clothes_count():
    # Gallery by distance: 7 here, 3, 7 in "a", 7 in "b". Left are 3 and the last: the match stands at rank 2.
    scores = scored([[0.0, 0.1, 0.2, 0.3]], **CLOTHES, clothes=Clothes.CHANGED)
    assert (scores.map_rectangle, scores.map_trapezoid, scores.rank(1)) == (1 / 2, 1 / 4, 0)


def test_own_person_in_other_clothes_is_junk_where_only_the_same_clothes_count():
    scores = scored([[0.0, 0.1, 0.2, 0.3]], **CLOTHES, clothes=Clothes.SAME)
    assert (scores.map_rectangle, scores.minp) == (1 / 2, 1 / 2)


def test_a_stranger_in_the_same_clothes_stays_in_the_gallery():
    clothes = {"query_clothes": np.array(["a"]), "gallery_clothes": np.array(["a", "a", "a", "b"])}
    assert scored([[0.0, 0.1, 0.2, 0.3]], **clothes, clothes=Clothes.CHANGED).rank(1) == 0


def naive(distances, ids, cameras, clothes, query):
    """One ranking written out: rectangle AP, trapezoid AP, mINP, first rank; None without a match."""
    query_id, camera, outfit = query
    order = sorted(range(len(ids)), key=lambda at: (distances[at], at))
    kept = [at for at in order if ids[at] != -1]
    kept = [at for at in kept if ids[at] != query_id or (cameras[at] != camera and clothes[at] != outfit)]
    ranked = np.array([ids[at] for at in kept])
    if query_id not in ranked:
        return None
    ranks = np.flatnonzero(ranked == query_id) + 1
    whole = (stepwise(ranked, query_id, trapezoid=False), stepwise(ranked, query_id, trapezoid=True))
    return (*whole, len(ranks) / ranks[-1], ranks[0])


@pytest.mark.parametrize("seed", range(10))
def test_every_query_equals_the_ranking_written_out_with_ties_junk_and_clothes(seed):
    rng = np.random.default_rng(seed)
    distances = rng.integers(0, 12, (12, 40)) / 8  # many ties
    ids, cameras, clothes = rng.integers(-1, 5, 40), rng.integers(0, 3, 40), rng.integers(0, 3, 40)
    queries = np.stack([rng.integers(1, 6, 12), rng.integers(0, 3, 12), rng.integers(0, 3, 12)])
    scores = scored(
        distances,
        query_ids=queries[0],
        query_cameras=queries[1],
        query_clothes=queries[2],
        gallery_ids=ids,
        gallery_cameras=cameras,
        gallery_clothes=clothes,
        clothes=Clothes.CHANGED,
    )
    expected = {row: naive(distances[row], ids, cameras, clothes, queries[:, row]) for row in range(12)}
    expected = {row: figures for row, figures in expected.items() if figures}
    assert scores.queries.tolist() == list(expected)
    assert scores.skipped == 12 - len(expected)
    got = zip(scores.precisions, scores.precisions_trapezoid, scores.inverse_penalties, scores.first_ranks, strict=True)
    assert np.array(list(got)) == pytest.approx(np.array(list(expected.values())), abs=1e-12)


def test_junk_id_is_dropped_and_distractor_stays():
    junk = scored([[0.9, 0.1, 0.2, 0.3]], gallery_ids=(7, -1, 7, 7))
    distractor = scored([[0.9, 0.1, 0.2, 0.3]], gallery_ids=(7, 0, 7, 7))
    assert (junk.map_rectangle, distractor.rank(1)) == (1, 0)


def test_query_without_a_match_is_skipped_and_counted():
    scores = scored(
        [[0.9, 0.1, 0.2, 0.3], [0.9, 0.1, 0.2, 0.3]],
        query_ids=(7, 5),
        query_cameras=(1, 1),
        gallery_cameras=(1, 2, 2, 2),
    )
    assert (scores.skipped, scores.queries.tolist()) == (1, [0])


def test_rows_may_be_made_on_demand():
    rng = np.random.default_rng(0)
    distances = rng.random((150, 40))
    ids = {"query_ids": rng.integers(1, 5, 150), "gallery_ids": rng.integers(1, 5, 40)}
    cameras = {"query_cameras": np.ones(150), "gallery_cameras": np.full(40, 2)}
    whole = scored(distances, **ids, **cameras)
    blocks = scored(lambda start, stop: distances[start:stop], **ids, **cameras)
    assert whole.map_rectangle == blocks.map_rectangle
    assert whole.precisions.tolist() == blocks.precisions.tolist()


def test_order_of_the_gallery_does_not_matter_without_ties():
    rng = np.random.default_rng(1)
    distances, ids, cameras = rng.random((20, 60)), rng.integers(0, 6, 60), rng.integers(0, 3, 60)
    queries = {"query_ids": rng.integers(1, 6, 20), "query_cameras": rng.integers(0, 3, 20)}
    order = rng.permutation(60)
    first = scored(distances, gallery_ids=ids, gallery_cameras=cameras, **queries)
    second = scored(distances[:, order], gallery_ids=ids[order], gallery_cameras=cameras[order], **queries)
    assert first.precisions == pytest.approx(second.precisions)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"gallery_cameras": (1, 2)}, "differ in length"),
        ({"query_ids": (0,)}, "must be positive"),
        ({"clothes": Clothes.CHANGED}, "needed to leave only changed clothes"),
        ({"query_clothes": np.zeros(1), "gallery_clothes": np.zeros(3)}, "ids and clothes differ in length"),
        ({"query_ids": (8,)}, "none of 1 queries"),
        ({"query_ids": (), "query_cameras": (), "distances": np.zeros((0, 4))}, "none of 0 queries"),
        ({"distances": [[0.0, 0.1, 0.2]]}, r"must have shape \(1, 4\)"),
        ({"distances": [[0.0, 0.1, 0.2, np.nan]]}, "not numbers"),
        ({"distances": lambda _start, _stop: np.zeros((1, 3))}, "must have 4 columns"),
    ],
)
def test_what_cannot_be_scored_is_refused(change, reason):
    with pytest.raises(ValueError, match=reason):
        scored(**({"distances": [[0.0, 0.1, 0.2, 0.3]]} | change))
