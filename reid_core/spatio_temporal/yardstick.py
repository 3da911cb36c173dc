"""How far one query lies from people that it does not show: the yardstick for how near a near answer is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Yardstick"]

_LEAST_DISTANCE = 1e-3
_LEAST_SPREAD = 0.02
_PRIOR_ENTRIES = 10.0


@dataclass(frozen=True, slots=True)
class Yardstick:
    """The logarithms of a query's distances to other people, told by their mean and spread.

    A dim or blurred tracklet is near to everybody: 0.05 means less for it than for a clear one. Distances are therefore
    read on the query's own yardstick; within one search that changes no order.

    Attributes:
        mean_log: Mean of the logarithm of the cosine distances.
        spread_log: Their standard deviation, above 0.
    """

    mean_log: float
    spread_log: float

    def __post_init__(self) -> None:
        """Refuse what cannot be a mean and a spread."""
        if not (np.isfinite(self.mean_log) and np.isfinite(self.spread_log) and self.spread_log > 0):
            raise ValueError(f"a yardstick needs a mean and a spread above 0, got {self.mean_log}, {self.spread_log}")

    @staticmethod
    def of(distances: NDArray[np.floating], *, prior: Yardstick | None = None) -> Yardstick:
        """The yardstick that some distances make; few of them are drawn to the prior as if ten more had been there.

        Args:
            distances: Cosine distances of one query to many tracklets; the few that show the same person among them do
                no harm. Shape ``(n,)``.
            prior: Of the site; may be left out where there are at least two distances.

        Raises:
            ValueError: If there are fewer than two distances and no prior.

        Example:
            >>> Yardstick.of(np.exp([-1.0, -3.0]))
            Yardstick(mean_log=-2.0, spread_log=1.0)
        """
        logs = log_distances(distances)
        if prior is None:
            if len(logs) < 2:
                raise ValueError(f"a yardstick needs at least two distances, got {len(logs)}")
            return Yardstick(float(logs.mean()), max(float(logs.std()), _LEAST_SPREAD))
        total = len(logs) + _PRIOR_ENTRIES
        mean = (float(logs.sum()) + _PRIOR_ENTRIES * prior.mean_log) / total
        squares = float(np.square(logs - mean).sum())
        squares += _PRIOR_ENTRIES * (prior.spread_log**2 + (prior.mean_log - mean) ** 2)
        return Yardstick(mean, max(float(np.sqrt(squares / total)), _LEAST_SPREAD))

    def standardise(self, distances: NDArray[np.floating]) -> NDArray[np.float64]:
        """Distances in spreads from the mean, of their logarithms: 0 is as far as anybody, -4 is very near.

        Example:
            >>> Yardstick(-2.0, 0.5).standardise(np.exp([-2.0, -3.0])).tolist()
            [0.0, -2.0]
        """
        standard: NDArray[np.float64] = (log_distances(distances) - self.mean_log) / self.spread_log
        return standard


def log_distances(distances: NDArray[np.floating]) -> NDArray[np.float64]:
    """Logarithms of cosine distances, those below a thousandth (the noise of half precision) taken as a thousandth."""
    logs: NDArray[np.float64] = np.log(np.clip(np.asarray(distances, np.float64), _LEAST_DISTANCE, 2.0))
    return logs
