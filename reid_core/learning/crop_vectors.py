"""The vectors of all crops of many tracklets, and what means over parts of them are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CropVectors"]


@dataclass(frozen=True, slots=True, eq=False)
class CropVectors:
    """One model's vectors of the crops of N tracklets, by tracklet and then by time.

    Attributes:
        vectors: One for each crop. Shape ``(K, d)``.
        times_s: When each crop was taken, rising within a tracklet. Shape ``(K,)``.
        first_crop: Where each tracklet's crops begin, and at last ``K``. Shape ``(N + 1,)``.
        cameras: Who saw each tracklet, as numbers. Shape ``(N,)``.

    Raises:
        ValueError: If the shapes do not fit, ``first_crop`` falls, or a vector or time is not finite.
    """

    vectors: NDArray[np.floating]
    times_s: NDArray[np.float64]
    first_crop: NDArray[np.int64]
    cameras: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Refuse what does not fit."""
        crops, tracklets = len(self.vectors), len(self.cameras)
        if self.times_s.shape != (crops,) or self.first_crop.shape != (tracklets + 1,) or self.vectors.ndim != 2:
            shapes = f"{self.vectors.shape}, {self.times_s.shape}, {self.first_crop.shape}, {self.cameras.shape}"
            raise ValueError(f"crops need shapes (K, d), (K,), (N + 1,), (N,), got {shapes}")
        if self.first_crop[0] != 0 or self.first_crop[-1] != crops or (np.diff(self.first_crop) < 0).any():
            raise ValueError(f"crops must be counted from 0 to {crops} without falling")
        if not (np.isfinite(self.vectors).all() and np.isfinite(self.times_s).all()):
            raise ValueError("a crop's vector or time is not finite")

    def __len__(self) -> int:
        return len(self.cameras)

    @property
    def owners(self) -> NDArray[np.int64]:
        """The tracklet of each crop. Shape ``(K,)``."""
        return np.repeat(np.arange(len(self)), np.diff(self.first_crop))

    def means(self, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Mean of some crops' unit vectors for each tracklet, of unit length.

        Args:
            chosen: Which crops count. Shape ``(K,)``.

        Returns:
            Shape ``(N, d)``; zeros for a tracklet without a chosen crop.
        """
        sums = np.zeros((len(self), self.vectors.shape[1]))
        np.add.at(sums, self.owners[chosen], _unit(self.vectors[chosen].astype(np.float64)))
        return _unit(sums)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float64] = vectors / np.where(lengths > 0, lengths, 1.0)
    return unit
