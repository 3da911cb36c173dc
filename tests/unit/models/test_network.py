from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from reid_core.errors import ModelFilesError, WeightsError
from reid_core.models.learned import load_learned
from reid_core.models.network import build_network, learned_network
from reid_core.models.network_recipe import NetworkRecipe
from reid_core.models.pictures import balanced_pictures, fitted_picture
from reid_core.vision.appearance import balance_light

_RECIPE = NetworkRecipe(
    "mobilenetv2_035", None, 64, 32, frozen_stages=2, mirrored=True, global_dim=16, stripes=2, stripe_dim=8
)


def _crops(count, seed=0, height=80, width=40):
    return list(np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8))


def _pictures(crops):
    fitted = np.stack([fitted_picture(crop, (_RECIPE.width_px, _RECIPE.height_px)) for crop in crops])
    return torch.from_numpy(balanced_pictures(fitted, light=_RECIPE.light))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    network = build_network(_RECIPE, None, seed=3)
    with torch.no_grad():
        for _ in range(3):
            network.train()(_pictures(_crops(16)))  # so that running statistics are not the ones at birth
    save_file(network.state_dict(), folder / "model.safetensors")
    (folder / "recipe.json").write_text(json.dumps({"name": "tiny", "network": asdict(_RECIPE)}))
    return folder, network.eval()


@pytest.fixture(scope="module")
def embedder(model, tmp_path_factory):
    return load_learned(model[0], cache_dir=tmp_path_factory.mktemp("cache"), threads=1)


def test_the_converted_network_equals_the_torch_module(model, embedder):
    crops = _crops(4, seed=1)
    with torch.inference_mode():
        theirs = model[1](_pictures(crops)).numpy()
    ours = embedder.embed(crops)
    np.testing.assert_allclose(ours.crop_vectors, theirs, atol=1e-3)
    mean = theirs.mean(axis=0)
    np.testing.assert_allclose(ours.vector, mean / np.linalg.norm(mean), atol=1e-3)


def test_a_crop_has_the_same_bits_in_any_company(embedder):
    crops = _crops(5, seed=2)
    together = embedder.embed(crops).crop_vectors
    alone = np.concatenate([embedder.embed([crop]).crop_vectors for crop in crops])
    assert np.array_equal(together, alone)


def test_threads_share_one_embedder(embedder):
    batches = [_crops(2, seed) for seed in range(6)]
    alone = [embedder.embed(batch).vector for batch in batches]
    with ThreadPoolExecutor(3) as pool:
        shared = list(pool.map(lambda batch: embedder.embed(batch).vector, batches))
    assert all(np.array_equal(a, b) for a, b in zip(alone, shared, strict=True))


def test_the_model_id_names_recipe_and_weights(embedder):
    assert embedder.model_id.startswith("tiny-")
    assert len(embedder.model_id) == len("tiny-") + 16
    assert embedder.dim == _RECIPE.dim == 32


def test_broken_model_folders_are_refused(model, tmp_path):
    with pytest.raises(ModelFilesError):
        load_learned(tmp_path, cache_dir=tmp_path / "cache")
    (tmp_path / "recipe.json").write_text((model[0] / "recipe.json").read_text())
    with pytest.raises(ModelFilesError, match="is missing"):
        load_learned(tmp_path, cache_dir=tmp_path / "cache")
    (tmp_path / "model.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(WeightsError, match="does not hold a learned"):
        load_learned(tmp_path, cache_dir=tmp_path / "cache")


def test_no_crop_and_no_picture_are_refused(embedder):
    with pytest.raises(ValueError, match="without crops"):
        embedder.embed([])
    with pytest.raises(ValueError, match="must be uint8"):
        embedder.embed([np.zeros((4, 4), np.uint8)])


def test_equal_seeds_build_equal_networks_and_leave_torchs_own_seed_alone():
    torch.manual_seed(1)
    wanted = torch.rand(1)
    torch.manual_seed(1)
    one, same, other = (build_network(_RECIPE, None, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.rand(1), wanted)
    assert all(torch.equal(tensor, same[name]) for name, tensor in one.items())
    assert not torch.equal(one["global_head.0.weight"], other["global_head.0.weight"])


def test_frozen_stages_neither_learn_nor_follow_the_data():
    network = build_network(_RECIPE, None).train()
    before = network.trunk.bn1.running_mean.clone()
    network(_pictures(_crops(8))).sum().backward()
    assert torch.equal(network.trunk.bn1.running_mean, before)
    assert network.trunk.conv_stem.weight.grad is None
    assert network.trunk.blocks[1][0].conv_pw.weight.grad is not None


def test_published_weights_are_taken_by_name_or_by_order(tmp_path):
    import timm

    trunk = timm.create_model("mobilenetv2_035")
    by_order = {f"layer{number}": tensor for number, tensor in enumerate(trunk.state_dict().values())}
    torch.save(trunk.state_dict(), tmp_path / "by_name.pth")
    torch.save(by_order, tmp_path / "by_order.pth")
    for name in ("by_name.pth", "by_order.pth"):
        network = build_network(_RECIPE, tmp_path / name)
        assert torch.equal(network.trunk.conv_stem.weight, trunk.conv_stem.weight)
    with pytest.raises(WeightsError, match="does not hold weights of resnet18"):
        build_network(replace(_RECIPE, architecture="resnet18"), tmp_path / "by_name.pth")
    with pytest.raises(WeightsError, match="no architecture"):
        build_network(replace(_RECIPE, architecture="no such"), None)


def test_learned_weights_of_another_recipe_are_refused(model):
    with pytest.raises(WeightsError):
        learned_network(replace(_RECIPE, stripes=0), model[0] / "model.safetensors")


def test_networks_that_cannot_be_are_refused():
    for change in ({"global_dim": 600}, {"output_stride": 8}, {"stripes": 5}, {"height_px": 8}):
        with pytest.raises(ValueError, match=r"not|suit|more"):
            replace(_RECIPE, **change)


def test_balancing_by_table_equals_balancing_by_pixel():
    crop = _crops(1)[0]
    ours = balanced_pictures(crop[None], light=110.0)[0]
    assert np.array_equal(ours, balance_light(crop, light=110.0))
    assert balanced_pictures(crop[None], light=0.0)[0] is not None


def test_a_picture_is_rgb_at_the_asked_size():
    blue = np.zeros((9, 5, 3), np.uint8)
    blue[..., 0] = 200
    assert fitted_picture(blue, (32, 64)).shape == (64, 32, 3)
    assert fitted_picture(blue, (32, 64))[0, 0].tolist() == [0, 0, 200]


def test_a_picture_and_its_mirror_image_have_one_vector_outside_of_training():
    network, pictures = build_network(_RECIPE, None), _pictures(_crops(4))
    with torch.inference_mode():
        seen, mirrored = network.eval()(pictures), network(pictures.flip(2))
        torch.testing.assert_close(seen, mirrored)
        network.train()
        assert not torch.allclose(network(pictures), network(pictures.flip(2)), atol=1e-4)


def test_a_trunk_may_end_after_its_first_stages():
    whole, cut = build_network(_RECIPE, None), build_network(replace(_RECIPE, stages=4), None)
    assert len(cut.trunk.blocks) == 3
    assert cut(_pictures(_crops(2))).shape == whole(_pictures(_crops(2))).shape
    resnet = build_network(replace(_RECIPE, architecture="resnet18", stages=3), None)
    assert resnet.global_head[0].in_features == 128
