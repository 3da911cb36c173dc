"""Shares that are counted tracklet by tracklet, with bootstrap intervals and paired comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Comparison", "Interval", "Tally", "compare_tallies"]

_DRAWS = 2000
_COVERED = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A share and the bounds between which it lies in 95 of 100 bootstrap draws; all ``None`` without a trial."""

    value: float | None
    low: float | None
    high: float | None

    def as_dict(self) -> dict[str, float | None]:
        """For JSON."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much larger one share is than another that was counted on the same tracklets.

    Attributes:
        difference: Candidate less current, in ``[-1, 1]``; ``None`` where either has no trial.
        low: 95% bootstrap bound below.
        high: The bound above.
        is_better_share: Share of draws in which the candidate's is strictly larger, in ``[0, 1]``.
    """

    difference: float | None
    low: float | None
    high: float | None
    is_better_share: float | None

    def as_dict(self) -> dict[str, float | None]:
        """For JSON."""
        return {
            "difference": self.difference,
            "low": self.low,
            "high": self.high,
            "is_better_share": self.is_better_share,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Hits and trials of each tracklet; the share is all hits over all trials.

    A tracklet is what the bootstrap draws, since trials of one tracklet rise and fall together.

    Attributes:
        hits: Not more than the trials. Shape ``(N,)``.
        trials: 0 where a tracklet has nothing to say. Shape ``(N,)``.

    Raises:
        ValueError: If the shapes differ, or hits are not between 0 and the trials.
    """

    hits: NDArray[np.float64]
    trials: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Refuse counts that are none."""
        if self.hits.shape != self.trials.shape or self.hits.ndim != 1:
            raise ValueError(f"{self.hits.shape} hits and {self.trials.shape} trials do not fit")
        if not ((self.hits >= 0) & (self.hits <= self.trials + 1e-9)).all():
            raise ValueError("hits must lie between 0 and the trials of the same tracklet")

    @property
    def share(self) -> float | None:
        """In ``[0, 1]``; ``None`` without a trial."""
        total = float(self.trials.sum())
        return float(self.hits.sum()) / total if total > 0 else None

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Tally:
        """The same of some tracklets only."""
        return Tally(self.hits[rows], self.trials[rows])

    def interval(self, *, seed: int, draws: int = _DRAWS) -> Interval:
        """Percentile bootstrap over tracklets.

        Args:
            seed: Of the draws.
            draws: How many.

        Source:
            Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
        """
        if self.share is None:
            return Interval(None, None, None)
        low, high = _bounds(_drawn_shares((self,), seed, draws)[0])
        return Interval(self.share, low, high)


def compare_tallies(candidate: Tally, current: Tally, *, seed: int, draws: int = _DRAWS) -> Comparison:
    """Compare two shares on the same tracklets: each draw picks the same tracklets for both.

    Args:
        candidate: Of one model.
        current: Of the other, row by row of the same tracklets.
        seed: Of the draws.
        draws: How many.

    Raises:
        ValueError: If they are not of equally many tracklets.

    Example:
        >>> ones = np.ones(4)
        >>> compare_tallies(Tally(ones, ones), Tally(0 * ones, ones), seed=0).difference
        1.0
    """
    if candidate.hits.shape != current.hits.shape:
        raise ValueError(f"{len(candidate.hits)} and {len(current.hits)} tracklets cannot be compared in pairs")
    if candidate.share is None or current.share is None:
        return Comparison(None, None, None, None)
    ours, theirs = _drawn_shares((candidate, current), seed, draws)
    low, high = _bounds(ours - theirs)
    better = float(np.mean((ours - theirs)[np.isfinite(ours - theirs)] > 0))
    return Comparison(candidate.share - current.share, low, high, better)


def _drawn_shares(tallies: tuple[Tally, ...], seed: int, draws: int) -> list[NDArray[np.float64]]:
    """The share of each tally in each draw; not a number where a draw has no trial. Shapes ``(draws,)``."""
    count = len(tallies[0].hits)
    random = np.random.default_rng(seed)
    sums = np.empty((len(tallies), 2, draws))
    for draw in range(draws):
        rows = random.integers(0, count, count)
        for at, tally in enumerate(tallies):
            sums[at, :, draw] = tally.hits[rows].sum(), tally.trials[rows].sum()
    return [np.divide(hits, trials, out=np.full(draws, np.nan), where=trials > 0) for hits, trials in sums]


def _bounds(shares: NDArray[np.float64]) -> tuple[float, float]:
    tail = (1 - _COVERED) / 2
    low, high = np.nanquantile(shares, (tail, 1 - tail))
    return float(low), float(high)
