"""Who is whose: for any tracklet, the tracklets that share its person, those that do not, and those nobody can tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.association.known_links import KnownLinks

__all__ = ["PairWeights", "Relations"]


@dataclass(frozen=True, slots=True, eq=False)
class PairWeights:
    """Weighted pairs of tracklets, each pair once, without direction.

    Attributes:
        rows_a: Shape ``(P,)``.
        rows_b: Shape ``(P,)``.
        weights: Shape ``(P,)``.
    """

    rows_a: NDArray[np.int64]
    rows_b: NDArray[np.int64]
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rows_a)

    @staticmethod
    def none() -> PairWeights:
        """No pair."""
        return PairWeights(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


class Relations:
    """Answers for some tracklets at a time, so that a large site needs no matrix of all against all.

    Args:
        cameras: Of all tracklets. Shape ``(N,)``.
        starts_s: NaN where not known. Shape ``(N,)``.
        ends_s: NaN where not known. Shape ``(N,)``.
        positives: Pairs that are one person, weights in ``(0, 1]``; a tracklet is its own with weight 1.
        doubtful: Pairs that may be one person.
        apart_s: A tracklet of the same camera that begins that soon after another's end may be its continuation.
        one_camera: Whether tracklets of other cameras are all doubtful, as before any association.
        known: What people said; it stands above doubts and continuations. ``None``: nothing.
    """

    def __init__(
        self,
        cameras: NDArray[np.int64],
        starts_s: NDArray[np.float64],
        ends_s: NDArray[np.float64],
        *,
        positives: PairWeights,
        doubtful: PairWeights,
        apart_s: float,
        one_camera: bool,
        known: KnownLinks | None = None,
    ) -> None:
        self._cameras, self._starts_s, self._ends_s = cameras, starts_s, ends_s
        self._apart_s, self._one_camera = apart_s, one_camera
        self._surely_two = _matrix(_as_pairs(known.cannot) if known else PairWeights.none(), len(cameras))
        confirmed = _as_pairs(known.must) if known else PairWeights.none()
        self._positives = _matrix(_joined(positives, confirmed), len(cameras))
        self._doubtful = _matrix(doubtful, len(cameras))

    def __len__(self) -> int:
        return len(self._cameras)

    def of(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Weights of the positives of these tracklets, and which tracklets say nothing about them.

        Returns:
            Weights and mask, each of shape ``(len(rows), N)``. Whoever is neither is somebody else.
        """
        positives = self._positives[rows].toarray().astype(np.float32)
        positives[np.arange(len(rows)), rows] = 1.0
        unsure = (self._doubtful[rows].toarray() > 0) | self._may_continue(rows)
        if self._one_camera:
            unsure |= self._cameras[rows][:, None] != self._cameras[None, :]
        return positives, unsure & (positives == 0) & (self._surely_two[rows].toarray() == 0)

    def partners(self, row: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """A tracklet's associates, itself not among them, and their weights."""
        start, stop = self._positives.indptr[row : row + 2]
        return self._positives.indices[start:stop].astype(np.int64), self._positives.data[start:stop]

    def _may_continue(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Same camera, not seen together, and too close in time (or at unknown times)."""
        after = self._starts_s[None, :] - self._ends_s[rows][:, None]
        before = self._starts_s[rows][:, None] - self._ends_s[None, :]
        gap = np.maximum(after, before)
        surely_other = (gap <= 0) | (gap > self._apart_s)  # NaN is neither
        same_camera: NDArray[np.bool_] = self._cameras[rows][:, None] == self._cameras[None, :]
        return same_camera & ~surely_other


def _as_pairs(links: NDArray[np.int64]) -> PairWeights:
    return PairWeights(links[:, 0], links[:, 1], np.ones(len(links)))


def _joined(one: PairWeights, other: PairWeights) -> PairWeights:
    return PairWeights(
        np.concatenate([one.rows_a, other.rows_a]),
        np.concatenate([one.rows_b, other.rows_b]),
        np.concatenate([one.weights, other.weights]),
    )


def _matrix(pairs: PairWeights, count: int) -> coo_array:
    """Symmetric, in compressed rows; of a pair that is named twice the larger weight counts."""
    low, high = np.minimum(pairs.rows_a, pairs.rows_b), np.maximum(pairs.rows_a, pairs.rows_b)
    order = np.lexsort((-pairs.weights, high, low))
    ends = np.stack([low[order], high[order]], axis=1)
    first = np.ones(len(ends), np.bool_)
    first[1:] = (ends[1:] != ends[:-1]).any(1)
    (one, other), weights = ends[first].T, pairs.weights[order][first]
    both = np.concatenate([one, other]), np.concatenate([other, one])
    return coo_array((np.concatenate([weights, weights]), both), shape=(count, count)).tocsr()
