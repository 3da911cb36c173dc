from __future__ import annotations

import numpy as np
import pytest

from reid_core.metrics.ranked_matches import match_ranks
from reid_core.metrics.ranking import (
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
    matches = np.array([False, True, False, False, True])
    assert match_ranks(distances, matches=matches, kept=np.ones(5, bool)).tolist() == [3, 5]
    kept = np.array([False, True, True, True, True])
    assert match_ranks(distances, matches=matches, kept=kept).tolist() == [2, 4]


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
