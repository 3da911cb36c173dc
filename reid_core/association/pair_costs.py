"""What speaks against two tracklets being one person: appearance alone, the paper's joint distance, fused log-odds.

A cost is small for alike tracklets and infinite for impossible pairs. `reciprocal.associate` looks for the least.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from reid_core.spatio_temporal.sightings import Sightings

__all__ = [
    "FusedCost",
    "JointCost",
    "Metric",
    "PairCost",
    "VisualCost",
    "VisualEvidence",
    "paired_distances",
    "visual_distances",
]


class Metric(StrEnum):
    """How two vectors are compared."""

    COSINE = "cosine"
    EUCLIDEAN = "euclidean"
    SQUARED_EUCLIDEAN = "squared-euclidean"


class PairCost(Protocol):
    """A form of association."""

    @property
    def metric(self) -> Metric:
        """How vectors are compared."""
        ...

    @property
    def is_log_odds(self) -> bool:
        """Whether costs are log-likelihood ratios with the sign turned, in nats, so that a posterior follows."""
        ...

    def __call__(self, visual: NDArray[np.float64], one: Sightings, other: Sightings) -> NDArray[np.float64]:
        """Costs from visual distances ``(n, m)`` of the tracklets of ``one`` and ``other``; infinite: impossible."""
        ...


class VisualEvidence(Protocol):
    """What `FusedCost` needs of a calibration."""

    def log_odds(
        self, distances: NDArray[np.float64], time_llr: NDArray[np.float64], *, prior_log_odds: float
    ) -> NDArray[np.float64]:
        """Log-odds in nats that two tracklets show one person, given what is expected before looking."""
        ...


@dataclass(frozen=True, slots=True)
class VisualCost:
    """Appearance alone: the cost is the visual distance."""

    metric: Metric = Metric.COSINE
    is_log_odds = False

    def __call__(
        self,
        visual: NDArray[np.float64],
        one: Sightings,  # noqa: ARG002  # every form is called alike
        other: Sightings,  # noqa: ARG002
    ) -> NDArray[np.float64]:
        """The distances as they are. Shape ``(n, m)``."""
        return visual


@dataclass(frozen=True, slots=True)
class JointCost:
    """The paper's joint distance: visual distance over spatio-temporal regularisation.

    Attributes:
        regularisation: Gives R of Eq. 3 for each pair, in ``(0, 1]``, shape ``(n, m)``; such as the method of a
            `GaussianTransit`.
        metric: Eq. 2 is plain Euclidean; the authors' code squares it.

    Source:
        Xie et al. (TASTR), Eq. 2-4.
    """

    regularisation: Callable[[Sightings, Sightings], NDArray[np.float64]]
    metric: Metric = Metric.EUCLIDEAN
    is_log_odds = False

    def __call__(self, visual: NDArray[np.float64], one: Sightings, other: Sightings) -> NDArray[np.float64]:
        """Eq. 4. Shape ``(n, m)``; infinite where R underflows to 0.

        Raises:
            ValueError: If R has another shape, or leaves ``[0, 1]``.
        """
        ratio = self.regularisation(one, other)
        if ratio.shape != visual.shape or (ratio.size and not (ratio.min() >= 0 and ratio.max() <= 1)):
            raise ValueError(f"regularisation must lie in [0, 1] with shape {visual.shape}, got {ratio.shape}")
        joint: NDArray[np.float64] = np.divide(visual, ratio, out=np.full(visual.shape, np.inf), where=ratio > 0)
        return joint


@dataclass(frozen=True, slots=True)
class FusedCost:
    """The robust form: calibrated visual log-odds plus transit log-odds, within hard constraints.

    Attributes:
        calibration: Turns visual distances and transit log-odds into log-odds that two tracklets show one person.
        time_llr: Transit log-likelihood ratios in nats, shape ``(n, m)``; such as `TransitModel.llr_matrix`.
        impossible: True for pairs that cannot be one person, shape ``(n, m)``; ``None``: no pair is ruled out.
        metric: What the calibration was fitted on.
    """

    calibration: VisualEvidence
    time_llr: Callable[[Sightings, Sightings], NDArray[np.float64]]
    impossible: Callable[[Sightings, Sightings], NDArray[np.bool_]] | None = None
    metric: Metric = Metric.COSINE
    is_log_odds = True

    def __call__(self, visual: NDArray[np.float64], one: Sightings, other: Sightings) -> NDArray[np.float64]:
        """Log-likelihood ratios, sign turned. Shape ``(n, m)``."""
        costs = -self.calibration.log_odds(visual, self.time_llr(one, other), prior_log_odds=0.0)
        if self.impossible is not None:
            costs = np.where(self.impossible(one, other), np.inf, costs)
        return costs


def visual_distances(one: NDArray[np.floating], other: NDArray[np.floating], *, metric: Metric) -> NDArray[np.float64]:
    """Distances of every vector of one set to every vector of another.

    Args:
        one: Shape ``(n, d)``. A cosine normalises both; a vector of zeros is at distance 1 from all.
        other: Shape ``(m, d)``.
        metric: How they are compared.

    Returns:
        Shape ``(n, m)``; cosine distance lies in ``[0, 2]``.

    Example:
        >>> visual_distances(np.array([[3.0, 4.0]]), np.array([[0.0, 0.0], [4.0, 3.0]]), metric=Metric.COSINE).round(2)
        array([[1.  , 0.04]])
        >>> visual_distances(np.array([[3.0, 4.0]]), np.zeros((1, 2)), metric=Metric.EUCLIDEAN)
        array([[5.]])
    """
    left, right = np.asarray(one, np.float64), np.asarray(other, np.float64)
    if metric is Metric.COSINE:
        return np.clip(1.0 - _normalised(left) @ _normalised(right).T, 0.0, 2.0)
    squared: NDArray[np.float64] = (left**2).sum(1)[:, None] + (right**2).sum(1) - 2.0 * (left @ right.T)
    np.maximum(squared, 0.0, out=squared)
    return squared if metric is Metric.SQUARED_EUCLIDEAN else np.sqrt(squared)


def paired_distances(one: NDArray[np.floating], other: NDArray[np.floating], *, metric: Metric) -> NDArray[np.float64]:
    """Distances of vectors that belong together, as `visual_distances` has them. Shapes ``(P, d)`` to ``(P,)``.

    Example:
        >>> paired_distances(np.array([[3.0, 4.0]]), np.array([[4.0, 3.0]]), metric=Metric.COSINE).round(2)
        array([0.04])
    """
    left, right = np.asarray(one, np.float64), np.asarray(other, np.float64)
    if metric is Metric.COSINE:
        cosines: NDArray[np.float64] = (_normalised(left) * _normalised(right)).sum(1)
        return np.clip(1.0 - cosines, 0.0, 2.0)
    squared: NDArray[np.float64] = ((left - right) ** 2).sum(1)
    return squared if metric is Metric.SQUARED_EUCLIDEAN else np.sqrt(squared)


def _normalised(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float64] = vectors / np.where(lengths > 0, lengths, 1.0)
    return unit
