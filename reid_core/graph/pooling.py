"""Images that follow each other at one camera and look alike, pooled into tracklets before a graph is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from reid_core.spatio_temporal.sightings import Sightings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.types import FloatArray

__all__ = ["Pooled", "pool_tracklets"]

_BLOCK = 64


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """Tracklets made of images.

    Attributes:
        numbers: Tracklet of each image, from 0. Shape ``(N,)``, int64.
        vectors: Mean look of each, of length 1. Shape ``(T, d)``, float32.
        sightings: Where, and at the mean time of its images when. T of them.
    """

    numbers: NDArray[np.int64]
    vectors: FloatArray
    sightings: Sightings


def pool_tracklets(vectors: FloatArray, sightings: Sightings, *, within_s: float, least_cosine: float) -> Pooled:
    """Join images of one camera that start within so many seconds of each other and look alike, in chains.

    Args:
        vectors: L2-normalised. Shape ``(N, d)``.
        sightings: N of them; those without a time stay alone.
        within_s: 0 leaves every image alone.
        least_cosine: They look alike from this cosine on.

    Raises:
        ValueError: If lengths differ.
    """
    if len(vectors) != len(sightings):
        raise ValueError(f"{len(vectors)} vectors and {len(sightings)} sightings do not fit")
    count = len(vectors)
    if not within_s > 0:
        return Pooled(np.arange(count), np.asarray(vectors, np.float32), sightings)
    rows, others = _alike(vectors, sightings, within_s, least_cosine)
    links = coo_array((np.ones(len(rows)), (rows, others)), shape=(count, count))
    tracklets, numbers = connected_components(links, directed=False) if count else (0, np.zeros(0))
    return _pooled(vectors, sightings, numbers.astype(np.int64), tracklets)


def _alike(
    vectors: FloatArray, sightings: Sightings, within_s: float, least_cosine: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of one camera, near in time and alike."""
    found = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
    for camera in range(len(sightings.camera_ids)):
        mine = np.flatnonzero((sightings.cameras == camera) & np.isfinite(sightings.starts_s))
        mine = mine[np.argsort(sightings.starts_s[mine], kind="stable")]
        times_s, looks = sightings.starts_s[mine], vectors[mine]
        past = np.searchsorted(times_s, times_s + within_s, side="right")
        for start in range(0, len(mine), _BLOCK):
            rows = slice(start, start + _BLOCK)
            columns = slice(start, past[rows][-1])
            numbers = np.arange(columns.start, columns.stop)
            near = (numbers < past[rows, None]) & (numbers > numbers[: len(past[rows]), None])
            at, other = np.nonzero(near & (looks[rows] @ looks[columns].T >= least_cosine))
            found.append((mine[at + start], mine[other + start]))
    rows_a, rows_b = (np.concatenate(column) for column in zip(*found, strict=True))
    return rows_a, rows_b


def _pooled(vectors: FloatArray, sightings: Sightings, numbers: NDArray[np.int64], tracklets: int) -> Pooled:
    members = csr_array(
        (np.ones(len(numbers), np.float32), (numbers, np.arange(len(numbers)))), (tracklets, len(numbers))
    )
    sums = np.asarray(members @ np.asarray(vectors, np.float32), np.float32)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    counts = np.bincount(numbers, minlength=tracklets)
    cameras = np.zeros(tracklets, np.int64)
    cameras[numbers] = sightings.cameras
    middle_s = np.bincount(numbers, (sightings.starts_s + sightings.ends_s) / 2, minlength=tracklets) / counts
    return Pooled(
        numbers, sums / np.maximum(lengths, 1e-12), Sightings(sightings.camera_ids, cameras, middle_s, middle_s)
    )
