"""What tracklets are compared by across cameras while a site is being learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.association.camera_shift import without_camera_shift
from reid_core.vision.appearance import stripe_descriptor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.learning.tracklet_set import TrackletSet
    from reid_core.types import FloatArray

__all__ = ["centred_looks", "colour_stripes", "graph_looks", "unit_rows", "with_colours"]


def centred_looks(vectors: FloatArray, cameras: NDArray[np.int64]) -> FloatArray:
    """Vectors without what their cameras add to them. Shape ``(N, d)``, L2-normalised."""
    return unit_rows(without_camera_shift(vectors, cameras))


def graph_looks(vectors: FloatArray, cameras: NDArray[np.int64], *, centred: bool) -> FloatArray:
    """Vectors of length 1, without what their cameras add to them where asked for. Shape ``(N, d)``.

    Of a camera with a single tracklet nothing would be left: it stays as it is. So does a row of zeros, which nothing
    can be compared with; it points to the first axis.
    """
    looks = unit_rows(vectors)
    looks[np.linalg.norm(looks, axis=1) < 0.5, 0] = 1.0
    if not centred:
        return looks
    moved = centred_looks(vectors, cameras)
    kept: FloatArray = np.where(np.linalg.norm(moved, axis=1, keepdims=True) > 0.5, moved, looks)
    return kept


def with_colours(vectors: FloatArray, colours: FloatArray, *, share: float) -> FloatArray:
    """Vectors joined with colour stripes.

    Args:
        vectors: Of the network. Shape ``(N, d)``.
        colours: Of the same tracklets. Shape ``(N, c)``.
        share: Weight of the colours' cosine in the joined cosine, in ``[0, 1]``.

    Returns:
        L2-normalised. Shape ``(N, d + c)``.

    Raises:
        ValueError: If the share is out of range.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"a share is in [0, 1], got {share}")
    return unit_rows(np.concatenate([unit_rows(vectors) * (1 - share) ** 0.5, unit_rows(colours) * share**0.5], axis=1))


def colour_stripes(tracklets: TrackletSet, *, crops: int) -> FloatArray:
    """Mean colour stripes of each tracklet's evenly spaced pictures. Shape ``(N, c)``."""
    rows = []
    for row in range(len(tracklets)):
        pictures = tracklets.images[tracklets.spread_crops(row, crops)]
        rows.append(np.mean([stripe_descriptor(picture[..., ::-1]) for picture in pictures], axis=0))
    return np.stack(rows).astype(np.float32)


def unit_rows(vectors: NDArray[np.floating]) -> FloatArray:
    """Every row with length 1; a row of zeros stays as it is. Shape ``(N, d)``."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: FloatArray = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return unit
