from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reid_core.evaluation.transit_gaps import Visits, transit_gaps


def visits(*rows: tuple[int, str, float, float]) -> Visits:
    return Visits(
        np.array([row[0] for row in rows], np.int64),
        [row[1] for row in rows],
        np.array([row[2] for row in rows], np.float64),
        np.array([row[3] for row in rows], np.float64),
        np.zeros(len(rows), np.int64),
    )


WALKS = visits(
    (1, "a", 0, 10), (1, "b", 25, 30), (1, "a", 50, 55), (2, "b", 0, 5), (2, "a", 12, 14), (0, "a", 100, 101)
)


def test_gaps_are_signed_by_direction():
    (gaps,) = transit_gaps(WALKS, least=1)
    assert gaps.cameras == ("a", "b")
    assert sorted(gaps.same.tolist()) == [-20.0, -7.0, 15.0]


def test_others_are_all_pairs_of_different_people():
    (gaps,) = transit_gaps(WALKS, least=1)
    # a of person 1 with b of person 2, a of person 2 with b of person 1, and nobody's visit with every visit at b
    assert sorted(gaps.different.tolist()) == sorted([0.0, -45.0, 11.0, -70.0, -95.0])


def test_visits_that_overlap_have_no_gap():
    (gaps,) = transit_gaps(visits((1, "a", 0, 10), (1, "b", 5, 20)), least=1)
    assert gaps.same.tolist() == [0.0]


def test_pairs_with_few_transits_are_left_out_and_the_busiest_comes_first():
    walks = visits(
        *[(one, camera, t, t) for one in range(1, 6) for camera, t in (("b", 0.0), ("c", 9.0))],
        (9, "a", 0, 1),
        (9, "b", 2, 3),
    )
    assert [gaps.cameras for gaps in transit_gaps(walks)] == [("b", "c")]
    assert [gaps.cameras for gaps in transit_gaps(walks, least=1)] == [("b", "c"), ("a", "b")]


def test_times_of_different_clocks_are_never_compared():
    walks = visits((1, "a", 0, 1), (1, "b", 5, 6), (2, "a", 20, 21), (2, "b", 30, 31))
    (gaps,) = transit_gaps(replace(walks, clocks=np.array([0, 0, 1, 1])), least=1)
    assert sorted(gaps.same.tolist()) == [4.0, 9.0]
    assert gaps.different.tolist() == []
    assert transit_gaps(replace(walks, clocks=np.array([0, 1, 0, 1])), least=1) == []


def test_order_of_visits_does_not_matter():
    order = np.random.default_rng(1).permutation(6)
    shuffled = Visits(
        WALKS.person_ids[order],
        [WALKS.cameras[at] for at in order],
        WALKS.starts[order],
        WALKS.ends[order],
        WALKS.clocks,
    )
    (one,), (other,) = transit_gaps(WALKS, least=1), transit_gaps(shuffled, least=1)
    assert sorted(one.same) == sorted(other.same)
    assert sorted(one.different) == sorted(other.different)


def test_nobody_went_anywhere():
    assert transit_gaps(visits()) == []
    assert transit_gaps(visits((0, "a", 0, 1), (0, "b", 2, 3)), least=1) == []


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="2 people, 1 cameras"):
        transit_gaps(Visits(np.array([1, 2]), ["a"], np.zeros(2), np.zeros(2), np.zeros(2, np.int64)))


def test_many_others_are_thinned():
    people, rng = np.arange(1, 2001), np.random.default_rng(2)
    starts = rng.random(2000) * 1000
    crowd = Visits(people, ["a", "b"] * 1000, starts, starts + 1, np.zeros(2000, np.int64))
    walk = visits((5000, "a", 0, 1), (5000, "b", 2, 3))
    both = Visits(
        np.append(crowd.person_ids, walk.person_ids),
        [*crowd.cameras, *walk.cameras],
        np.append(crowd.starts, walk.starts),
        np.append(crowd.ends, walk.ends),
        np.zeros(2002, np.int64),
    )
    (gaps,) = transit_gaps(both, least=1)
    assert 50_000 < len(gaps.different) <= 200_000
