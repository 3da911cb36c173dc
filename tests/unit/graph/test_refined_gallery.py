from __future__ import annotations

import numpy as np
import pytest
from graph_cases import crowd, walks_of_100_s

from reid_core.graph.propagation import RandomProjection
from reid_core.graph.refined_gallery import GraphRules, RefinedGallery
from reid_core.graph.rerank import graph_rerank

RULES = GraphRules(visual=3, timed=15)


@pytest.mark.parametrize("projection", [None, RandomProjection(seed=1, width=48)])
@pytest.mark.parametrize("seed", range(3))
def test_two_look_ups_answer_what_re_ranking_the_whole_matrix_answers(seed: int, projection: RandomProjection | None):
    people = crowd(seed, 90)
    query, gallery = people.part(slice(0, 20)), people.part(slice(20, None))
    of_gallery, of_query = walks_of_100_s(gallery, gallery), walks_of_100_s(query, gallery)
    whole = graph_rerank(
        query.looks, gallery.looks, gallery_rule=of_gallery, query_rule=of_query, rules=RULES, projection=projection
    )
    refined = RefinedGallery(gallery.looks, rule=of_gallery, rules=RULES, projection=projection)
    rows, distances = refined.search(query.looks, 10, rule=of_query)
    far = np.linalg.norm(whole.query[:, None].astype(float) - whole.gallery[None], axis=2)
    np.testing.assert_allclose(distances, np.sort(far, axis=1)[:, :10], atol=1e-3)
    np.testing.assert_allclose(np.take_along_axis(far, rows, 1), distances, atol=1e-3)
    np.testing.assert_allclose(refined.embeddings, whole.gallery, atol=1e-6)
    assert len(refined) == 70


def test_a_query_is_refined_alone_as_among_others():
    people = crowd(3)
    gallery = RefinedGallery(people.looks[10:], rules=RULES)
    np.testing.assert_allclose(gallery.refine(people.looks[:1]), gallery.refine(people.looks[:10])[:1], atol=1e-6)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_tiny_galleries_have_an_answer(count: int):
    looks = crowd(0).looks
    rows, distances = RefinedGallery(looks[4 : 4 + count]).search(looks[:4], 5)
    assert rows.shape == distances.shape == (4, count)
    assert np.isfinite(distances).all()


def test_no_query_has_no_answer():
    looks = crowd(0).looks
    assert RefinedGallery(looks).search(looks[:0], 5)[0].shape == (0, 5)


def test_wrong_queries_are_refused():
    gallery = RefinedGallery(crowd(0).looks)
    with pytest.raises(ValueError, match="k must be 1 or more"):
        gallery.search(crowd(0).looks[:1], 0)
    with pytest.raises(ValueError, match="query row 0 has length nan"):
        gallery.search(np.full((1, 16), np.nan, np.float32), 1)
    with pytest.raises(ValueError, match="16 dimensions"):
        gallery.search(np.eye(3, dtype=np.float32), 1)
