from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid_core.association.known_links import close_links
from reid_core.association.verdicts import as_rows, believed, chains

_PAIRS = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda pair: pair[0] < pair[1]), max_size=14, unique=True
)


def test_where_nothing_contradicts_all_is_believed():
    found = believed([("a", "b"), ("b", "c")], [("a", "d")])
    assert (found.same, found.different) == ((("a", "b"), ("b", "c")), (("a", "d"),))
    assert found.contradictions == ()


def test_nothing_said_is_nothing_believed():
    found = believed([], [])
    assert (found.same, found.different, found.contradictions) == ((), (), ())
    must, cannot = as_rows(found, {})
    assert must.shape == cannot.shape == (0, 2)


def test_of_a_contradiction_no_part_is_believed_and_what_hangs_on_it_is():
    found = believed([(1, 2), (2, 3), (3, 4)], [(1, 3), (2, 9)])
    assert (found.same, found.different) == (((3, 4),), ((2, 9),))
    assert found.contradictions == ((1, 2, 3),)


def test_every_way_around_is_left_out_not_only_the_shortest():
    found = believed([(1, 2), (2, 4), (1, 3), (3, 5), (5, 4)], [(1, 4)])
    assert (found.same, found.different) == ((), ())
    assert found.contradictions == ((1, 2, 4),)


def test_a_person_confirmed_often_loses_only_what_was_said_between_the_two():
    confirmed = [(1, other) for other in range(2, 40)]
    found = believed(confirmed, [(2, 3)])
    assert found.same == tuple(confirmed[2:])


def test_a_chain_leads_from_one_end_of_the_rejected_pair_to_the_other():
    assert chains([(1, 2), (2, 3), (1, 9), (9, 8), (8, 3)], [(1, 3), (1, 7)]) == ((1, 2, 3),)
    assert chains([(1, 2)], [(2, 1)]) == ((2, 1),)


@given(_PAIRS, _PAIRS)
def test_whatever_was_said_learning_can_use_what_is_believed(same, different):
    different = [pair for pair in different if pair not in same]
    found = believed(same, different)
    rows = {node: node for node in range(8)}
    known = close_links(8, *as_rows(found, rows))
    assert {*found.same} <= {*map(tuple, known.must.tolist())}
    assert {*found.different} <= {*map(tuple, known.cannot.tolist())}
    whole = close_links(8, np.array(found.same, int).reshape(-1, 2), np.array(found.different, int).reshape(-1, 2))
    assert {*map(tuple, known.must.tolist())} == {*map(tuple, whole.must.tolist())}
    assert {*map(tuple, known.cannot.tolist())} == {*map(tuple, whole.cannot.tolist())}


@given(_PAIRS, _PAIRS, st.sets(st.integers(0, 7)))
def test_a_tracklet_that_a_set_lacks_still_joins_and_parts_others(same, different, held):
    different = [pair for pair in different if pair not in same]
    said = believed(same, different)
    whole = close_links(8, *as_rows(said, {node: node for node in range(8)}))
    rows = {node: row for row, node in enumerate(sorted(held))}
    part = close_links(max(len(rows), 1), *as_rows(said, rows))
    nodes = sorted(held)
    for found, every in ((part.must, whole.must), (part.cannot, whole.cannot)):
        wanted = {frozenset(pair) for pair in every.tolist() if held.issuperset(pair)}
        assert {frozenset((nodes[one], nodes[other])) for one, other in found.tolist()} == wanted


def test_without_this_a_contradiction_would_stop_learning():
    with pytest.raises(ValueError, match="both linked and kept apart"):
        close_links(3, np.array([[0, 1], [1, 2]]), np.array([[0, 2]]))
