from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.cluster import DBSCAN

from reid_core.association.known_links import close_links
from reid_core.learning.clustering import (
    classes_of,
    cluster_tracklets,
    density_clusters,
    near_by_jaccard,
    pairs_of_clusters,
)
from reid_core.learning.learner_parts import Clustering

_NOTHING = np.zeros((0, 2), np.int64)
_HOW = Clustering(k1=6, k2=2, eps=0.5, fewest=2)


def _people(seed=0, people=8, views=4, spread=0.25, dim=16):
    """Unit vectors of some views of some people, and who is who."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(rng.normal(size=(people, dim)), views, axis=0) + spread * rng.normal(size=(people * views, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), np.repeat(np.arange(people), views)


def _known(count, must=_NOTHING, cannot=_NOTHING):
    return close_links(count, np.asarray(must), np.asarray(cannot))


def _same_parts(one, other):
    return np.array_equal(one[:, None] == one[None, :], other[:, None] == other[None, :])


def _naive_jaccard(vectors, k1, k2):
    """k-reciprocal sets as the paper has them, in dense matrices and plain loops; weights exp(-d^2)."""
    cosines = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    count = len(vectors)
    order = [sorted(range(count), key=lambda j, i=i: (j != i, -cosines[i, j], j)) for i in range(count)]

    def mutual(i, k):
        return {j for j in order[i][: k + 1] if i in order[j][: k + 1]}

    described = np.zeros((count, count))
    for i in range(count):
        members = set(mutual(i, k1))
        for j in mutual(i, k1):
            near = mutual(j, round(k1 / 2))
            if len(near & mutual(i, k1)) > 2 / 3 * len(near):
                members |= near
        for j in members:
            described[i, j] = np.exp(-(2 - 2 * cosines[i, j]))
        described[i] /= described[i].sum()
    if k2 > 1:
        described = np.stack([described[order[i][:k2]].mean(axis=0) for i in range(count)])
    least = np.minimum(described[:, None], described[None]).sum(2)
    return 1 - least / np.maximum(described[:, None], described[None]).sum(2)


@pytest.mark.parametrize(("k1", "k2"), [(4, 1), (6, 2), (10, 3)])
def test_near_pairs_are_those_of_a_naive_twin(k1, k2):
    vectors, _ = _people(spread=0.6)
    far = _naive_jaccard(vectors, k1, k2)
    found = near_by_jaccard(vectors, Clustering(k1=k1, k2=k2, eps=0.6)).toarray()
    clear = np.abs(far - 0.6) > 1e-5
    assert np.array_equal((found > 0)[clear], (far <= 0.6)[clear])
    np.testing.assert_allclose(found[found > 0], 1 - far[found > 0], atol=1e-5)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("fewest", [2, 3, 4])
def test_clusters_are_sklearns(seed, fewest):
    vectors, _ = _people(seed, spread=0.7)
    near = near_by_jaccard(vectors, _HOW)
    stored = near.copy()
    stored.data = np.maximum(1 - stored.data, 0) + 1e-9  # explicit zeros would vanish
    expected = DBSCAN(eps=0.5 + 1e-6, min_samples=fewest, metric="precomputed").fit(stored)
    labels = density_clusters(near, fewest=fewest)
    core = np.zeros(len(vectors), bool)
    core[expected.core_sample_indices_] = True
    assert np.array_equal(labels == -1, expected.labels_ == -1)
    assert _same_parts(labels[core], expected.labels_[core])


def test_a_border_joins_the_core_that_it_is_most_like():
    """0-1-2 and 4-5-6 are dense; 3 hangs on 2 and, more, on 4; 7 is near nobody."""
    near = np.eye(8)
    alike = [(0, 1, 0.9), (1, 2, 0.9), (0, 2, 0.9), (4, 5, 0.9), (5, 6, 0.9), (4, 6, 0.9), (2, 3, 0.5), (3, 4, 0.6)]
    for one, other, how_much in alike:
        near[one, other] = near[other, one] = how_much
    assert density_clusters(csr_array(near), fewest=4).tolist() == [0, 0, 0, 1, 1, 1, 1, -1]
    assert density_clusters(csr_array(near), fewest=3).tolist() == [0, 0, 0, 0, 0, 0, 0, -1]


def test_people_who_look_like_themselves_are_found_whatever_their_order():
    vectors, people = _people()
    labels = cluster_tracklets(vectors, _HOW, _known(len(vectors)))
    assert _same_parts(labels, people)
    order = np.random.default_rng(1).permutation(len(vectors))
    assert _same_parts(cluster_tracklets(vectors[order], _HOW, _known(len(vectors))), people[order])
    assert labels[0] == 0, "clusters count in the order of their first member"


def test_what_people_said_stands_above_looks():
    vectors, people = _people()
    said = _known(len(vectors), must=[[0, 4]], cannot=[[8, 9]])
    labels = cluster_tracklets(vectors, _HOW, said)
    assert len(set(labels[people < 2].tolist())) == 1
    assert labels[8] != labels[9]
    assert sorted(labels[8:12].tolist()).count(-1) == 1, "one of the two left, the other stayed with its like"


def test_a_confirmed_pair_of_outliers_is_a_cluster():
    vectors = np.eye(5, dtype=np.float32)
    assert cluster_tracklets(vectors, Clustering(k1=2, k2=1, eps=0.1, fewest=2), _known(5, must=[[1, 3]])).tolist() == [
        -1,
        0,
        -1,
        0,
        -1,
    ]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_next_to_nobody_is_next_to_no_cluster(count):
    vectors = np.eye(2, 4, dtype=np.float32)[:count]
    assert cluster_tracklets(vectors, Clustering(fewest=4), _known(count)).tolist() == [-1] * count


def test_equal_vectors_are_one_cluster():
    vectors = np.tile(np.eye(1, 4, dtype=np.float32), (6, 1))
    assert cluster_tracklets(vectors, _HOW, _known(6)).tolist() == [0] * 6


def test_outliers_are_classes_of_their_own_and_pairs_are_of_two_cameras():
    labels, cameras = np.array([0, -1, 0, 1, 1, -1]), np.array([1, 0, 0, 2, 2, 0])
    assert classes_of(labels).tolist() == [0, 2, 0, 1, 1, 3]
    one, other = pairs_of_clusters(labels, cameras)
    assert (one.tolist(), other.tolist()) == ([2], [0])


def test_what_cannot_be_clustered_is_refused():
    with pytest.raises(ValueError, match=r"\(0, 1\)"):
        near_by_jaccard(np.eye(3, dtype=np.float32), Clustering(eps=1.0))
    with pytest.raises(ValueError, match="1 near one or more"):
        density_clusters(csr_array(np.eye(3)), fewest=0)
    with pytest.raises(ValueError, match="must be 1"):
        near_by_jaccard(np.full((3, 2), np.nan, np.float32), Clustering())
