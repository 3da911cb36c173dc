"""The cold-start embedding: colour stripes and an ImageNet network's stripes, fused so that cosines add up.

Nothing in it was trained on people. What was tried and what it scored is in ``docs/adr/0015-cold-start-embedding.md``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from reid_core.models.backbone import BackboneRecipe, load_backbone
from reid_core.models.projection import sign_projection
from reid_core.types import Embedding
from reid_core.vision.appearance import stripe_descriptor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reid_core.types import FloatArray, ImageBGR, Tracklet

__all__ = ["ColdStartEmbedder", "Features", "choose_crops", "fuse", "load_embedder", "pick_crops_to_embed"]

_RECIPE = "cold-start-1"  # raise it whenever equal crops would get another vector
_MOST_CROPS = 12
_COLOUR_WEIGHT, _TEXTURE_WEIGHT = 0.8, 0.2
_TEXTURE_LENGTH = 208


class Features(Protocol):
    """Striped features of crops, as `Backbone` gives them."""

    @property
    def identity(self) -> str:
        """Names network and weights."""
        ...

    def features(self, crops: Sequence[ImageBGR]) -> FloatArray:
        """``N`` crops to ``(N, stripes, channels)``."""
        ...


class ColdStartEmbedder:
    """Embeds the crops of a tracklet; several threads may use one embedder.

    A crop's vector does not depend on the crops beside it; a tracklet's vector is the normalised mean of its crops'.
    """

    def __init__(self, backbone: Features) -> None:
        self._backbone = backbone
        self._dim = int(self._vectors([np.zeros((8, 4, 3), np.uint8)]).shape[1])

    @property
    def model_id(self) -> str:
        """Recipe, network and weights."""
        return f"{_RECIPE}-{self._backbone.identity}"

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
        vectors = self._vectors(crops)
        return Embedding(self.model_id, _normalised(vectors.mean(axis=0)), vectors)

    def _vectors(self, crops: Sequence[ImageBGR]) -> FloatArray:
        colour = np.stack([stripe_descriptor(crop) for crop in crops])
        striped = self._backbone.features(crops).reshape(len(crops), -1)
        texture = np.stack([row @ _texture_projection(striped.shape[1]) for row in striped])
        return fuse((colour, texture), weights=(_COLOUR_WEIGHT, _TEXTURE_WEIGHT))


def fuse(parts: Sequence[FloatArray], *, weights: Sequence[float]) -> FloatArray:
    """Join parts so that the cosine of two joined vectors is the weighted mean of their parts' cosines.

    Args:
        parts: Arrays of one row for each crop. Shapes ``(N, d_1)``, ``(N, d_2)`` ...; a row of zeros takes no part.
        weights: One for each part, above 0.

    Returns:
        L2-normalised rows. Shape ``(N, d_1 + d_2 + ...)``.

    Raises:
        ValueError: If weights and parts do not pair up or a weight is not above 0.

    Example:
        >>> fuse([np.array([[2.0, 0.0]]), np.array([[5.0]])], weights=[0.75, 0.25]).round(4)
        array([[0.866, 0.   , 0.5  ]], dtype=float32)
    """
    if len(parts) != len(weights) or not all(weight > 0 for weight in weights):
        raise ValueError(f"{len(parts)} parts need as many weights above 0, got {list(weights)}")
    scaled = [_normalised(part) * weight**0.5 for part, weight in zip(parts, weights, strict=True)]
    return _normalised(np.concatenate(scaled, axis=1)).astype(np.float32)


def load_embedder(*, weights: Path, cache_dir: Path, threads: int = 0) -> ColdStartEmbedder:
    """The cold-start embedder, its network converted on first use and kept in ``cache_dir``.

    Args:
        weights: ImageNet MobileNetV2 as torchvision publishes it.
        cache_dir: Where converted networks are kept; made if absent.
        threads: Threads of one inference, 0 = all.

    Raises:
        WeightsError: If the file does not hold the expected network's weights.
        StorageError: If ``cache_dir`` cannot be written to.
    """
    return ColdStartEmbedder(load_backbone(weights, BackboneRecipe(), cache_dir=cache_dir, threads=threads))


def pick_crops_to_embed(tracklet: Tracklet) -> tuple[int, ...]:
    """Crop numbers to embed of a tracklet; see `choose_crops`."""
    return choose_crops(len(tracklet.crops), tracklet.display_order)


def choose_crops(count: int, display_order: Sequence[int]) -> tuple[int, ...]:
    """Which of ``count`` crops to embed, at most 12, in order of time.

    The crops are cut into 12 equal runs; each gives the one that stands first in display order.
    """
    place = {number: rank for rank, number in enumerate(display_order)}
    runs = np.array_split(np.arange(count), min(count, _MOST_CROPS)) if count else []
    return tuple(min(run.tolist(), key=lambda number: (place.get(number, count), number)) for run in runs)


@lru_cache(maxsize=4)
def _texture_projection(length: int) -> FloatArray:
    projection = sign_projection(length, _TEXTURE_LENGTH)
    projection.setflags(write=False)
    return projection


def _normalised(rows: FloatArray) -> FloatArray:
    norm = np.linalg.norm(rows, axis=-1, keepdims=True)
    unit: FloatArray = np.divide(rows, norm, out=np.zeros_like(rows), where=norm > 0)
    return unit
