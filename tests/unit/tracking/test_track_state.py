"""Which state follows which."""

from __future__ import annotations

import numpy as np

from reid_core.tracking.frame_pairs import FramePairs
from reid_core.tracking.track_state import TrackState, TrackTable

NOBODY = np.zeros(0, np.intp)


def table(count: int = 1, *, confirmed: bool = False) -> TrackTable:
    made = TrackTable(first_track_id=5)
    made.add(count)
    made.confirm(ready=np.full(count, confirmed))
    return made


def test_a_new_track_is_tentative_and_without_id():
    made = table()
    assert made.state.tolist() == [TrackState.TENTATIVE]
    assert made.ids.tolist() == [0]
    assert made.next_id == 5


def test_ids_are_given_at_confirmation_in_order_of_rows():
    made = table(3)
    made.confirm(ready=np.array([True, False, True]))
    assert made.ids.tolist() == [5, 0, 6]
    assert made.next_id == 7


def test_a_missed_tentative_track_is_over():
    made = table()
    made.mark(NOBODY)
    assert made.over(patience=30).tolist() == [True]


def test_a_confirmed_track_is_lost_at_a_miss_and_confirmed_when_seen_again():
    made = table(confirmed=True)
    made.mark(NOBODY)
    assert made.is_lost.tolist() == [True]
    made.mark(np.array([0]))
    assert made.is_confirmed.tolist() == [True]
    assert made.ids.tolist() == [5]


def test_a_lost_track_is_over_when_patience_ends():
    made = table(confirmed=True)
    over = []
    for _ in range(4):
        made.mark(NOBODY)
        over.append(bool(made.over(patience=3)[0]))
    assert over == [False, False, False, True]


def test_confirming_again_changes_no_id():
    made = table(confirmed=True)
    made.confirm(ready=np.array([True]))
    assert made.ids.tolist() == [5]


def test_a_forgotten_track_leaves_the_others():
    made = table(2, confirmed=True)
    made.keep(np.array([False, True]))
    assert made.ids.tolist() == [6]
    assert len(made) == 1


def test_pairs_remember_what_is_taken():
    pairs = FramePairs(3, 4)
    pairs.enter(np.array([2]), np.array([1]))
    assert pairs.rows().tolist() == [2]
    assert pairs.free_rows().tolist() == [0, 1]
    assert pairs.are_free(np.array([0, 1, 3])).tolist() == [True, False, True]
