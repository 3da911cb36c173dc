"""The simplest fusion: looks plus a histogram of transit gaps, learnt without labels from training images.

A yardstick, not the product's method: gaps of visual neighbours against gaps of anybody, one table for each directed
pair of cameras, added to the distance with a fixed weight. Nothing in it was tuned on the harness.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.evaluation.fusion.case import FusionCase, Rows
    from reid_core.evaluation.fusion.lists import TimedImages, TimedLists
    from reid_core.types import FloatArray

__all__ = ["nearest_elsewhere", "transit_evidence", "transit_rows"]

_BIN_FRAMES = 250
_PRIOR_PAIRS = 20.0
_TRUSTED = 0.5
_DISTANCE_PER_NAT = 0.05
_BLOCK = 512


def transit_rows(case: FusionCase) -> Rows:
    """Cosine distance minus a fixed weight times the evidence of time (log-odds; none within one camera)."""
    features = case.features
    train, query, gallery = _binned(case.lists)
    tables = _tables(train, nearest_elsewhere(features.train, case.lists.train))
    there = gallery.cameras * tables.shape[2] - gallery.bins + tables.shape[2] // 2

    def rows(start: int, stop: int) -> FloatArray:
        here = query.cameras[start:stop] * (tables.shape[1] * tables.shape[2]) + query.bins[start:stop]
        looks = 1 - features.query[start:stop] @ features.gallery.T
        looks -= np.float32(_DISTANCE_PER_NAT) * tables.ravel()[here[:, None] + there[None, :]]
        return looks

    return rows


def transit_evidence(gaps: NDArray[np.int64], here: NDArray[np.int64], there: NDArray[np.int64]) -> NDArray[np.float64]:
    """Log-odds of each gap between two cameras, for one person against two.

    Args:
        gaps: Bin of each neighbouring pair's gap (here minus there), from 0. Shape ``(M,)``.
        here: Images in each bin of time at the one camera. Shape ``(B,)``.
        there: The same at the other.

    Returns:
        Evidence in nats for each gap from ``-(B - 1)`` to ``B - 1`` bins, at least ``log(1 - _TRUSTED)``, so that time
        never vetoes. Shape ``(2 B - 1,)``.

    Example:
        >>> transit_evidence(np.array([], np.int64), np.array([1, 1]), np.array([1, 1])).tolist()
        [0.0, 0.0, 0.0]
    """
    anybody = np.convolve(here.astype(np.float64), there[::-1].astype(np.float64)) + 1e-3
    anybody /= anybody.sum()
    counts = np.convolve(np.bincount(gaps, minlength=len(anybody)), [0.25, 0.5, 0.25])[1:-1]
    walked = (counts + _PRIOR_PAIRS * anybody) / (counts.sum() + _PRIOR_PAIRS)
    evidence: NDArray[np.float64] = np.log(_TRUSTED * walked / anybody + 1 - _TRUSTED)
    return evidence


def nearest_elsewhere(features: FloatArray, images: TimedImages) -> NDArray[np.int64]:
    """The most alike image of another camera, -1 where there is none. Shape ``(N,)``."""
    nearest = np.full(len(features), -1, np.int64)
    for start in range(0, len(features), _BLOCK):
        alike = features[start : start + _BLOCK] @ features.T
        alike[images.camera_ids[start : start + _BLOCK, None] == images.camera_ids[None, :]] = -np.inf
        best = alike.argmax(axis=1)
        nearest[start : start + _BLOCK] = np.where(np.isfinite(alike[np.arange(len(best)), best]), best, -1)
    return nearest


@dataclass(frozen=True, slots=True, eq=False)
class _Binned:
    """Camera and bin of time of each image, both numbered from 0 over all parts, and how many there are."""

    cameras: NDArray[np.int64]
    bins: NDArray[np.int64]
    camera_count: int
    bin_count: int


def _binned(lists: TimedLists) -> tuple[_Binned, _Binned, _Binned]:
    parts = (lists.train, lists.query, lists.gallery)
    cameras = np.unique(np.concatenate([part.camera_ids for part in parts]))
    frames = np.concatenate([part.frames for part in parts])
    first, last = int(frames.min()) // _BIN_FRAMES, int(frames.max()) // _BIN_FRAMES
    train, query, gallery = (
        _Binned(
            np.searchsorted(cameras, part.camera_ids),
            part.frames // _BIN_FRAMES - first,
            len(cameras),
            last - first + 1,
        )
        for part in parts
    )
    return train, query, gallery


def _tables(train: _Binned, neighbours: NDArray[np.int64]) -> FloatArray:
    """Evidence of each gap, for each directed pair of cameras; zero within one. Shape ``(C, C, 2 B - 1)``."""
    cameras = train.camera_count
    tables = np.zeros((cameras, cameras, 2 * train.bin_count - 1), np.float32)
    seen = [np.bincount(train.bins[train.cameras == c], minlength=train.bin_count) for c in range(cameras)]
    for here, there in itertools.permutations(range(cameras), 2):
        pairs = (train.cameras == here) & (neighbours >= 0) & (train.cameras[neighbours] == there)
        gaps = train.bins[pairs] - train.bins[neighbours[pairs]] + train.bin_count - 1
        tables[here, there] = transit_evidence(gaps, seen[here], seen[there])
    return tables
