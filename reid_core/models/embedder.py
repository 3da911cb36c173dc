"""The cold-start embedding: colour stripes and an ImageNet network's features, fused so that cosines add up.

Every part is L2-normalised and scaled by the root of its weight; the concatenation's cosine is therefore the weighted
mean of the parts' cosines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.models.backbone import Backbone, BackboneRecipe, load_backbone
from reid_core.types import Embedding
from reid_core.vision.appearance import stripe_descriptor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reid_core.types import FloatArray, ImageBGR, Tracklet

__all__ = ["ColdStartEmbedder", "fuse", "load_embedder", "pick_crops_to_embed"]

_MOST_CROPS = 12
_COLOUR_WEIGHT = 0.8


class ColdStartEmbedder:
    """Embeds crops with no training on people at all."""

    def __init__(self, backbone: Backbone) -> None:
        self._backbone = backbone
        self._dim = self.embed([np.zeros((8, 4, 3), np.uint8)]).vector.size

    @property
    def model_id(self) -> str:
        """Recipe and weights."""
        return f"cold-start-1-{self._backbone.identity}"

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._dim

    def embed(self, crops: Sequence[ImageBGR]) -> Embedding:
        """Embed one tracklet's crops (at least one).

        Raises:
            ValueError: If there is no crop, or one is not BGR uint8.
        """
        if not crops:
            raise ValueError("a tracklet without crops cannot be embedded")
        colour = np.stack([stripe_descriptor(crop) for crop in crops])
        texture = self._backbone.features(crops).reshape(len(crops), -1)
        vectors = fuse((colour, texture), weights=(_COLOUR_WEIGHT, 1 - _COLOUR_WEIGHT))
        return Embedding(self.model_id, _normalised(vectors.mean(axis=0)), vectors)


def fuse(parts: Sequence[FloatArray], *, weights: Sequence[float]) -> FloatArray:
    """Concatenate parts so that cosines add up by weight. ``(N, d_i)`` each to ``(N, sum d_i)``, L2-normalised."""
    total = sum(weights)
    scaled = [_normalised(part) * (weight / total) ** 0.5 for part, weight in zip(parts, weights, strict=True)]
    return np.concatenate(scaled, axis=-1).astype(np.float32)


def load_embedder(*, weights: Path, cache_dir: Path, threads: int = 0) -> ColdStartEmbedder:
    """The cold-start embedder, its network converted on first use and kept in ``cache_dir``.

    Raises:
        WeightsError: If the file does not hold the expected network's weights.
    """
    return ColdStartEmbedder(load_backbone(weights, BackboneRecipe(), cache_dir=cache_dir, threads=threads))


def pick_crops_to_embed(tracklet: Tracklet) -> tuple[int, ...]:
    """Crop numbers to embed, at most 12: the best of each of 12 equal spans of the track, in order of time."""
    count = len(tracklet.crops)
    rank = {number: place for place, number in enumerate(tracklet.display_order)}
    spans = np.array_split(np.arange(count), min(count, _MOST_CROPS))
    return tuple(int(min(span, key=lambda number: rank.get(int(number), count))) for span in spans)


def _normalised(rows: FloatArray) -> FloatArray:
    norm = np.linalg.norm(rows, axis=-1, keepdims=True)
    unit: FloatArray = np.divide(rows, norm, out=np.zeros_like(rows), where=norm > 0)
    return unit
