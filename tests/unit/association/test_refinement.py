"""One-dimensional k-means: the paper's centres, against a naive Lloyd and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reid_core.association.refinement import kmeans_1d, lowest_cluster


def test_three_groups_on_a_line_are_found():
    """Centres 0, 5, 10 at first; the value 2.6 is nearer to 5, so the first mean is 0.5 and 2.6 stays apart."""
    values = np.array([10.0, 0.0, 1.0, 2.6, 4.0, 9.0])
    assert kmeans_1d(values, 3).tolist() == [2, 0, 0, 1, 1, 2]


def test_the_lowest_cluster_is_kept():
    assert lowest_cluster(np.array([0.3, 0.9, 0.1, 0.5]), 2).tolist() == [True, False, True, True]


def test_one_centre_keeps_all():
    assert lowest_cluster(np.array([0.3, 0.9]), 1).tolist() == [True, True]


def test_a_value_half_way_goes_down():
    """Centres 0 and 2: the 1 joins the 0, whose mean becomes 0.5."""
    assert kmeans_1d(np.array([0.0, 1.0, 2.0]), 2).tolist() == [0, 0, 1]


def test_fewer_different_values_than_centres_are_a_cluster_each():
    assert kmeans_1d(np.array([0.4, 0.2, 0.4]), 5).tolist() == [1, 0, 1]
    assert lowest_cluster(np.array([0.4, 0.2, 0.4]), 5).tolist() == [False, True, False]
    assert lowest_cluster(np.array([0.4]), 3).tolist() == [True]


@pytest.mark.parametrize("k", [1, 3])
def test_no_values_have_no_cluster(k: int):
    assert lowest_cluster(np.zeros(0), k).shape == (0,)


@pytest.mark.parametrize("values", [np.array([0.1, np.nan]), np.array([np.inf]), np.zeros((2, 2))])
def test_what_is_no_line_of_numbers_is_refused(values: np.ndarray):
    with pytest.raises(ValueError, match="finite and one-dimensional"):
        kmeans_1d(values, 2)


def test_no_centre_is_refused():
    with pytest.raises(ValueError, match="at least one centre, got 0"):
        kmeans_1d(np.array([1.0]), 0)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(6, 60), k=st.integers(1, 5))
def test_a_naive_lloyd_finds_the_same(seed: int, count: int, k: int):
    values = np.random.default_rng(seed).gamma(2.0, 0.1, count)
    np.testing.assert_array_equal(kmeans_1d(values, k), _naive_lloyd(values.tolist(), k))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(2, 5))
def test_order_scale_and_place_do_not_matter(seed: int, k: int):
    random = np.random.default_rng(seed)
    values = random.gamma(2.0, 0.1, 40)
    order = random.permutation(40)
    labels = kmeans_1d(values, k)
    np.testing.assert_array_equal(kmeans_1d(values[order], k), labels[order])
    np.testing.assert_array_equal(kmeans_1d(8 * values + 4, k), labels)


def test_scikit_learn_finds_the_same():
    cluster = pytest.importorskip("sklearn.cluster")
    for seed in range(5):
        values = np.random.default_rng(seed).gamma(2.0, 0.1, 200)
        centres = np.linspace(values.min(), values.max(), 3)[:, None]
        peer = cluster.KMeans(3, init=centres, n_init=1, max_iter=1000, tol=0, algorithm="lloyd").fit(values[:, None])
        np.testing.assert_array_equal(kmeans_1d(values, 3), peer.labels_)


def _naive_lloyd(values: list[float], k: int) -> list[int]:
    low, high = min(values), max(values)
    centres = [low + (high - low) * at / (k - 1) for at in range(k)] if k > 1 else [low]
    labels: list[int] = []
    while True:
        renewed = [min(range(k), key=lambda at: (abs(value - centres[at]), at)) for value in values]
        if renewed == labels:
            return labels
        labels = renewed
        for at in range(k):
            members = [value for value, label in zip(values, labels, strict=True) if label == at]
            if members:
                centres[at] = sum(members) / len(members)
