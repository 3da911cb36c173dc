"""The trainable network: a published trunk with a global head and a head for each horizontal stripe."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from reid_core.errors import WeightsError
from reid_core.models.transformer_trunk import TransformerTrunk, fitted_positions
from reid_core.vision import torch_compat

if TYPE_CHECKING:
    from pathlib import Path

    from reid_core.models.network_recipe import NetworkRecipe

__all__ = ["ReidNetwork", "build_network", "learned_network"]

_STRIDE_OF_TRUNKS = 32
_TRUNK = "trunk."
_FITTED_LAST = ("offset", "whitening")  # by a cycle's end to its own vectors


class ReidNetwork(nn.Module):
    """RGB bytes ``(B, H, W, 3)`` to vectors ``(B, d)``.

    Each head is a linear map and a batch normalisation. Where the recipe says so, the global part has length 1, the
    stripes' parts together too, and then the vector: half of a cosine comes from the whole, half from the stripes.
    """

    def __init__(self, recipe: NetworkRecipe, trunk: nn.Module, channels: int) -> None:
        super().__init__()
        self.recipe = recipe
        self.trunk = trunk
        self._frozen = _first_stages(trunk, recipe.frozen_stages)
        for stage in self._frozen:
            stage.requires_grad_(requires_grad=False)
        self.global_head = _head(channels, recipe.global_dim)
        self.stripe_heads = nn.ModuleList([_head(channels, recipe.stripe_dim) for _ in range(recipe.stripes)])
        self.offset: torch.Tensor
        self.whitening: torch.Tensor
        if recipe.whitened:
            self.register_buffer("offset", torch.zeros(recipe.dim))
            self.register_buffer("whitening", torch.eye(recipe.dim))
        self.mean: torch.Tensor
        self.std: torch.Tensor
        self.register_buffer("mean", 255 * torch.tensor(recipe.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", 255 * torch.tensor(recipe.std).view(1, 3, 1, 1), persistent=False)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Vectors of a batch, in float32 whatever the trunk computes in."""
        if self.training:
            return self._vectors(pictures)
        vectors = self._vectors(pictures)
        if self.recipe.mirrored:
            vectors = (vectors + self._vectors(pictures.flip(2))) / 2
        if self.recipe.whitened:
            vectors = (functional.normalize(vectors, dim=1) - self.offset) @ self.whitening
        return functional.normalize(vectors, dim=1) if self.recipe.normalised else vectors

    def _vectors(self, pictures: torch.Tensor) -> torch.Tensor:
        maps = self.features(pictures).float()
        parts = [self.global_head(maps.mean((2, 3)))]
        if self.recipe.stripes:
            bands = functional.adaptive_avg_pool2d(maps, (self.recipe.stripes, 1)).squeeze(3)
            parts += [head(bands[:, :, row]) for row, head in enumerate(self.stripe_heads)]
        if not self.recipe.normalised:
            return torch.cat(parts, dim=1)
        share = max(1, self.recipe.stripes) ** -0.5
        whole, *bands_of = (functional.normalize(part, dim=1) for part in parts)
        return functional.normalize(torch.cat([whole, *(band * share for band in bands_of)], dim=1), dim=1)

    def train(self, mode: bool = True) -> ReidNetwork:  # noqa: FBT001, FBT002  torch's own signature
        """Set the mode; frozen stages stay as they are at rest, their running statistics included."""
        super().train(mode)
        for stage in self._frozen:
            stage.eval()
        return self

    def features(self, pictures: torch.Tensor) -> torch.Tensor:
        """The trunk's last map. Shape ``(B, channels, h, w)``."""
        image = (pictures.permute(0, 3, 1, 2).float() - self.mean) / self.std
        trunk: Any = self.trunk
        maps: torch.Tensor = trunk.forward_features(image)
        return maps


def build_network(recipe: NetworkRecipe, weights: Path | None, *, seed: int = 0) -> ReidNetwork:
    """A network to train, its heads (and without weights its trunk) drawn from the seed.

    Args:
        recipe: What to build.
        weights: Published weights of the architecture, as the registry has them, or what a learning cycle left of a
            network with the same trunk; ``None`` starts from noise.
        seed: Equal seeds give equal networks.

    Raises:
        WeightsError: If the architecture is unknown, or the file does not hold its weights.
    """
    learned = _learned_here(weights)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        trunk = _trunk(recipe, None if learned else weights)
        with torch.inference_mode():
            channels = trunk.eval().forward_features(torch.zeros(1, 3, recipe.height_px, recipe.width_px)).shape[1]
        network = ReidNetwork(recipe, trunk, int(channels))
    if learned:
        _take_learned(network, learned)
    return network


def learned_network(recipe: NetworkRecipe, weights: Path) -> ReidNetwork:
    """A network as learning left it.

    Raises:
        WeightsError: If the file does not hold weights of this recipe's network.
    """
    from safetensors import SafetensorError

    network = build_network(recipe, None)
    try:
        network.load_state_dict(_read(weights))
    except (SafetensorError, RuntimeError, OSError) as error:
        raise WeightsError(f"{weights} does not hold a learned {recipe.architecture}") from error
    return network


def _first_stages(trunk: Any, count: int) -> tuple[nn.Module, ...]:
    """Stem and first stages of a trunk of timm's, ``count`` in all, without their parameters being registered again."""
    if not count:
        return ()
    if isinstance(trunk, TransformerTrunk):
        return trunk.first_stages(count)
    if hasattr(trunk, "blocks"):
        stem, stages = [trunk.conv_stem, trunk.bn1], list(trunk.blocks)
    else:
        stem, stages = [trunk.conv1, trunk.bn1], [trunk.layer1, trunk.layer2, trunk.layer3, trunk.layer4]
    return (*stem, *stages[: count - 1])


def _head(channels: int, length: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(channels, length, bias=False), nn.BatchNorm1d(length))


def _trunk(recipe: NetworkRecipe, weights: Path | None) -> Any:
    torch_compat.install()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import timm
    stride = {} if recipe.output_stride == _STRIDE_OF_TRUNKS else {"output_stride": recipe.output_stride}
    if not timm.is_model(recipe.architecture):
        raise WeightsError(f"there is no architecture {recipe.architecture!r}")
    try:
        trunk = timm.create_model(recipe.architecture, pretrained=False, img_size=(recipe.height_px, recipe.width_px))
    except TypeError:  # only transformers are made for one size of picture
        trunk = timm.create_model(recipe.architecture, pretrained=False, **stride)
    if weights is not None:
        _load_published(trunk, weights, recipe.architecture)
    trunk.reset_classifier(0)
    if hasattr(trunk, "patch_embed"):
        return TransformerTrunk(trunk, stages=recipe.stages)
    return _cut(_without_classifier(trunk), recipe.stages)


def _without_classifier(trunk: Any) -> Any:
    """Cut off what only serves ImageNet's classes."""
    if hasattr(trunk, "conv_head"):
        trunk.conv_head, trunk.bn2 = nn.Identity(), nn.Identity()
    return trunk


def _cut(trunk: Any, stages: int) -> Any:
    """Leave out what comes after the first stages."""
    if not stages:
        return trunk
    if hasattr(trunk, "blocks"):
        trunk.blocks = trunk.blocks[: stages - 1]
        return trunk
    for number in range(stages, 5):
        setattr(trunk, f"layer{number}", nn.Identity())
    return trunk


def _load_published(trunk: Any, weights: Path, architecture: str) -> None:
    """Weights under the trunk's own names: by name where they agree, else in order of their keys.

    Where only the classifier's are missing or of another size, which is cut off anyway, the others are taken.
    """
    wanted: dict[str, torch.Tensor] = trunk.state_dict()
    classifier = tuple(f"{name}." for name in (trunk.default_cfg.get("classifier") or "fc",) if isinstance(name, str))
    needed = {name: tensor for name, tensor in wanted.items() if not name.startswith(classifier)}
    try:
        stored = _read(weights)
        if not set(needed) <= set(stored):
            stored = dict(zip(wanted, stored.values(), strict=True))
        stored = fitted_positions(stored, trunk, wanted)
    except Exception as error:
        raise WeightsError(f"{weights} does not hold weights of {architecture}") from error
    if any(stored[name].shape != tensor.shape for name, tensor in needed.items()):
        raise WeightsError(f"{weights} does not hold weights of {architecture}: shapes differ")
    trunk.load_state_dict({name: stored[name] for name in needed}, strict=False)


def _learned_here(weights: Path | None) -> dict[str, torch.Tensor]:
    """What a file holds, if a learning cycle wrote it; else nothing."""
    if weights is None or weights.suffix != ".safetensors" or not weights.is_file():
        return {}
    from safetensors import SafetensorError

    try:
        stored = _read(weights)
    except SafetensorError as error:
        raise WeightsError(f"{weights} does not hold weights") from error
    return stored if any(name.startswith(_TRUNK) for name in stored) else {}


def _take_learned(network: ReidNetwork, stored: dict[str, torch.Tensor]) -> None:
    """The whole trunk of a network that was learned here, and those of its heads that are of the same form."""
    own = network.state_dict()
    fitting = {name: one for name, one in stored.items() if name in own and own[name].shape == one.shape}
    if any(name.startswith(_TRUNK) and name not in fitting for name in own):
        raise WeightsError(f"what was learned is no {network.recipe.architecture} of as many stages")
    network.load_state_dict({name: one for name, one in fitting.items() if name not in _FITTED_LAST}, strict=False)


def _read(weights: Path) -> dict[str, torch.Tensor]:
    if weights.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(weights)
    stored: dict[str, torch.Tensor] = torch.load(weights, map_location="cpu", weights_only=True)
    return stored
