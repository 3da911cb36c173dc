"""How far each tracklet lies from other people, at its own camera and at others: what its distances are measured by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.association.pair_costs import Metric, visual_distances
from reid_core.spatio_temporal.yardstick import log_distances

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.spatio_temporal.yardstick import Yardstick

__all__ = ["measure", "standardised"]

_AT_MOST = 2048  # others, spread evenly
_FEWEST = 50  # others: in a smaller crowd, the few who are the same person would move the mean
_PRIOR_ENTRIES = 10.0
_LEAST_SPREAD = 0.02
_BLOCK = 512


def measure(
    vectors: NDArray[np.floating], cameras: NDArray[np.int64], rows: NDArray[np.int64], *, prior: Yardstick
) -> NDArray[np.float64]:
    """Yardsticks of some tracklets, as `Yardstick.of` makes them; with fewer than 50 others, the prior itself.

    Args:
        vectors: Of all tracklets, L2-normalised. Shape ``(N, d)``.
        cameras: Who saw them. Shape ``(N,)``.
        rows: Which to measure. Shape ``(n,)``.
        prior: Of the site.

    Returns:
        For each, at other cameras and at its own: mean and spread of the logarithm of distances. Shape ``(n, 2, 2)``.
    """
    others = np.unique(np.linspace(0, len(vectors) - 1, min(_AT_MOST, len(vectors))).round().astype(np.int64))
    found = np.empty((len(rows), 2, 2))
    for start in range(0, len(rows), _BLOCK):
        some = rows[start : start + _BLOCK]
        logs = log_distances(visual_distances(vectors[some], vectors[others], metric=Metric.COSINE))
        is_own = cameras[some][:, None] == cameras[others][None, :]
        counts = some[:, None] != others[None, :]
        for side, chosen in enumerate((~is_own & counts, is_own & counts)):
            found[start : start + len(some), side] = _of(logs, chosen, prior)
    return found


def standardised(
    distances: NDArray[np.floating], yardsticks: NDArray[np.float64], is_own: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Distances in spreads from the mean of the yardstick that counts.

    Args:
        distances: Cosine distances. Shape ``(n, m)``.
        yardsticks: Of the n rows, as `measure` has them. Shape ``(n, 2, 2)``.
        is_own: Whether both are of one camera. Shape ``(n, m)``.
    """
    mean, spread = (np.where(is_own, yardsticks[:, 1, part, None], yardsticks[:, 0, part, None]) for part in (0, 1))
    standard: NDArray[np.float64] = (log_distances(distances) - mean) / spread
    return standard


def _of(logs: NDArray[np.float64], chosen: NDArray[np.bool_], prior: Yardstick) -> NDArray[np.float64]:
    """Means and spreads, row by row. Shape ``(n, 2)``."""
    count, sums = chosen.sum(axis=1), np.where(chosen, logs, 0.0).sum(axis=1)
    total = count + _PRIOR_ENTRIES
    mean = (sums + _PRIOR_ENTRIES * prior.mean_log) / total
    squares = np.where(chosen, np.square(logs - mean[:, None]), 0.0).sum(axis=1)
    squares += _PRIOR_ENTRIES * (prior.spread_log**2 + np.square(prior.mean_log - mean))
    spread = np.maximum(np.sqrt(squares / total), _LEAST_SPREAD)
    few = count < _FEWEST
    return np.column_stack([np.where(few, prior.mean_log, mean), np.where(few, prior.spread_log, spread)])
