"""How far stated probabilities can be believed: reliability, expected calibration error, Brier score, log loss."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BinSpacing", "ReliabilityBins", "brier_score", "expected_calibration_error", "log_loss", "reliability"]

_LEAST_PROBABILITY = 1e-12


class BinSpacing(Enum):
    """How probabilities are put into bins.

    ``EQUAL_WIDTH`` cuts ``[0, 1]`` into intervals of one width, closed below; ``EQUAL_MASS`` puts as many values into
    each bin, but never parts equal ones. The two differ: where most values lie near 0, equal widths judge them in a
    single bin, equal masses spend most bins on them.
    """

    EQUAL_WIDTH = "equal-width"
    EQUAL_MASS = "equal-mass"


@dataclass(frozen=True, slots=True, eq=False)
class ReliabilityBins:
    """What was stated against what was true, bin by bin; bins that nothing fell into are left out.

    Attributes:
        counts: How many values. Shape ``(B,)``, int64.
        stated: Mean probability. Shape ``(B,)``, rising.
        true_shares: Share of them that were true. Shape ``(B,)``.
    """

    counts: NDArray[np.int64]
    stated: NDArray[np.float64]
    true_shares: NDArray[np.float64]

    @property
    def error(self) -> float:
        """Mean distance of stated from true, each bin by its count, in ``[0, 1]``; 0 without any value."""
        return float((self.counts * np.abs(self.stated - self.true_shares)).sum() / max(1, self.counts.sum()))


def reliability(
    probabilities: NDArray[np.float64],
    truths: NDArray[np.bool_],
    *,
    bins: int = 10,
    spacing: BinSpacing = BinSpacing.EQUAL_WIDTH,
) -> ReliabilityBins:
    """Put stated probabilities into bins and see how many came true.

    Args:
        probabilities: In ``[0, 1]``. Shape ``(N,)``.
        truths: Whether it was so. Shape ``(N,)``.
        bins: At most so many, at least 1.
        spacing: How the bins are cut.

    Raises:
        ValueError: If the shapes differ, a probability lies outside ``[0, 1]`` or ``bins`` is below 1.
    """
    _require_pairs(probabilities, truths)
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    if spacing is BinSpacing.EQUAL_WIDTH:
        places = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    else:
        places = _equal_mass(probabilities, bins)
    counts = np.bincount(places, minlength=bins)
    filled = counts > 0
    return ReliabilityBins(
        counts=counts[filled].astype(np.int64),
        stated=np.bincount(places, probabilities, bins)[filled] / counts[filled],
        true_shares=np.bincount(places, truths, bins)[filled] / counts[filled],
    )


def expected_calibration_error(
    probabilities: NDArray[np.float64],
    truths: NDArray[np.bool_],
    *,
    bins: int = 10,
    spacing: BinSpacing = BinSpacing.EQUAL_WIDTH,
) -> float:
    """Mean distance between what was stated and what came true over the bins of `reliability`, in ``[0, 1]``.

    It is never quite 0: a bin of n values misses by about ``0.8 sqrt(p (1 - p) / n)`` by chance alone.

    Example:
        >>> stated = np.array([0.9, 0.9, 0.9, 0.9, 0.1])
        >>> round(expected_calibration_error(stated, np.array([True, True, True, False, False])), 3)
        0.14

    Source:
        Naeini et al., AAAI 2015 (equal widths); Nixon et al., CVPR workshops 2019 (equal masses).
    """
    return reliability(probabilities, truths, bins=bins, spacing=spacing).error


def brier_score(probabilities: NDArray[np.float64], truths: NDArray[np.bool_]) -> float:
    """Mean squared distance of probabilities from the truth, in ``[0, 1]``; 0 without any value.

    Example:
        >>> brier_score(np.array([1.0, 0.5]), np.array([True, True]))
        0.125

    Raises:
        ValueError: As `reliability`.
    """
    _require_pairs(probabilities, truths)
    return float(np.square(probabilities - truths).sum() / max(1, len(truths)))


def log_loss(probabilities: NDArray[np.float64], truths: NDArray[np.bool_]) -> float:
    """Mean of ``-log`` of the probability given to what was so, in nats; 0 without any value.

    A probability of exactly 0 or 1 that proves wrong costs no more than one of 1e-12.

    Raises:
        ValueError: As `reliability`.
    """
    _require_pairs(probabilities, truths)
    given = np.where(truths, probabilities, 1 - probabilities)
    return float(-np.log(np.maximum(given, _LEAST_PROBABILITY)).sum() / max(1, len(truths)))


def _equal_mass(probabilities: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """The bin of each value by its rank; equal values go together, to where the first of them belongs."""
    ordered = np.sort(probabilities)
    return np.searchsorted(ordered, probabilities) * bins // max(1, len(ordered))


def _require_pairs(probabilities: NDArray[np.float64], truths: NDArray[np.bool_]) -> None:
    if probabilities.ndim != 1 or probabilities.shape != truths.shape:
        raise ValueError(f"{probabilities.shape} probabilities and {truths.shape} truths do not fit")
    inside = (probabilities >= 0) & (probabilities <= 1)
    if not inside.all():
        raise ValueError(f"a probability must lie in [0, 1], got {probabilities[~inside][0]}")
