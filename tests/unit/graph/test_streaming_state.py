from __future__ import annotations

import numpy as np
import pytest
from graph_cases import crowd
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import joining_of, rebuilt, rows_of

from reid_core.graph.refined_gallery import GraphRules
from reid_core.graph.streaming_state import GraphLists, lists_of, resumed


@settings(max_examples=30, deadline=None)
@given(
    then=st.sets(st.integers(0, 39)),
    now=st.sets(st.integers(0, 39)),
    removed=st.sets(st.integers(0, 39)),
    timed=st.booleans(),
)
def test_a_graph_goes_on_from_its_lists_whoever_came_and_went(
    *, then: set[int], now: set[int], removed: set[int], timed: bool
):
    people = crowd(1, 40)
    graph = rebuilt(people, then, timed=timed)
    graph.remove(removed)
    saved = GraphLists.of_arrays(lists_of(graph).as_arrays())
    again = resumed(saved, rows_of(people, now), joining=joining_of(timed=timed))
    assert len(again) == len(now & (then - removed))
    again.add(rows_of(people, now - then | now & removed))
    batch = rebuilt(people, now, timed=timed)
    assert all(again.neighbours(number) == batch.neighbours(number) for number in now)
    np.testing.assert_array_equal(again.embeddings(sorted(now)), batch.embeddings(sorted(now)))


def test_lists_of_other_rules_or_other_vectors_are_refused():
    people = crowd(1, 40)
    saved = lists_of(rebuilt(people, range(40), timed=True))
    with pytest.raises(ValueError, match="entries, this joining needs"):
        resumed(saved, rows_of(people, range(40)), joining=joining_of(GraphRules(visual=3, timed=30), timed=True))
    others = crowd(2, 40)
    with pytest.raises(ValueError, match="made of other vectors"):
        resumed(saved, rows_of(others, range(40)), joining=joining_of(timed=True))


@pytest.mark.parametrize(
    ("name", "spoiled", "said"),
    [
        ("numbers", lambda a: a[:-1], "cannot have lists"),
        ("numbers", np.zeros_like, "once"),
        ("others", lambda a: np.full_like(a, 99), "from -1 to 39"),
        ("others", lambda a: a.astype(np.int64), "wrong kind"),
        ("cosines", lambda a: np.full_like(a, np.nan), "finite"),
        ("whole", lambda a: a[1:], "once"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(name, spoiled, said):
    arrays = lists_of(rebuilt(crowd(1, 40), range(40), timed=True)).as_arrays()
    with pytest.raises(ValueError, match=said):
        GraphLists.of_arrays({**arrays, name: spoiled(arrays[name])})
    with pytest.raises(ValueError, match="missing"):
        GraphLists.of_arrays({key: value for key, value in arrays.items() if key != name})


def test_no_vector_is_among_what_is_kept():
    people = crowd(1, 40)
    kept = lists_of(rebuilt(people, range(40), timed=True)).as_arrays()
    assert set(kept) == {"numbers", "others", "cosines", "factors", "whole"}
    assert all(16 not in array.shape for array in kept.values())
