"""The cold start with real weights: converted here, compared with the torch module it came from."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from reid_core.errors import WeightsError
from reid_core.models.backbone import BackboneRecipe, load_backbone
from reid_core.models.backbone_export import striped_network
from reid_core.models.embedder import ColdStartEmbedder, load_embedder
from reid_core.vision import weights as weight_files
from reid_core.vision.appearance import balance_light

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def weights(weights_dir: Path) -> Path:
    name = "mobilenet_v2-b0353104.pth"
    return weight_files.resolve(name, folders=[weights_dir], cache_dir=weights_dir, fetch=False)


@pytest.fixture(scope="module")
def embedder(weights: Path, weights_dir: Path) -> ColdStartEmbedder:
    return load_embedder(weights=weights, cache_dir=weights_dir, threads=1)


def _crops(count: int, seed: int = 0, height: int = 128, width: int = 64) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(count)]


def test_the_converted_network_equals_the_torch_module(weights: Path, weights_dir: Path):
    import torch

    recipe = BackboneRecipe()
    crops = _crops(3)
    ours = load_backbone(weights, recipe, cache_dir=weights_dir, threads=1).features(crops)
    balanced = np.stack([balance_light(crop, light=110.0) for crop in crops])
    with torch.inference_mode():
        theirs = striped_network(weights, recipe)(torch.from_numpy(balanced)).numpy()
    assert ours.shape == (3, 8, 96)
    np.testing.assert_allclose(ours, theirs, atol=2e-4)


def test_vectors_fit_the_index_and_name_the_weights(embedder: ColdStartEmbedder):
    assert embedder.dim == 512
    assert "b03531047ffacf1e" in embedder.model_id


def test_a_crop_has_the_same_bits_in_any_company(embedder: ColdStartEmbedder):
    crops = _crops(5)
    together = embedder.embed(crops).crop_vectors
    alone = np.concatenate([embedder.embed([crop]).crop_vectors for crop in crops])
    assert np.array_equal(together, alone)


def test_threads_share_one_network(embedder: ColdStartEmbedder):
    batches = [_crops(2, seed) for seed in range(6)]
    alone = [embedder.embed(batch).vector for batch in batches]
    with ThreadPoolExecutor(3) as pool:
        shared = list(pool.map(lambda batch: embedder.embed(batch).vector, batches))
    assert all(np.array_equal(a, b) for a, b in zip(alone, shared, strict=True))


def test_crops_of_any_size_are_embedded(embedder: ColdStartEmbedder):
    vectors = embedder.embed([*_crops(1, height=9, width=4), *_crops(1, height=256, width=120)]).crop_vectors
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_weights_of_something_else_are_refused(tmp_path: Path):
    import torch

    torch.save({"layer.weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match="does not hold weights of mobilenetv2_100"):
        load_embedder(weights=tmp_path / "other.pth", cache_dir=tmp_path / "cache")
    assert list((tmp_path / "cache" / "networks").iterdir()) == []
