"""Who carries on which journey."""

from __future__ import annotations

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from reid_core.association.journeys_names import ChangeKind, carry_on


def carried(before, groups):
    numbers = count()
    return carry_on(before, groups, new_name=lambda: f"new {next(numbers)}")


def told(found):
    return [(one.kind.value, one.journey, one.other, one.kept, one.moved) for one in found.changes]


def test_a_journey_that_grows_or_shrinks_keeps_its_name_without_a_word():
    found = carried({1: "a", 2: "a", 3: "a"}, [(1, 2, 9)])
    assert (found.names, found.new, found.changes) == (("a",), frozenset(), ())


def test_the_larger_share_takes_the_smaller_in():
    found = carried({1: "a", 2: "b", 3: "b"}, [(1, 2, 3)])
    assert found.names == ("b",)
    assert told(found) == [("merge", "b", "a", (2, 3), (1,))]


def test_what_is_left_of_a_journey_keeps_its_name():
    found = carried({1: "a", 2: "a", 3: "a"}, [(1,), (2, 3)])
    assert (found.names, found.new) == (("new 0", "a"), {"new 0"})
    assert told(found) == [("split", "a", "new 0", (2, 3), (1,))]


def test_a_tracklet_that_changes_sides_is_a_split():
    found = carried({1: "a", 2: "a", 3: "b"}, [(1,), (2, 3)])
    assert found.names == ("a", "b")
    assert told(found) == [("split", "a", "b", (1,), (2,))]


def test_what_is_left_of_a_scattered_journey_goes_to_whom_most_of_it_went():
    found = carried({1: "a", 2: "b", 3: "c", 4: "c", 5: "a", 6: "b"}, [(1, 2, 3), (4, 5, 6)])
    assert found.names == ("a", "c")
    ways = [("merge", "a", "b"), ("split", "c", "a"), ("split", "a", "c"), ("split", "b", "c")]
    assert [one[:3] for one in told(found)] == ways


def test_of_equal_shares_the_one_with_the_lowest_tracklet_goes_on():
    assert carried({2: "a", 1: "b"}, [(1, 2)]).names == ("b",)
    assert carried({1: "a", 2: "a"}, [(2,), (1,)]).names == ("new 0", "a")


def test_nothing_becomes_nothing():
    assert carried({}, []).names == ()
    assert carried({1: "a"}, []).changes == ()
    assert carried({}, [(1,), (2,)]).new == {"new 0", "new 1"}


@given(
    before=st.dictionaries(st.integers(0, 8), st.sampled_from("abc")),
    labels=st.lists(st.integers(0, 4), min_size=9, max_size=9),
)
def test_names_are_given_once_and_everybody_who_changed_is_told_of(before, labels):
    groups = [tuple(k for k in range(9) if labels[k] == label) for label in sorted(set(labels))]
    found = carried(before, groups)
    assert len(set(found.names)) == len(groups)
    now = {key: name for name, group in zip(found.names, groups, strict=True) for key in group}
    moved = {key: (before[key], now[key]) for key in before if before[key] != now[key]}
    heard = {}
    for one in found.changes:
        way = (one.other, one.journey) if one.kind is ChangeKind.MERGE else (one.journey, one.other)
        heard.update(dict.fromkeys(one.moved, way))
    assert heard == moved
