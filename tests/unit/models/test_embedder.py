from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from factories import make_tracklet

from reid_core.models.embedder import ColdStartEmbedder, fuse, pick_crops_to_embed
from reid_core.models.projection import sign_projection
from reid_core.vision.appearance import stripe_descriptor


class FakeNetwork:
    """Eight stripes of three channels: the mean colour of each eighth of the crop."""

    identity = "fake"

    def features(self, crops: list[np.ndarray]) -> np.ndarray:
        return np.stack([[part.mean(axis=(0, 1)) for part in np.array_split(crop, 8)] for crop in crops]).astype("f4")


def _crops(count: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (60 + n, 24, 3), dtype=np.uint8) for n in range(count)]


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_the_cosine_of_joined_vectors_is_the_weighted_mean_of_their_parts():
    rng = np.random.default_rng(1)
    parts = [rng.normal(size=(2, size)) for size in (5, 3, 7)]
    weights = [0.5, 0.2, 0.3]
    joined = fuse(parts, weights=weights)
    expected = sum(weight * _cosine(*part) for part, weight in zip(parts, weights, strict=True))
    assert float(joined[0] @ joined[1]) == pytest.approx(expected, abs=1e-6)


def test_weights_count_by_their_ratio():
    rng = np.random.default_rng(2)
    parts = [rng.normal(size=(4, 5)), rng.normal(size=(4, 6))]
    np.testing.assert_allclose(fuse(parts, weights=[3, 1]), fuse(parts, weights=[0.75, 0.25]), atol=1e-7)


def test_a_part_without_anything_in_it_takes_no_part():
    joined = fuse([np.zeros((1, 2)), np.array([[3.0, 4.0]])], weights=[0.9, 0.1])
    np.testing.assert_allclose(joined, [[0, 0, 0.6, 0.8]], atol=1e-7)


def test_joining_nothing_keeps_the_width():
    assert fuse([np.zeros((0, 4)), np.zeros((0, 3))], weights=[1, 1]).shape == (0, 7)


@pytest.mark.parametrize("weights", [[1.0], [1.0, 0.0], [1.0, -1.0]])
def test_weights_that_do_not_fit_are_refused(weights: list[float]):
    with pytest.raises(ValueError, match="2 parts need as many weights above 0"):
        fuse([np.ones((1, 2)), np.ones((1, 2))], weights=weights)


def test_an_embedding_names_its_model_and_has_unit_vectors():
    embedder = ColdStartEmbedder(FakeNetwork())
    embedding = embedder.embed(_crops(3))
    assert embedding.model_id == embedder.model_id
    assert embedder.model_id.endswith("-fake")
    assert embedding.vector.shape == (embedder.dim,)
    assert embedding.crop_vectors.shape == (3, embedder.dim)
    np.testing.assert_allclose(np.linalg.norm(embedding.crop_vectors, axis=1), 1, atol=1e-6)
    assert np.linalg.norm(embedding.vector) == pytest.approx(1, abs=1e-6)


def test_the_vector_is_the_normalised_mean_of_the_crops():
    embedding = ColdStartEmbedder(FakeNetwork()).embed(_crops(4))
    mean = embedding.crop_vectors.mean(axis=0)
    np.testing.assert_allclose(embedding.vector, mean / np.linalg.norm(mean), atol=1e-6)


def test_two_crops_are_as_alike_as_their_colours_and_textures_together():
    crops = _crops(2)
    vectors = ColdStartEmbedder(FakeNetwork()).embed(crops).crop_vectors
    textures = FakeNetwork().features(crops).reshape(2, -1) @ sign_projection(24, 208)
    expected = 0.8 * _cosine(*map(stripe_descriptor, crops)) + 0.2 * _cosine(*textures)
    assert float(vectors[0] @ vectors[1]) == pytest.approx(expected, abs=1e-5)


def test_a_crop_has_the_same_vector_in_any_company_and_order():
    embedder = ColdStartEmbedder(FakeNetwork())
    crops = _crops(5)
    together = embedder.embed(crops).crop_vectors
    assert np.array_equal(embedder.embed(crops[::-1]).crop_vectors, together[::-1])
    assert np.array_equal(embedder.embed(crops[2:3]).crop_vectors[0], together[2])


def test_threads_share_an_embedder():
    embedder = ColdStartEmbedder(FakeNetwork())
    batches = [_crops(3, seed) for seed in range(8)]
    alone = [embedder.embed(batch).vector for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        shared = list(pool.map(lambda batch: embedder.embed(batch).vector, batches))
    assert all(np.array_equal(a, b) for a, b in zip(alone, shared, strict=True))


def test_a_tracklet_without_crops_is_refused():
    with pytest.raises(ValueError, match="without crops"):
        ColdStartEmbedder(FakeNetwork()).embed([])


def test_a_grey_picture_is_refused():
    with pytest.raises(ValueError, match="a crop must be uint8"):
        ColdStartEmbedder(FakeNetwork()).embed([np.zeros((20, 10), np.uint8)])


def test_all_crops_of_a_short_tracklet_are_embedded():
    assert pick_crops_to_embed(make_tracklet(crops=5)) == (0, 1, 2, 3, 4)


def test_twelve_crops_spread_over_time_are_embedded_each_the_best_of_its_run():
    # Sixty crops make twelve runs of five; later crops of the factory's tracklets are better.
    assert pick_crops_to_embed(make_tracklet(crops=60)) == tuple(range(4, 60, 5))


def test_display_order_decides_within_a_run_and_time_orders_the_result():
    tracklet = make_tracklet(crops=24)
    first_halves = (*range(0, 24, 2), *range(1, 24, 2))
    assert pick_crops_to_embed(replace(tracklet, display_order=first_halves)) == tuple(range(0, 24, 2))


def test_a_tracklet_without_crops_has_none_to_embed():
    assert pick_crops_to_embed(make_tracklet(crops=0)) == ()
