from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reid_core.graph.neighbours import index_of, nearest, nearest_in


def unit(rng: np.random.Generator, count: int, dim: int = 8) -> np.ndarray:
    vectors = rng.normal(size=(count, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_neighbours_by_hand():
    gallery = np.array([[1, 0], [0, 1], [0.8, 0.6]], np.float32)
    found = nearest(gallery[:1], gallery, 2)
    assert found.rows.tolist() == [[0, 2]]
    assert found.cosines.tolist() == [pytest.approx([1, 0.8])]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 60))
def test_neighbours_are_those_of_a_full_sort(seed: int, count: int, k: int):
    rng = np.random.default_rng(seed)
    query, gallery = unit(rng, 7), unit(rng, count)
    found = nearest(query, gallery, k)
    cosines = query @ gallery.T
    assert found.rows.shape == (7, min(k, count))
    np.testing.assert_allclose(found.cosines, -np.sort(-cosines, axis=1)[:, :k], atol=1e-6)
    np.testing.assert_allclose(found.cosines, np.take_along_axis(cosines, found.rows, 1), atol=1e-6)


def test_equally_alike_neighbours_stand_in_order_of_rows():
    gallery = np.repeat(np.eye(2, dtype=np.float32), 3, axis=0)
    assert nearest(gallery[:1], gallery, 6).rows.tolist() == [[0, 1, 2, 3, 4, 5]]
    assert nearest(gallery[:1], gallery, 6).first(2).rows.tolist() == [[0, 1]]


@pytest.mark.parametrize(("queries", "count"), [(0, 5), (3, 0), (0, 0)])
def test_nothing_has_no_neighbours(queries: int, count: int):
    rng = np.random.default_rng(0)
    found = nearest(unit(rng, queries), unit(rng, count), 4)
    assert found.rows.shape == found.cosines.shape == (queries, min(4, count))
    assert len(found) == queries


@pytest.mark.parametrize(
    ("spoilt", "reason"), [(np.nan, "length nan"), (0.0, "length 0"), (3.0, "length 3"), (np.inf, "length inf")]
)
def test_vectors_that_are_not_of_length_one_are_named(spoilt: float, reason: str):
    vectors = np.eye(4, dtype=np.float32)
    vectors[2, 2] = spoilt
    with pytest.raises(ValueError, match=f"query row 2 has {reason}"):
        nearest(vectors, np.eye(4, dtype=np.float32), 2)
    with pytest.raises(ValueError, match=f"gallery row 2 has {reason}"):
        nearest(np.eye(4, dtype=np.float32), vectors, 2)


def test_a_vector_is_its_own_first_neighbour_among_any_number_of_equal_ones():
    crowd = np.tile(np.array([[0.6, 0.8]], np.float32), (9, 1))
    found = nearest_in(crowd, 3)
    assert found.rows[:, 0].tolist() == list(range(9))
    assert all(len(set(row)) == 3 for row in found.rows.tolist())
    np.testing.assert_allclose(found.cosines, 1, atol=1e-6)
    assert nearest_in(crowd[:1], 3).rows.tolist() == [[0]]
    assert nearest_in(crowd[:0], 3).rows.shape == (0, 0)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="k must be 1 or more"):
        nearest(np.eye(2), np.eye(2), 0)
    with pytest.raises(ValueError, match=r"query \(2, 2\) must be rows of the gallery's 3 dimensions"):
        nearest(np.eye(2), np.eye(3), 1)
    with pytest.raises(ValueError, match="gallery must be rows"):
        nearest(np.eye(2), np.ones(3), 1)


def test_an_index_is_searched_as_its_vectors_are():
    vectors = unit(np.random.default_rng(3), 30)
    alone, indexed = nearest(vectors[:4], vectors, 5), nearest(vectors[:4], index_of(vectors), 5)
    np.testing.assert_array_equal(alone.rows, indexed.rows)
