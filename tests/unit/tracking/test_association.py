"""Fit of boxes, assignment under a limit, and the columns that leave a doubt."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reid_core.tracking.association import assign, box_fit, contested_columns, grow_boxes


def test_fit_is_overlap_times_common_height():
    """Half the area and half the height: 1/2 * 1/2; beside one another at full height: 1/3 * 1."""
    expected = np.array([[0.0, 0.0, 10.0, 20.0]])
    detected = np.array([[0.0, 0.0, 10.0, 10.0], [5.0, 0.0, 15.0, 20.0], [50.0, 0.0, 60.0, 20.0]])
    np.testing.assert_allclose(box_fit(expected, detected), [[0.25, 1 / 3, 0.0]])


def test_grown_boxes_meet_where_plain_ones_do_not():
    left, right = np.array([[0.0, 0.0, 10.0, 20.0]]), np.array([[12.0, 0.0, 22.0, 20.0]])
    assert box_fit(left, right)[0, 0] == 0
    # grown by a quarter: 15 x 30 each, common 3 x 30
    np.testing.assert_allclose(box_fit(left, right, margin=0.25), [[90 / (2 * 450 - 90)]])


def test_fit_keeps_the_shape_of_empty_inputs():
    some, none = np.array([[0.0, 0.0, 1.0, 1.0]]), np.zeros((0, 4))
    assert box_fit(some, none).shape == (1, 0)
    assert box_fit(none, some).shape == (0, 1)


def test_fit_is_the_same_at_any_scale():
    random = np.random.default_rng(5)
    corners = random.uniform(0, 50, (6, 2))
    boxes = np.concatenate([corners, corners + random.uniform(5, 60, (6, 2))], axis=1)
    np.testing.assert_allclose(
        box_fit(boxes[:3], boxes[3:], margin=0.2), box_fit(7 * boxes[:3], 7 * boxes[3:], margin=0.2)
    )


def test_growing_by_nothing_changes_nothing():
    box = np.array([[1.0, 2.0, 5.0, 9.0]])
    np.testing.assert_array_equal(grow_boxes(box, 0.0), box)


def test_two_boxes_that_cross_keep_their_own_detection():
    """Greedy would give the first track its best detection and leave the second with nothing: 0.1 + none."""
    cost = np.array([[0.1, 0.2], [0.15, 0.9]])
    found = assign(cost, limit=0.8)
    assert found.rows.tolist() == [0, 1]
    assert found.columns.tolist() == [1, 0]


def test_a_pair_at_the_limit_stays_apart():
    found = assign(np.array([[0.9]]), limit=0.8)
    assert len(found.rows) == 0
    assert found.free_rows.tolist() == [0]
    assert found.free_columns.tolist() == [0]


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (2, 0)])
def test_empty_sides_leave_the_other_free(shape: tuple[int, int]):
    found = assign(np.zeros(shape), limit=1.0)
    assert (len(found.rows), len(found.free_rows), len(found.free_columns)) == (0, *shape)


def test_impossible_pairs_may_be_infinite():
    found = assign(np.array([[np.inf, 0.3], [np.inf, 0.2]]), limit=0.8)
    assert found.rows.tolist() == [1]
    assert found.free_columns.tolist() == [0]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 4), columns=st.integers(1, 4))
def test_no_other_assignment_is_cheaper(seed: int, rows: int, columns: int):
    cost, limit = np.random.default_rng(seed).random((rows, columns)), 0.6
    found = assign(cost, limit=limit)
    gained = (limit - cost[found.rows, found.columns]).sum()
    wide = np.concatenate([cost, np.full((rows, rows), limit)], axis=1)
    best = max(
        sum(max(limit - wide[r, c], 0.0) for r, c in enumerate(p)) for p in permutations(range(columns + rows), rows)
    )
    assert gained == pytest.approx(best)


def test_a_lone_clear_pair_is_not_contested():
    assert contested_columns(np.array([[0.1, 0.9], [0.9, 0.2]]), limit=0.8, doubtful=0.5).tolist() == []


def test_a_lone_pair_is_contested_where_it_fits_badly():
    assert contested_columns(np.array([[0.6, 0.9]]), limit=0.8, doubtful=0.5).tolist() == [0]
