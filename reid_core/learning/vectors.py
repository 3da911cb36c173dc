"""Vectors of all tracklets of a set, as the network in training gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from reid_core.models.pictures import balanced_pictures

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from reid_core.learning.device import Device
    from reid_core.learning.tracklet_set import TrackletSet
    from reid_core.models.network import ReidNetwork
    from reid_core.types import FloatArray

__all__ = ["mean_by_tracklet", "picture_vectors", "tracklet_vectors"]

_BATCH = 128


def picture_vectors(
    network: ReidNetwork, pictures: NDArray[np.uint8], crops: NDArray[np.int64], *, device: Device
) -> FloatArray:
    """The network's vectors of some pictures.

    Args:
        network: On the device; it is left in the mode in which it came.
        pictures: RGB. Shape ``(M, H, W, 3)``.
        crops: Which of them. Shape ``(n,)``.
        device: Where the network is.

    Returns:
        Shape ``(n, d)``.
    """
    was_training = network.training
    network.eval()
    with torch.inference_mode(), device.precision():
        parts = []
        for start in range(0, len(crops), _BATCH):
            chosen = balanced_pictures(pictures[crops[start : start + _BATCH]], light=network.recipe.light)
            parts.append(network(device.moved(np.ascontiguousarray(chosen))).float().cpu().numpy())
    network.train(was_training)
    return np.concatenate([*parts, np.zeros((0, network.recipe.dim), np.float32)])


def mean_by_tracklet(vectors: FloatArray, counts: NDArray[np.int64], *, normalised: bool) -> FloatArray:
    """The mean of each run of rows, with length 1 where asked for.

    Args:
        vectors: Tracklet after tracklet. Shape ``(n, d)``.
        counts: Rows of each tracklet, at least 1. Shape ``(N,)``; their sum is ``n``.
        normalised: Whether the means get length 1.

    Returns:
        Shape ``(N, d)``, float32.
    """
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
    means = np.add.reduceat(vectors.astype(np.float64), starts, axis=0) / counts[:, None] if len(counts) else vectors
    if normalised:
        means = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    return means.astype(np.float32)


def tracklet_vectors(
    network: ReidNetwork,
    tracklets: TrackletSet,
    *,
    crops: int,
    device: Device,
    chunk: int = 256,
    report: Callable[[int], None] = lambda _done: None,
) -> FloatArray:
    """The mean of evenly spaced pictures' vectors, tracklet by tracklet; with length 1 if the network's have it.

    Args:
        network: On the device.
        tracklets: Of the network's picture size.
        crops: Pictures of a tracklet, at most.
        device: Where the network is.
        chunk: Tracklets at a time; memory holds the pictures of that many.
        report: Told how many tracklets are done.

    Returns:
        Shape ``(N, d)``.
    """
    parts = [np.zeros((0, network.recipe.dim), np.float32)]
    for start in range(0, len(tracklets), chunk):
        chosen = [tracklets.spread_crops(row, crops) for row in range(start, min(start + chunk, len(tracklets)))]
        vectors = picture_vectors(network, tracklets.images, np.concatenate(chosen), device=device)
        counts = np.array([len(one) for one in chosen], np.int64)
        parts.append(mean_by_tracklet(vectors, counts, normalised=network.recipe.normalised))
        report(min(start + chunk, len(tracklets)))
    return np.concatenate(parts)
