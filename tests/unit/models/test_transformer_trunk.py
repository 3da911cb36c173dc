from __future__ import annotations

import json
import warnings
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from reid_core.errors import WeightsError
from reid_core.models.learned import load_learned
from reid_core.models.network import build_network, learned_network
from reid_core.models.network_recipe import NetworkRecipe
from reid_core.models.pictures import balanced_pictures

_RECIPE = NetworkRecipe("vit_tiny_patch16_224", None, 64, 32, stages=3, global_dim=16, stripes=2, stripe_dim=8)


def _pictures(count=4, seed=0):
    drawn = np.random.default_rng(seed).integers(0, 256, (count, 64, 32, 3), dtype=np.uint8)
    return torch.from_numpy(balanced_pictures(drawn, light=_RECIPE.light))


def _made(architecture, **how):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import timm
    return timm.create_model(architecture, **how)


def test_tokens_stand_where_their_patches_are():
    trunk = build_network(_RECIPE, None).trunk.eval()
    image = torch.randn(1, 3, 64, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        maps = trunk.forward_features(image)
        tokens = trunk.transformer.forward_features(image)
    assert maps.shape == (1, 192, 4, 2)
    assert len(trunk.transformer.blocks) == 2
    torch.testing.assert_close(maps[0, :, 3, 1], tokens[0, 1 + 3 * 2 + 1])


def test_a_transformer_learns_but_for_its_frozen_stages():
    network = build_network(replace(_RECIPE, frozen_stages=2), None).train()
    network(_pictures()).sum().backward()
    transformer = network.trunk.transformer
    assert transformer.patch_embed.proj.weight.grad is None
    assert transformer.pos_embed.grad is None
    assert transformer.blocks[0].attn.qkv.weight.grad is None
    assert transformer.blocks[1].attn.qkv.weight.grad is not None


def test_transformers_of_other_families_give_a_map_too():
    network = build_network(replace(_RECIPE, architecture="eva02_tiny_patch14_224", height_px=70, width_px=42), None)
    assert network.trunk.eval().forward_features(torch.zeros(1, 3, 70, 42)).shape == (1, 192, 5, 3)


def test_what_is_no_plain_transformer_or_does_not_fit_is_refused():
    with pytest.raises(WeightsError, match="SwinTransformer is no plain vision transformer"):
        build_network(replace(_RECIPE, architecture="swin_tiny_patch4_window7_224"), None)
    with pytest.raises(WeightsError, match="patches of 14 px do not fill pictures of 64x32 px"):
        build_network(replace(_RECIPE, architecture="eva02_tiny_patch14_224"), None)


def test_published_weights_of_another_picture_size_are_taken(tmp_path):
    published = _made("vit_tiny_patch16_224").state_dict()
    torch.save(published, tmp_path / "whole.pth")
    network = build_network(_RECIPE, tmp_path / "whole.pth")
    stored = network.trunk.transformer.state_dict()
    assert torch.equal(stored["blocks.1.attn.qkv.weight"], published["blocks.1.attn.qkv.weight"])
    assert stored["pos_embed"].shape == (1, 9, 192)
    assert torch.equal(stored["pos_embed"][:, 0], published["pos_embed"][:, 0])
    torch.save({name: one for name, one in published.items() if not name.startswith("head.")}, tmp_path / "bare.pth")
    bare = build_network(_RECIPE, tmp_path / "bare.pth").trunk.transformer.state_dict()
    assert all(torch.equal(tensor, bare[name]) for name, tensor in stored.items())
    with pytest.raises(WeightsError, match="does not hold weights of mobilenetv2_035"):
        build_network(replace(_RECIPE, architecture="mobilenetv2_035", stages=0), tmp_path / "whole.pth")


@pytest.mark.slow
def test_a_learned_transformer_embeds_as_it_did_in_torch(tmp_path):
    network = build_network(_RECIPE, None, seed=3)
    with torch.no_grad():
        for seed in range(3):
            network.train()(_pictures(16, seed))
    save_file({name: one.contiguous() for name, one in network.state_dict().items()}, tmp_path / "model.safetensors")
    (tmp_path / "recipe.json").write_text(json.dumps({"name": "tiny", "network": asdict(_RECIPE)}))
    crops = list(np.random.default_rng(5).integers(0, 256, (3, 64, 32, 3), dtype=np.uint8))
    again = learned_network(_RECIPE, tmp_path / "model.safetensors").eval()
    pictures = balanced_pictures(np.stack([crop[..., ::-1] for crop in crops]), light=_RECIPE.light)
    with torch.inference_mode():
        theirs = again(torch.from_numpy(pictures)).numpy()
    ours = load_learned(tmp_path, cache_dir=tmp_path / "cache", threads=1).embed(crops)
    np.testing.assert_allclose(ours.crop_vectors, theirs, atol=1e-3)
