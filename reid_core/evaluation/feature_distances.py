"""Distances between records, computed row by row from their features so that no matrix has to exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.evaluation.feature_files import Distance

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from reid_core.types import FloatArray

__all__ = ["RecordFeatures"]


class RecordFeatures:
    """Features of some of a dataset's records.

    Args:
        features: As `features_of` makes them for ``distance``. Shape ``(P, d)``.
        positions: Which records they belong to. Shape ``(P,)``.
        distance: How they are compared.

    Raises:
        ValueError: If features and positions differ in length.
    """

    def __init__(self, features: FloatArray, positions: NDArray[np.int64], *, distance: Distance) -> None:
        if len(features) != len(positions):
            raise ValueError(f"{len(features)} features for {len(positions)} positions")
        self._features, self._distance = features, distance
        self._place = np.zeros(int(positions.max(initial=-1)) + 1, np.int64)
        self._place[positions] = np.arange(len(positions))

    def distances(self, query: NDArray[np.int64], gallery: NDArray[np.int64]) -> Callable[[int, int], FloatArray]:
        """Rows of the distance matrix from ``(start, stop)`` of the queries.

        Euclidean ones are squared and lack the query's own square, which ranks alike; the mean is taken off first,
        because single precision would otherwise lose small distances far from zero.

        Args:
            query: Positions of the records that ask. Shape ``(Q,)``.
            gallery: Positions of the records that answer, not empty. Shape ``(G,)``.
        """
        asking, answering = self._of(query), self._of(gallery)
        if self._distance is Distance.COSINE:
            return lambda start, stop: 1 - asking[start:stop] @ answering.T
        mean = answering.mean(axis=0, dtype=np.float64).astype(np.float32)
        asking, answering = asking - mean, answering - mean
        squares = np.einsum("gd,gd->g", answering, answering)
        return lambda start, stop: squares - 2 * (asking[start:stop] @ answering.T)

    def comparable_distances(
        self, query: NDArray[np.int64], gallery: NDArray[np.int64]
    ) -> Callable[[int, int], FloatArray]:
        """As `distances`, but Euclidean ones are whole, so that those of different queries can be compared."""
        rows = self.distances(query, gallery)
        if self._distance is Distance.COSINE:
            return rows
        asking = self._of(query) - self._of(gallery).mean(axis=0, dtype=np.float64).astype(np.float32)
        own = np.einsum("qd,qd->q", asking, asking)
        return lambda start, stop: np.sqrt(np.maximum(rows(start, stop) + own[start:stop, None], 0))

    def _of(self, positions: NDArray[np.int64]) -> FloatArray:
        """Their features; a view where they follow each other, so that a large gallery is not copied."""
        rows = self._place[positions]
        if len(rows) == rows[-1] - rows[0] + 1 and (np.diff(rows) == 1).all():
            return self._features[rows[0] : rows[-1] + 1]
        return self._features[rows]
