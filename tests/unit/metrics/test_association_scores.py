"""Precision and recall of associated pairs."""

from __future__ import annotations

import numpy as np
import pytest

from reid_core.metrics.association import score_association

PEOPLE = np.array([7, 7, 7, 8, 8, 0, 0])
CAMERAS = np.array([0, 1, 1, 0, 1, 0, 1])


def test_a_broken_track_costs_recall_of_pairs_but_not_of_links():
    """Person 7 is in two pieces at camera 1: three true pairs, two links. Found: 7 once, 8 not, one wrong pair."""
    scores = score_association(np.array([0, 3]), np.array([1, 6]), person_ids=PEOPLE, cameras=CAMERAS)
    assert scores.as_dict() == {"precision": 0.5, "recall": pytest.approx(1 / 3), "link_recall": 0.5, "pairs": 2}


def test_a_pair_of_distractors_is_wrong():
    assert score_association(np.array([5]), np.array([6]), person_ids=PEOPLE, cameras=CAMERAS).pairs.precision == 0.0


def test_no_pairs_have_no_precision_and_no_recall():
    none = np.zeros(0, np.int64)
    scores = score_association(none, none, person_ids=PEOPLE, cameras=CAMERAS)
    assert scores.as_dict() == {"precision": 0.0, "recall": 0.0, "link_recall": 0.0, "pairs": 0}


def test_nobody_at_all_is_scored_as_nothing():
    none = np.zeros(0, np.int64)
    assert score_association(none, none, person_ids=none, cameras=none).true_links == 0


def test_sides_may_be_exchanged():
    forth = score_association(np.array([0, 3]), np.array([1, 4]), person_ids=PEOPLE, cameras=CAMERAS)
    back = score_association(np.array([1, 3]), np.array([0, 4]), person_ids=PEOPLE, cameras=CAMERAS)
    assert forth == back


@pytest.mark.parametrize(
    ("rows_a", "rows_b", "message"),
    [([0], [1, 2], "1 and 2 rows"), ([0, 1], [1, 0], "occurs twice"), ([1], [2], "of one camera")],
)
def test_what_is_no_set_of_pairs_is_refused(rows_a: list[int], rows_b: list[int], message: str):
    with pytest.raises(ValueError, match=message):
        score_association(np.array(rows_a), np.array(rows_b), person_ids=PEOPLE, cameras=CAMERAS)
