from __future__ import annotations

import numpy as np
import pytest
from graph_cases import Crowd, crowd, walks_of_100_s
from scipy.sparse import csr_array

from reid_core.graph.affinity import gaussian_affinity, graph_edges, row_normalised, symmetric
from reid_core.graph.neighbours import nearest

KS, KL = 3, 20


def dense_edges(asking: Crowd, answering: Crowd, rule, *, alpha: float) -> np.ndarray:
    """The paper's equations 2, 4 and 5, pair by pair."""
    a, b = asking.looks.astype(float), answering.looks.astype(float)
    affinity = np.exp(-((a[:, None] - b[None]) ** 2).sum(2) / (2 * alpha**2))
    edges = np.zeros_like(affinity)
    for i, row in enumerate(np.argsort(-affinity, axis=1, kind="stable")):
        for place, j in enumerate(row[:KL]):
            if place < KS or (rule is not None and rule(np.array([i]), np.array([j]))[0]):
                edges[i, j] = affinity[i, j]
    return edges


@pytest.mark.parametrize("alpha", [1.0, 0.5])
@pytest.mark.parametrize("with_time", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_the_sparse_graph_is_the_papers_dense_one(seed: int, *, with_time: bool, alpha: float):
    people = crowd(seed)
    rule = walks_of_100_s(people, people) if with_time else None
    edges = graph_edges(nearest(people.looks, people.looks, KL), columns=60, visual=KS, rule=rule, alpha=alpha)
    dense = dense_edges(people, people, rule, alpha=alpha)
    np.testing.assert_allclose(edges.toarray(), dense, atol=1e-6)
    mean = (dense + dense.T) / 2
    np.testing.assert_allclose(symmetric(edges).toarray(), mean, atol=1e-6)
    np.testing.assert_allclose(row_normalised(symmetric(edges)).toarray(), mean / mean.sum(1, keepdims=True), atol=1e-6)
    if with_time:
        assert edges.nnz > 60 * KS


def test_queries_are_joined_to_the_gallery_only():
    people = crowd(5)
    query, gallery = people.part(slice(0, 20)), people.part(slice(20, None))
    rule = walks_of_100_s(query, gallery)
    edges = graph_edges(nearest(query.looks, gallery.looks, KL), columns=40, visual=KS, rule=rule)
    np.testing.assert_allclose(edges.toarray(), dense_edges(query, gallery, rule, alpha=1.0), atol=1e-6)


def test_a_node_is_its_own_first_neighbour():
    looks = crowd(1).looks
    edges = graph_edges(nearest(looks, looks, KL), columns=60, visual=1)
    np.testing.assert_allclose(edges.toarray(), np.eye(60), atol=1e-6)


def test_memory_is_a_few_entries_a_node():
    looks = crowd(2, 400).looks
    edges = graph_edges(nearest(looks, looks, KL), columns=400, visual=KS)
    assert edges.nnz == 400 * KS
    assert symmetric(edges).nnz <= 2 * 400 * KS


def test_affinity_of_rounding_errors_beyond_one_is_one():
    assert gaussian_affinity(np.array([1.0000002], np.float32)).tolist() == [1.0]


def test_rows_without_edges_stay_empty():
    assert row_normalised(csr_array(np.array([[0, 2.0], [0, 0]]))).toarray().tolist() == [[0, 1], [0, 0]]


def test_an_empty_graph_has_no_edges():
    nobody = np.zeros((0, 4), np.float32)
    edges = graph_edges(nearest(nobody, nobody, 3), columns=0)
    assert row_normalised(symmetric(edges)).shape == (0, 0)


def test_no_visual_neighbour_is_refused():
    with pytest.raises(ValueError, match="1 visual neighbour or more, got 0"):
        graph_edges(nearest(np.eye(2), np.eye(2), 1), columns=2, visual=0)


def test_the_order_of_nodes_does_not_matter():
    people, order = crowd(3), np.random.default_rng(0).permutation(60)
    moved = Crowd(people.looks[order], people.people[order], people.cameras[order], people.times[order])
    graphs = [
        graph_edges(nearest(c.looks, c.looks, KL), columns=60, visual=KS, rule=walks_of_100_s(c, c)).toarray()
        for c in (people, moved)
    ]
    np.testing.assert_allclose(graphs[0][np.ix_(order, order)], graphs[1], atol=1e-6)
