from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from reid_core.metrics.tracklet_pairs import PairCounts, count_pairs


def written_out(people: np.ndarray, identities: np.ndarray, cameras: np.ndarray | None) -> PairCounts:
    true = joined = right = 0
    for a, b in combinations(range(len(people)), 2):
        if cameras is not None and cameras[a] == cameras[b]:
            continue
        same = people[a] == people[b] != 0
        together = identities[a] == identities[b]
        true, joined, right = true + same, joined + together, right + (same and together)
    return PairCounts(int(true), int(joined), int(right))


def test_pairs_worked_by_hand():
    # Person 5 at three cameras, joined in two of them; person 6 joined with a distractor.
    counts = count_pairs(np.array([5, 5, 5, 6, 0]), np.array([1, 1, 2, 3, 3]), camera_ids=["a", "b", "c", "a", "b"])
    assert counts == PairCounts(true=3, joined=2, right=1)
    assert (counts.precision, counts.recall, counts.f1) == (1 / 2, 1 / 3, 2 / 5)


def test_two_distractors_are_never_one_person():
    assert count_pairs(np.array([0, 0]), np.array([4, 4])) == PairCounts(true=0, joined=1, right=0)


def test_pairs_of_one_camera_count_only_where_no_cameras_are_given():
    people, identities = np.array([1, 1]), np.array([1, 1])
    assert count_pairs(people, identities).right == 1
    assert count_pairs(people, identities, camera_ids=["a", "a"]) == PairCounts(0, 0, 0)


@pytest.mark.parametrize("with_cameras", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_counts_equal_those_of_every_pair_written_out(seed: int, *, with_cameras: bool):
    rng = np.random.default_rng(seed)
    people, identities = rng.integers(0, 6, 40), rng.integers(0, 8, 40)
    cameras = rng.integers(0, 3, 40).astype(str) if with_cameras else None
    assert count_pairs(people, identities, camera_ids=cameras) == written_out(people, identities, cameras)


def test_order_and_names_do_not_matter():
    rng = np.random.default_rng(9)
    people, identities, cameras = rng.integers(0, 6, 40), rng.integers(0, 8, 40), rng.integers(0, 3, 40).astype(str)
    order = rng.permutation(40)
    again = count_pairs(people[order], identities[order] * 7 + 1000, camera_ids=cameras[order])
    assert again == count_pairs(people, identities, camera_ids=cameras)


def test_nothing_has_no_pairs_and_no_division_by_zero():
    counts = count_pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), camera_ids=[])
    assert (counts.precision, counts.recall, counts.f1) == (0, 0, 0)


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"\(2,\) people, \(1,\) identities do not fit"):
        count_pairs(np.array([1, 1]), np.array([1]))
    with pytest.raises(ValueError, match="and 1 cameras do not fit"):
        count_pairs(np.array([1, 1]), np.array([1, 1]), camera_ids=["a"])
