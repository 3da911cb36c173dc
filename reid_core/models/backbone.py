"""An ImageNet network that turns person crops into pooled feature maps, run by OpenVINO.

The published weights are converted once, with torch and timm; the converted network is kept in a cache folder under a
name made of the weights' hash and the recipe. Later runs load it without torch.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from reid_core.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reid_core.types import FloatArray, ImageBGR

__all__ = ["Backbone", "BackboneRecipe", "load_backbone"]

_CONVERSION = 1
"""Raised whenever the same recipe would convert to another network."""


@dataclass(frozen=True, slots=True)
class BackboneRecipe:
    """Which network, how it sees a crop, and which of its feature maps are kept.

    Attributes:
        architecture: Name in timm; the weights are matched to it in order of their keys.
        height_px: Crops are resized to this height ...
        width_px: ... and this width.
        mean: Subtracted from RGB in ``[0, 1]``.
        std: Divides what is left.
        taps: ``(feature level of timm, horizontal stripes it is pooled into)``.
    """

    architecture: str = "mobilenetv2_100"
    height_px: int = 128
    width_px: int = 64
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    taps: tuple[tuple[int, int], ...] = ((3, 4),)

    @property
    def name(self) -> str:
        """Says everything that decides the network's output, the weights excepted."""
        taps = "_".join(f"{level}x{stripes}" for level, stripes in self.taps)
        digest = hashlib.sha256(repr(self).encode()).hexdigest()[:6]
        return f"{self.architecture}-{self.height_px}x{self.width_px}-{taps}-{digest}"


class Backbone:
    """A compiled network; may be used by several threads at once.

    Crops go through one by one: on a processor that costs no more than batches, and a crop's features never depend on
    its companions.
    """

    def __init__(self, compiled: Any, recipe: BackboneRecipe, *, identity: str) -> None:
        self.identity = identity
        self._compiled = compiled
        self._size = (recipe.width_px, recipe.height_px)
        self._taps = len(recipe.taps)
        self._local = threading.local()

    def features(self, crops: Sequence[ImageBGR]) -> list[FloatArray]:
        """Pooled feature maps, for each tap one array ``(N, stripes, channels)``."""
        rows = [self._one(crop) for crop in crops]
        return [np.stack([row[tap] for row in rows]) for tap in range(self._taps)]

    def _one(self, crop: ImageBGR) -> list[FloatArray]:
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._compiled.create_infer_request()
        interpolation = cv2.INTER_AREA if crop.shape[0] > self._size[1] else cv2.INTER_LINEAR
        image = cv2.resize(crop, self._size, interpolation=interpolation)
        request.infer([image[None]], share_inputs=True)
        return [np.array(request.get_output_tensor(tap).data[0], np.float32) for tap in range(self._taps)]


def load_backbone(weights: Path, recipe: BackboneRecipe, *, cache_dir: Path, threads: int = 0) -> Backbone:
    """Compile the network for this machine, converting it first where the cache does not hold it.

    Args:
        weights: The published checkpoint, verified by the caller.
        recipe: What to build of it.
        cache_dir: Where converted networks are kept; made if absent.
        threads: Threads of one inference, 0 = all.

    Raises:
        WeightsError: If the file does not hold weights of the recipe's architecture.
    """
    import openvino as ov

    digest = hashlib.sha256(weights.read_bytes()).hexdigest()[:12]
    identity = f"{recipe.name}-c{_CONVERSION}-{digest}"
    folder = cache_dir / "networks" / identity
    if not (folder / "network.xml").is_file():
        _convert_into(folder, weights, recipe)
    compiled = ov.Core().compile_model(
        folder / "network.xml",
        "CPU",
        {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": threads},
    )
    return Backbone(compiled, recipe, identity=identity)


def _convert_into(folder: Path, weights: Path, recipe: BackboneRecipe) -> None:
    """Convert beside the folder, then rename: of two processes that do so at once, the first one's work stays."""
    import openvino as ov

    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder.parent))
    try:
        ov.save_model(_convert(weights, recipe), partial / "network.xml", compress_to_fp16=False)
        try:
            partial.replace(folder)
        except OSError:
            if not (folder / "network.xml").is_file():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _convert(weights: Path, recipe: BackboneRecipe) -> Any:
    import warnings

    import openvino as ov
    import torch

    module = _torch_module(weights, recipe)
    example = torch.zeros((1, recipe.height_px, recipe.width_px, 3), dtype=torch.uint8)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        return ov.convert_model(module, example_input=example, input=[(tuple(example.shape), ov.Type.u8)])


def _torch_module(weights: Path, recipe: BackboneRecipe) -> Any:
    import torch

    from reid_core.vision import torch_compat

    torch_compat.install()
    import timm

    trunk = timm.create_model(recipe.architecture, pretrained=False)
    _fill(trunk, weights, recipe)
    levels = tuple(level for level, _ in recipe.taps)
    strips = tuple(count for _, count in recipe.taps)
    trunk.eval()
    mean = torch.tensor(recipe.mean).view(1, 3, 1, 1) * 255.0
    std = torch.tensor(recipe.std).view(1, 3, 1, 1) * 255.0

    class Tapped(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.trunk = trunk

        def forward(self, bgr: torch.Tensor) -> tuple[torch.Tensor, ...]:
            rgb = bgr.permute(0, 3, 1, 2).flip(1).float()
            maps = self.trunk.forward_intermediates((rgb - mean) / std, list(levels), intermediates_only=True)
            pooled = [torch.nn.functional.adaptive_avg_pool2d(m, (s, 1)) for m, s in zip(maps, strips, strict=True)]
            return tuple(p.squeeze(3).transpose(1, 2) for p in pooled)

    return Tapped().eval()


def _fill(trunk: Any, weights: Path, recipe: BackboneRecipe) -> None:
    import torch

    try:
        stored = torch.load(weights, map_location="cpu", weights_only=True)
        trunk.load_state_dict(dict(zip(trunk.state_dict(), stored.values(), strict=True)))
    except Exception as error:
        raise WeightsError(f"{weights.name} does not hold weights of {recipe.architecture}") from error
