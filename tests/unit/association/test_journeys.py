"""Online constrained clustering of tracklets, against a batch run and a naive twin."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reid_core.association.journeys import Journeys
from reid_core.association.journeys_facts import JourneyFacts, JourneyRule

RULE = JourneyRule(floor=-3.0, least=0.0)
SIZE = 7
PAIRS = list(combinations(range(SIZE), 2))


def built(odds, impossible=(), *, order=None, at_once=1000.0, rule=RULE, keys=None):
    """Journeys of pairs, the tracklets one after another."""
    journeys = Journeys(rule, at_once=at_once)
    for key in order or keys or sorted({key for pair in [*odds, *impossible] for key in pair}):
        add(journeys, key, odds, impossible)
    return journeys


def add(journeys, key, odds, impossible=()):
    near = {one + other - key: nats for (one, other), nats in odds.items() if key in (one, other)}
    never = {one + other - key for one, other in impossible if key in (one, other)}
    journeys.add(key, {o: n for o, n in near.items() if o in journeys}, {o for o in never if o in journeys})


def naive(keys, odds, impossible, same, different, rule=RULE):
    """The two likeliest groups are joined, again and again: all means are worked out anew each time."""
    groups = [{key} for key in sorted(keys)]
    for one, other in same:
        a, b = (next(group for group in groups if key in group) for key in (one, other))
        if a is not b:
            groups.remove(b)
            a |= b
    apart = {frozenset(pair) for pair in [*impossible, *different]}
    while True:
        best = None
        for a, b in combinations(sorted(groups, key=min), 2):
            pairs = [(min(x, y), max(x, y)) for x in a for y in b]
            if any(frozenset(pair) in apart for pair in pairs):
                continue
            mean = sum(max(odds.get(pair, rule.floor), rule.floor) for pair in pairs) / len(pairs)
            if mean >= rule.least and (best is None or mean > best[0] + 1e-9):
                best = (mean, a, b)
        if best is None:
            return sorted(tuple(sorted(group)) for group in groups)
        groups.remove(best[2])
        best[1].update(best[2])


def test_a_tracklet_joins_starts_merges_and_splits():
    odds = {(1, 2): 4.0, (1, 3): -2.0, (2, 3): -2.0, (3, 4): 5.0, (1, 4): -1.0, (2, 4): 0.5}
    journeys = Journeys(RULE)
    add(journeys, 1, odds)
    add(journeys, 2, odds)
    assert journeys.groups() == [(1, 2)], "it joins"
    add(journeys, 3, odds)
    assert journeys.groups() == [(1, 2), (3,)], "it starts one"
    add(journeys, 4, odds)
    assert journeys.groups() == [(1, 2), (3, 4)]
    assert journeys.of(4) == (3, 4)
    bridge = odds | {(1, 5): 9.0, (2, 5): 9.0, (3, 5): 9.0, (4, 5): 9.0}
    add(journeys, 5, bridge)
    assert journeys.groups() == [(1, 2, 3, 4, 5)], "(9 + 9 - 2 - 1 - 2 + 0.5) / 6 is likely enough: two become one"
    journeys.remove(5)
    assert journeys.groups() == [(1, 2), (3, 4)], "and part again"


def test_a_tracklet_can_make_one_of_two_and_two_of_one():
    odds = {(1, 2): -1.0, (1, 3): 2.0, (2, 3): 2.5, (3, 4): 6.0, (1, 4): -3.0, (2, 4): -3.0}
    journeys = built(odds, order=[1, 2, 3])
    assert journeys.groups() == [(1, 2, 3)], "3 was the bridge: (2 - 1) / 2 is likely enough"
    add(journeys, 4, odds)
    assert journeys.groups() == [(1,), (2,), (3, 4)], "3 is rather 4, and 1 and 2 are nobody without it"


def test_what_is_impossible_is_never_joined_however_likely():
    journeys = built({(1, 2): 50.0}, [(1, 2)])
    assert journeys.groups() == [(1,), (2,)]
    assert not journeys.facts.is_possible({1, 2})


def test_verdicts_hold_before_and_after_their_tracklets_come():
    odds = {(1, 2): 4.0, (2, 3): -9.0, (1, 3): -9.0}
    journeys = Journeys(RULE)
    journeys.tell([(2, 3)], [(1, 2)])
    for key in (1, 2, 3):
        add(journeys, key, odds)
    assert journeys.groups() == [(1,), (2, 3)]
    journeys.tell([], [])
    assert journeys.groups() == [(1, 2), (3,)], "what was taken back holds no more"
    journeys.tell([(1, 3)], [])
    assert journeys.groups() == [(1, 2, 3)], "2 is likely enough to be 1 and, on the average, both: (4 - 3) / 2"


def test_a_must_link_that_is_impossible_is_told_and_not_held():
    journeys = built({(1, 2): -1.0, (2, 3): -1.0, (3, 4): -1.0}, [(1, 3)])
    journeys.tell([(1, 2), (2, 3), (3, 4)], [])
    assert journeys.groups() == [(1,), (2,), (3, 4)], "nobody knows which of the two links is wrong"
    assert journeys.conflicts == ((1, 2, 3),)
    journeys.tell([(1, 2)], [(2, 1)])
    assert journeys.conflicts == ((2, 1),)
    journeys.tell([(1, 2)], [])
    assert journeys.groups() == [(1, 2), (3,), (4,)]
    assert journeys.conflicts == ()


def test_an_impossibility_that_comes_later_ends_a_must_link():
    journeys = Journeys(RULE)
    journeys.tell([(1, 2)], [])
    journeys.add(1, {})
    journeys.add(2, {1: 8.0}, {1})
    assert journeys.groups() == [(1,), (2,)]
    assert journeys.conflicts == ((1, 2),)
    journeys.remove(1)
    assert journeys.conflicts == ()


def test_an_empty_site_has_no_journeys():
    journeys = Journeys()
    journeys.settle()
    journeys.tell([(1, 2)], [(3, 4)])
    assert (journeys.groups(), len(journeys), journeys.is_settled, journeys.conflicts) == ([], 0, True, ())


@pytest.mark.parametrize("nats", [float("nan"), float("inf")])
def test_what_is_no_log_odds_is_refused_with_its_pair(nats):
    journeys = built({(1, 2): 1.0})
    with pytest.raises(ValueError, match="tracklets 3 and 2"):
        journeys.add(3, {2: nats})
    assert journeys.groups() == [(1, 2)], "nothing of it was taken in"


def test_unknown_and_double_tracklets_are_refused():
    journeys = built({(1, 2): 1.0})
    for act, message in (
        (lambda: journeys.add(1, {}), "1 is there already"),
        (lambda: journeys.add(3, {9: 1.0}), "compared with 9, which is not there"),
        (lambda: journeys.add(3, {}, {8}), "compared with 8, which is not there"),
        (lambda: journeys.remove(7), "7 is not there"),
        (lambda: journeys.of(7), "7 is not there"),
        (lambda: JourneyRule(floor=1.0, least=0.0), "least must lie above the floor"),
        (lambda: JourneyRule(floor=float("nan")), "least must lie above the floor"),
    ):
        with pytest.raises(ValueError, match=message):
            act()


def test_evidence_may_be_minus_infinity():
    assert built({(1, 2): float("-inf"), (2, 3): 1.0}).groups() == [(1,), (2, 3)]


NATS = st.one_of(st.floats(-5, 5), st.sampled_from([-3.0, 0.0, 2.0]))
SITES = st.fixed_dictionaries(
    {
        "odds": st.dictionaries(st.sampled_from(PAIRS), NATS),
        "impossible": st.sets(st.sampled_from(PAIRS), max_size=5),
        "same": st.lists(st.sampled_from(PAIRS), max_size=3),
        "different": st.lists(st.sampled_from(PAIRS), max_size=3),
    }
)
STEPS = st.lists(st.tuples(st.sampled_from(["add", "remove", "tell"]), st.integers(0, SIZE - 1)), max_size=16)


def held(journeys, impossible):
    """The invariant: no journey holds an impossibility, and verdicts that can be held are."""
    for group in journeys.groups():
        assert not any(pair in impossible for pair in combinations(group, 2))
    said = journeys.facts._said
    for one, other in said.same:
        if one in journeys and other in journeys:
            assert journeys.of(one) == journeys.of(other)
    for one, other in said.different:
        if one in journeys and other in journeys:
            assert journeys.of(one) != journeys.of(other)


def play(site, steps, *, at_once):
    """Do the steps; answers the journeys, and what is there and was said last."""
    journeys, there, said = Journeys(RULE, at_once=at_once), set(), ([], [])
    for what, key in steps:
        if what == "add" and key not in there:
            there.add(key)
            add(journeys, key, site["odds"], site["impossible"])
        elif what == "remove" and key in there:
            there.discard(key)
            journeys.remove(key)
        elif what == "tell":
            said = (site["same"][: key + 1], site["different"][:key])
            journeys.tell(*said)
        held(journeys, site["impossible"])
    return journeys, there, said


def batch(site, there, said):
    """All facts at once, and one grouping."""
    facts = JourneyFacts(RULE)
    facts.tell(*said)
    for key in sorted(there):
        odds = {pair[0]: nats for pair, nats in site["odds"].items() if pair[1] == key and pair[0] in facts}
        facts.add(key, odds, {one for one, other in site["impossible"] if other == key and one in facts})
    return facts.journeys(there)


@settings(max_examples=100, deadline=None)
@given(site=SITES, steps=STEPS)
def test_the_journeys_are_those_of_a_batch_run_after_every_history(site, steps):
    journeys, there, said = play(site, steps, at_once=1000)
    assert journeys.is_settled
    assert journeys.groups() == batch(site, there, said)


@settings(max_examples=100, deadline=None)
@given(site=SITES, steps=STEPS, at_once=st.integers(0, 3))
def test_what_was_put_off_is_that_of_a_batch_run_after_settling(site, steps, at_once):
    journeys, there, said = play(site, steps, at_once=at_once)
    journeys.settle()
    held(journeys, site["impossible"])
    assert journeys.is_settled
    assert journeys.groups() == batch(site, there, said)


@settings(max_examples=60, deadline=None)
@given(site=SITES, order=st.permutations(range(SIZE)))
def test_filling_at_once_is_adding_one_by_one_in_any_order(site, order):
    filled = Journeys(RULE)
    filled.tell(site["same"], site["different"])
    facts = []
    for place, key in enumerate(order):
        before = order[:place]
        odds = {o: site["odds"][min(o, key), max(o, key)] for o in before if (min(o, key), max(o, key)) in site["odds"]}
        facts.append((key, odds, {o for o in before if (min(o, key), max(o, key)) in site["impossible"]}))
    filled.fill(facts)
    held(filled, site["impossible"])
    assert filled.groups() == batch(site, set(order), (site["same"], site["different"]))


@settings(max_examples=100, deadline=None)
@given(
    odds=st.dictionaries(st.sampled_from(PAIRS), st.floats(-4, 4).map(lambda nats: round(nats, 3) + 1e-4), max_size=14),
    impossible=st.sets(st.sampled_from(PAIRS), max_size=3),
)
def test_a_naive_twin_finds_the_same(odds, impossible):
    distinct = {pair: nats + place * 1e-5 for place, (pair, nats) in enumerate(sorted(odds.items()))}
    journeys = built(distinct, impossible, keys=range(SIZE))
    assert journeys.groups() == naive(range(SIZE), distinct, impossible, [], [])
