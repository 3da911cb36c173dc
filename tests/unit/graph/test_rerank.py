from __future__ import annotations

import numpy as np
import pytest
from graph_cases import crowd, walks_of_100_s
from scipy.sparse import csr_array, eye_array

from reid_core.graph.affinity import graph_edges
from reid_core.graph.neighbours import nearest
from reid_core.graph.propagation import RandomProjection, attach, propagate, propagate_attached
from reid_core.graph.refined_gallery import GraphRules
from reid_core.graph.rerank import graph_rerank
from reid_core.metrics.ranking import evaluate_ranking

RULES = GraphRules(visual=3, timed=15)


def naive(query, gallery, query_rule, gallery_rule, projection):
    """Equations 2 to 7, 15 and 16 with dense matrices and loops over pairs."""

    def edges(a, b, rule):
        affinity = np.exp(-((a[:, None] - b[None]) ** 2).sum(2) / 2)
        joined = np.zeros_like(affinity)
        for i, row in enumerate(np.argsort(-affinity, axis=1, kind="stable")):
            for place, j in enumerate(row[: RULES.timed]):
                if place < RULES.visual or rule(np.array([i]), np.array([j]))[0]:
                    joined[i, j] = affinity[i, j]
        return joined

    q, g = query.astype(float), gallery.astype(float)
    mean = edges(g, g, gallery_rule)
    mean = (mean + mean.T) / 2
    known, asked = mean / mean.sum(1, keepdims=True), edges(q, g, query_rule)
    own = 1 / (1 + asked.sum(1, keepdims=True))
    for layer in (1, 2):
        q, g = own * (asked @ g + q), known @ g
        if projection is not None:
            q, g = (projection.project(part.astype(np.float32), layer=layer).astype(float) for part in (q, g))
    return q, g


@pytest.mark.parametrize("projection", [None, RandomProjection(seed=3, width=24)])
@pytest.mark.parametrize("seed", range(3))
def test_re_ranking_is_that_of_the_papers_dense_equations(seed: int, projection: RandomProjection | None):
    people = crowd(seed, 70)
    query, gallery = people.part(slice(0, 15)), people.part(slice(15, None))
    by_time = {"query_rule": walks_of_100_s(query, gallery), "gallery_rule": walks_of_100_s(gallery, gallery)}
    done = graph_rerank(query.looks, gallery.looks, **by_time, rules=RULES, projection=projection)
    q, g = naive(query.looks, gallery.looks, by_time["query_rule"], by_time["gallery_rule"], projection)
    np.testing.assert_allclose(done.query, q, atol=1e-6)
    np.testing.assert_allclose(done.gallery, g, atol=1e-6)
    squared = ((q[:, None] - g[None]) ** 2).sum(2) - (q**2).sum(1, keepdims=True)
    np.testing.assert_allclose(done.distances()(2, 9), squared[2:9], atol=2e-6)


def scored(rows, query, gallery) -> float:
    return evaluate_ranking(
        rows,
        query_ids=query.people + 1,
        gallery_ids=gallery.people + 1,
        query_cameras=query.cameras,
        gallery_cameras=gallery.cameras,
    ).map_rectangle


def test_time_finds_people_whom_looks_alone_do_not():
    people = crowd(1, 300, people=40, noise=1.2)
    query, gallery = people.part(slice(0, 80)), people.part(slice(80, None))
    looks = scored(1 - query.looks @ gallery.looks.T, query, gallery)
    plain = graph_rerank(query.looks, gallery.looks)
    timed = graph_rerank(
        query.looks,
        gallery.looks,
        gallery_rule=walks_of_100_s(gallery, gallery),
        query_rule=walks_of_100_s(query, gallery),
    )
    assert scored(timed.distances(), query, gallery) > max(looks, scored(plain.distances(), query, gallery)) + 0.1


def test_a_graph_of_copies_stays_as_it_is():
    looks = np.repeat(np.eye(3, dtype=np.float32), 3, axis=0)
    done = graph_rerank(looks[:1], looks)
    np.testing.assert_allclose(done.gallery, looks, atol=1e-6)
    np.testing.assert_allclose(done.query, looks[:1], atol=1e-6)


def test_embeddings_do_not_depend_on_the_other_queries():
    people = crowd(2)
    alone = graph_rerank(people.looks[:1], people.looks[10:])
    among = graph_rerank(people.looks[:10], people.looks[10:])
    np.testing.assert_allclose(alone.query[0], among.query[0], atol=1e-6)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_tiny_galleries_have_an_answer(count: int):
    looks = crowd(0).looks
    done = graph_rerank(looks[:4], looks[4 : 4 + count])
    assert done.distances()(0, 4).shape == (4, count)
    assert np.isfinite(done.query).all()


def test_vectors_that_are_no_numbers_are_refused():
    looks = crowd(0).looks.copy()
    looks[5] = np.nan
    with pytest.raises(ValueError, match="row 5 has length nan"):
        graph_rerank(looks[:2], looks)


def test_projections_repeat_with_their_seed_and_differ_between_seeds_and_layers():
    features = crowd(0).looks
    first, again = (RandomProjection(1, 32).project(features, layer=1) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (60, 32)
    assert (first >= 0).all()
    assert not np.allclose(first, RandomProjection(2, 32).project(features, layer=1))
    assert not np.allclose(first, RandomProjection(1, 32).project(features, layer=2))


def test_propagation_by_hand():
    adjacency = csr_array(np.array([[0.5, 0.5], [0, 1]]))
    layers = propagate(adjacency, np.array([[1.0], [3.0]]), layers=2)
    assert [layer.ravel().tolist() for layer in layers] == [[1, 3], [2, 3], [2.5, 3]]


def test_an_attached_query_hears_each_layer_and_itself_by_hand():
    attached = attach(csr_array(np.array([[0.5, 0.0]])))  # itself 1, its neighbour 0.5: shares 2/3 and 1/3
    nodes = [np.array([[3.0], [9.0]]), np.array([[6.0], [9.0]]), np.array([[0.0], [0.0]])]
    answered = propagate_attached(attached, np.array([[0.0]]), nodes)
    assert answered[0, 0] == pytest.approx(1 / 3 * 6 + 2 / 3 * (1 / 3 * 3))


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"adjacency \(2, 2\) does not fit 3 nodes"):
        propagate(csr_array(eye_array(2)), np.eye(3))
    with pytest.raises(ValueError, match="1 layer or more, got 0"):
        propagate(csr_array(eye_array(3)), np.eye(3), layers=0)
    edges = graph_edges(nearest(np.eye(3), np.eye(3), 1), columns=3)
    with pytest.raises(ValueError, match=r"edges \(3, 3\) join neither 2 queries nor 3 nodes"):
        propagate_attached(attach(edges), np.eye(3)[:2], [np.eye(3), np.eye(3)])
