"""Where a tracklet changes its person."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from reid_core.association.journeys_parts import cut_places, mean_looks

PEOPLE = np.eye(4)


def crops(*counts, noise=0.0):
    """So many crops of each person in turn."""
    looks = np.concatenate([np.tile(PEOPLE[who], (count, 1)) for who, count in enumerate(counts)])
    return looks + noise * np.random.default_rng(0).normal(size=looks.shape)


def near_is_same(distances):
    return 0.5 - distances


def test_a_change_of_person_is_found_where_it_is():
    assert cut_places(crops(4, 6), llr=near_is_same) == (4,)
    assert cut_places(crops(4, 3, 5, noise=0.05), llr=near_is_same) == (4, 7)


def test_one_person_is_one_part():
    assert cut_places(crops(12), llr=near_is_same) == ()
    assert cut_places(crops(4, 6), llr=lambda distances: 1.5 - distances) == (), "not unlike enough"


def test_parts_have_their_fewest_crops():
    assert cut_places(crops(2, 8), llr=near_is_same) == (3,), "as near to the change as it may"
    assert cut_places(crops(2, 3), llr=near_is_same) == ()
    assert cut_places(crops(1, 1), llr=near_is_same, fewest=1) == (1,)
    assert cut_places(np.zeros((0, 4)), llr=near_is_same) == ()
    with pytest.raises(ValueError, match="at least one crop"):
        cut_places(crops(3), llr=near_is_same, fewest=0)


def test_the_length_of_vectors_does_not_matter():
    looks = crops(4, 3, 5, noise=0.05)
    assert cut_places(3 * looks, llr=near_is_same) == cut_places(looks, llr=near_is_same)


def test_looks_of_nothing_are_cut_nowhere():
    assert cut_places(np.zeros((8, 4)), llr=lambda distances: 1.5 - distances) == ()


def test_a_naive_twin_finds_the_same_first_place():
    rng = np.random.default_rng(3)
    for _ in range(20):
        looks = rng.normal(size=(9, 3))
        scores = {}
        for place in range(3, 7):
            one, other = looks[:place].mean(0), looks[place:].mean(0)
            distance = 1 - one @ other / np.linalg.norm(one) / np.linalg.norm(other)
            scores[place] = distance * np.sqrt(place * (9 - place))
        found = cut_places(looks, llr=lambda distances: -np.ones_like(distances))
        assert max(scores, key=scores.get) in found
        assert all(last - first >= 3 for first, last in pairwise((0, *found, 9)))


def test_parts_have_mean_looks_of_length_one():
    looks = mean_looks(crops(2, 3), (2,))
    np.testing.assert_allclose(looks, PEOPLE[:2], atol=1e-6)
    assert looks.dtype == np.float32
