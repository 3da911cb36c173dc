"""One-dimensional k-means over the distances of candidate pairs: the cluster of the smallest is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["kmeans_1d", "lowest_cluster"]

_MOST_ROUNDS = 1000


def kmeans_1d(values: NDArray[np.floating], k: int) -> NDArray[np.int64]:
    """Lloyd's algorithm on a line, its centres evenly spaced from the least to the greatest value at first.

    A value half-way between two centres goes to the lower one. A centre that loses all its values stays where it is, so
    there may be fewer clusters than ``k``. With fewer different values than ``k``, each is a cluster of its own.

    Args:
        values: Finite. Shape ``(n,)``.
        k: How many centres, at least 1.

    Returns:
        The cluster of each value, numbered from 0 by rising centre; numbers of empty clusters are not used.
        Shape ``(n,)``.

    Raises:
        ValueError: If ``k`` is below 1, or a value is not finite.

    Example:
        >>> kmeans_1d(np.array([0.1, 0.2, 0.8, 0.5, 0.15]), 3).tolist()
        [0, 0, 2, 1, 0]

    Source:
        Xie et al., "Progressive Unsupervised Person Re-identification by Tracklet Association with Spatio-Temporal
        Regularization", section IV-C.
    """
    if k < 1:
        raise ValueError(f"k-means needs at least one centre, got {k}")
    points = values.astype(np.float64)
    if points.ndim != 1 or not np.isfinite(points).all():
        raise ValueError(f"values on a line must be finite and one-dimensional, got shape {points.shape}")
    different = np.unique(points)
    if len(different) <= k:
        return np.searchsorted(different, points).astype(np.int64)
    centres = np.linspace(different[0], different[-1], k)
    labels = _nearest(points, centres)
    for _ in range(_MOST_ROUNDS):
        centres = _means(points, labels, centres)
        moved = _nearest(points, centres)
        if np.array_equal(moved, labels):
            break
        labels = moved
    return labels


def lowest_cluster(values: NDArray[np.floating], k: int) -> NDArray[np.bool_]:
    """True where a value lies in the cluster of least mean; everywhere with ``k`` = 1.

    Args:
        values: Visual distances of one camera pair's candidates. Shape ``(n,)``.
        k: As in `kmeans_1d`, which also says what is refused.

    Example:
        >>> lowest_cluster(np.array([0.1, 0.2, 0.8, 0.5, 0.15]), 3).tolist()
        [True, True, False, False, True]
    """
    labels = kmeans_1d(values, k)
    if k == 1:
        return np.ones(len(labels), np.bool_)
    lowest: NDArray[np.bool_] = labels == labels.min(initial=len(labels))
    return lowest


def _nearest(values: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rising centres' number for each value; the lower one where two are as near."""
    return np.searchsorted((centres[1:] + centres[:-1]) / 2, values, side="left").astype(np.int64)


def _means(values: NDArray[np.float64], labels: NDArray[np.int64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each cluster; an empty one keeps its centre."""
    counts = np.bincount(labels, minlength=len(centres))
    sums = np.bincount(labels, weights=values, minlength=len(centres))
    return np.where(counts > 0, sums / np.maximum(counts, 1), centres)
