from __future__ import annotations

import numpy as np
import pytest

from reid_core.evaluation.query_choice import spread_of_queries
from reid_core.evaluation.stored_site import NOBODY, identify, score_retrieval, trackable_truth
from reid_core.metrics.mot_boxes import DISTRACTOR, PEDESTRIAN, MotBoxes
from reid_core.metrics.tracking import evaluate_tracking

LEFT, RIGHT = [0.0, 0.0, 40.0, 100.0], [200.0, 0.0, 240.0, 100.0]
NOWHERE = [400.0, 0.0, 440.0, 100.0]


def two_people(frames: int = 10) -> MotBoxes:
    """Person 1 stands left, person 2 right."""
    return MotBoxes.of(
        np.repeat(np.arange(1, frames + 1), 2), np.tile([1, 2], frames), np.tile([LEFT, RIGHT], (frames, 1))
    )


def shown(boxes: list[list[float]]):
    return identify(np.arange(1, len(boxes) + 1), np.array(boxes), two_people())


def test_tracklet_on_one_person_shows_that_person():
    truth = shown([RIGHT] * 10)
    assert (truth.person_id, truth.purity, truth.covered) == (2, 1, 1)


def test_four_fifths_are_pure_enough():
    assert shown([LEFT] * 8 + [RIGHT] * 2).person_id == 1


def test_less_than_four_fifths_is_a_distractor():
    truth = shown([LEFT] * 7 + [RIGHT] * 3)
    assert (truth.person_id, truth.purity) == (NOBODY, 0.7)


def test_boxes_on_nobody_do_not_count_against_purity():
    truth = shown([LEFT] * 6 + [NOWHERE] * 4)
    assert (truth.person_id, truth.purity, truth.covered) == (1, 1, 0.6)


def test_mostly_on_nobody_is_a_distractor():
    assert shown([LEFT] * 4 + [NOWHERE] * 6).person_id == NOBODY


def test_overlap_below_a_half_is_nobody():
    # 40 wide, shifted by 14: IoU = 26 / 54 < 0.5; shifted by 13: 27 / 53 > 0.5
    assert shown([[14.0, 0.0, 54.0, 100.0]] * 10).covered == 0
    assert shown([[13.0, 0.0, 53.0, 100.0]] * 10).covered == 1


def test_frames_without_truth_show_nobody():
    assert identify(np.arange(50, 60), np.array([LEFT] * 10), two_people()).person_id == NOBODY
    assert identify(np.arange(1, 3), np.array([LEFT] * 2), MotBoxes.none()).person_id == NOBODY


@pytest.mark.parametrize("rows", [([2, 1], [1, 1]), ([1, 2], [0, 1])])
def test_truth_out_of_order_or_with_person_zero_is_refused(rows):
    with pytest.raises(ValueError, match="sorted by frame"):
        identify(np.array([1]), np.array([LEFT]), MotBoxes.of(*rows, [LEFT, LEFT]))


def unit(*angles_deg: float):
    angles = np.deg2rad(angles_deg)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_retrieval_by_hand():
    # degrees: person 1 at a (0) and b (20), person 2 at a (5) and b (12), a distractor at b (90), person 3 at a only
    vectors = unit(0, 20, 5, 12, 90, 45)
    scores = score_retrieval(vectors, np.array([1, 1, 2, 2, NOBODY, 3]), ["a", "b", "a", "b", "b", "a"])
    # a1 -> b: 2 (12), 1 (20), junk (90): 1/2 | b1 -> a: 2 (15), 1 (20), 3 (25): 1/2
    # a2 -> b: 2 (7) first: 1 | b2 -> a: 2 (7) first: 1
    assert scores.ranking is not None
    assert scores.ranking.queries.tolist() == [0, 1, 2, 3]
    assert scores.ranking.precisions.tolist() == [0.5, 0.5, 1, 1]
    figures = scores.as_dict()
    assert (figures["rank1"], figures["map"], figures["map_trapezoid"]) == (0.5, 0.75, pytest.approx(0.625))
    counts = [figures[name] for name in ("queries", "skipped", "tracklets", "people", "distractors")]
    assert counts == [4, 1, 6, 3, 1]


def test_nobody_at_two_cameras_leaves_no_score():
    figures = score_retrieval(unit(0, 20), np.array([1, 2]), ["a", "b"]).as_dict()
    assert (figures["rank1"], figures["map"], figures["queries"], figures["skipped"]) == (None, None, 0, 2)


def test_a_site_without_tracklets_leaves_no_score():
    assert score_retrieval(np.zeros((0, 2), np.float32), np.zeros(0, np.int64), []).ranking is None


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="2 vectors, 1 people and 2 cameras"):
        score_retrieval(unit(0, 20), np.array([1]), ["a", "b"])


def test_order_of_tracklets_does_not_matter():
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(60, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    people, cameras = rng.integers(0, 9, 60), rng.choice(["a", "b", "c"], 60)
    order = rng.permutation(60)
    first = score_retrieval(vectors, people, cameras).as_dict()
    assert score_retrieval(vectors[order], people[order], cameras[order]).as_dict() == pytest.approx(first)


def test_hidden_and_tiny_people_are_neither_right_nor_wrong():
    truth = MotBoxes.of([1, 1, 1], [1, 2, 3], [LEFT, RIGHT, [500, 0, 515, 39]], visibility=[1.0, 0.2, 1.0])
    marked = trackable_truth(truth)
    assert marked.classes.tolist() == [PEDESTRIAN, DISTRACTOR, DISTRACTOR]
    figures = evaluate_tracking(marked, MotBoxes.of([1, 1], [7, 8], [LEFT, RIGHT])).as_dict()
    assert (figures["GT"], figures["FP"], figures["FN"]) == (1, 0, 0)


def test_shown_queries_are_spread_over_different_people():
    precisions = np.linspace(0, 1, 21)
    people = np.arange(21)
    assert spread_of_queries(precisions, people) == [18, 14, 10, 6, 2]
    people[14] = 18
    assert spread_of_queries(precisions, people) == [18, 15, 10, 6, 2]


def test_few_people_make_a_short_choice():
    assert spread_of_queries(np.array([0.5, 0.6, 0.7]), np.array([4, 4, 5])) == [2, 1]
    assert spread_of_queries(np.zeros(0), np.zeros(0, np.int64)) == []


def test_choice_needs_a_person_for_each_precision():
    with pytest.raises(ValueError, match="do not fit"):
        spread_of_queries(np.zeros(2), np.zeros(1, np.int64))
