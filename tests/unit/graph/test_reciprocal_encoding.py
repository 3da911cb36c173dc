from __future__ import annotations

import numpy as np
import pytest
from graph_cases import crowd
from scipy.sparse import csr_array

from reid_core.graph.reciprocal_encoding import ReciprocalSettings, _largest, jaccard_row, reciprocal_rerank


def naive(query: np.ndarray, gallery: np.ndarray, settings: ReciprocalSettings) -> np.ndarray:
    """The method's steps on dense matrices, one vector at a time."""
    vectors = np.concatenate([query, gallery]).astype(float)
    distances = ((vectors[:, None] - vectors[None]) ** 2).sum(2)
    distances /= distances.max(axis=1, keepdims=True)
    ranked = np.argsort(distances, axis=1, kind="stable")

    def reciprocal(i: int, k: int) -> set[int]:
        return {int(j) for j in ranked[i, : k + 1] if i in ranked[j, : k + 1]}

    described = np.zeros_like(distances)
    for i in range(len(vectors)):
        own = reciprocal(i, settings.k1)
        members = set(own)
        for candidate in own:
            theirs = reciprocal(candidate, round(settings.k1 / 2))
            if len(theirs & own) > 2 / 3 * len(theirs):
                members |= theirs
        at = sorted(members)
        described[i, at] = np.exp(-distances[i, at]) / np.exp(-distances[i, at]).sum()
    if settings.k2 > 1:
        described = np.stack([described[ranked[i, : settings.k2]].mean(axis=0) for i in range(len(vectors))])
    count = len(query)
    asking, answering = described[:count], described[count:]
    common = np.minimum(asking[:, None], answering[None]).sum(2)
    return (1 - settings.weight) * (1 - common / (2 - common)) + settings.weight * distances[:count, count:]


@pytest.mark.parametrize(
    "settings",
    [
        ReciprocalSettings(k1=8, k2=3),
        ReciprocalSettings(k1=6, k2=1, weight=0.0),
        ReciprocalSettings(k1=5, k2=2, weight=0.8),
        ReciprocalSettings(),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_sparse_distances_are_those_of_the_dense_method(seed: int, settings: ReciprocalSettings):
    looks = crowd(seed, 90, people=15).looks
    rows = reciprocal_rerank(looks[:20], looks[20:], settings=settings)
    np.testing.assert_allclose(rows(0, 20), naive(looks[:20], looks[20:], settings), atol=2e-6)


def test_rows_come_in_any_blocks():
    looks = crowd(4, 60).looks
    rows = reciprocal_rerank(looks[:10], looks[10:])
    np.testing.assert_allclose(np.concatenate([rows(0, 3), rows(3, 10)]), rows(0, 10), atol=1e-6)


def test_jaccard_by_hand():
    asking = csr_array(np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]))
    answering = csr_array(np.array([[0.5, 0.5, 0.0], [0.0, 0.25, 0.75], [0.0, 0.0, 1.0]]).T)
    assert jaccard_row(asking, 0, answering).tolist() == pytest.approx([0, 1 - 0.25 / 1.75, 1])
    assert jaccard_row(asking, 1, answering).tolist() == [1, 1, 1]


def test_equal_vectors_are_at_no_distance():
    looks = np.repeat(np.eye(2, dtype=np.float32), 4, axis=0)
    far = reciprocal_rerank(looks[::4], looks, settings=ReciprocalSettings(k1=4, k2=2))(0, 2)
    np.testing.assert_allclose(far[:, :4], [[0] * 4, [1] * 4], atol=1e-6)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_tiny_galleries_have_an_answer(count: int):
    looks = crowd(0).looks
    far = reciprocal_rerank(looks[:3], looks[3 : 3 + count])(0, 3)
    assert far.shape == (3, count)
    assert np.isfinite(far).all()


def test_vectors_all_alike_have_an_answer():
    looks = np.tile(np.array([[0.6, 0.8]], np.float32), (6, 1))
    assert np.isfinite(reciprocal_rerank(looks[:2], looks[2:])(0, 2)).all()


def test_vectors_that_are_no_numbers_are_refused():
    looks = crowd(0).looks.copy()
    looks[9] = np.nan
    with pytest.raises(ValueError, match="row 9 has length nan"):
        reciprocal_rerank(looks[:3], looks[3:])


@pytest.mark.parametrize("k", [1, 3, 21])
def test_the_largest_are_those_of_a_full_sort(k: int):
    values = np.random.default_rng(k).integers(0, 200, (9, 700)).astype(np.float32)  # with many equal ones
    expected = np.argsort(-values, axis=1, kind="stable")[:, :k]
    np.testing.assert_array_equal(_largest(values, k), expected)


def test_vectors_that_are_no_numbers_are_refused_by_row():
    looks = crowd(0).looks.copy()
    looks[5] = np.nan
    with pytest.raises(ValueError, match="row 5 has length nan"):
        reciprocal_rerank(looks[:3], looks[3:])
