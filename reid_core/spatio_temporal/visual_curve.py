"""What a visual distance says about two tracklets showing one person, as a falling curve of log-odds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from reid_core.spatio_temporal.yardstick import Yardstick

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["VisualCurve", "fit_curve"]

_KNOTS = 33
_TAIL_PAIRS = 5  # so many pairs lie beyond the first knot: nothing is said of nearer ones than they warrant
_HIGHEST_KNOT = 1.5
_BEND = -2.0  # in spreads: where a likely match begins to be told from chance
_STEEPEST = 12.0
_RIDGE = 1e-2
_STARTS = ((-6.0, 1.0, 0.0), (-6.0, 2.0, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class VisualCurve:
    """Log-likelihood ratio of "one person" against "two" over standardised distance: straight lines between knots.

    Attributes:
        yardstick: Of the site, for queries that have none of their own.
        standard: Standardised distances of the knots, rising. Shape ``(K,)``.
        log_odds: The ratio there in nats, never rising; beyond the ends it stays what it is there. Shape ``(K,)``.
        prior: Share of pairs that show one person where the curve was fitted, in ``(0, 1)``.
    """

    yardstick: Yardstick
    standard: NDArray[np.float64]
    log_odds: NDArray[np.float64]
    prior: float

    def __post_init__(self) -> None:
        """Refuse a curve that rises or has no shape."""
        if len(self.standard) < 2 or self.standard.shape != self.log_odds.shape:
            raise ValueError(f"a curve needs two knots or more, got {self.standard.shape} and {self.log_odds.shape}")
        if not (np.diff(self.standard) > 0).all() or not (np.diff(self.log_odds) <= 0).all():
            raise ValueError("a curve's knots must rise in distance and never rise in log-odds")
        if not 0 < self.prior < 1:
            raise ValueError(f"prior must lie between 0 and 1, got {self.prior}")

    @property
    def prior_log_odds(self) -> float:
        """Log-odds of the prior of the fit."""
        return float(logit(self.prior))

    def llr(self, distances: NDArray[np.floating], yardstick: Yardstick | None = None) -> NDArray[np.float64]:
        """Log-likelihood ratios of cosine distances, in nats; never rising with distance.

        Args:
            distances: Any shape.
            yardstick: The query's own; default: the site's.
        """
        standard = (yardstick or self.yardstick).standardise(distances)
        return np.interp(standard, self.standard, self.log_odds)

    def to_json(self) -> dict[str, Any]:
        """As plain values, rounded to six digits behind the point."""
        return {
            "yardstick": {
                "mean_log": round(self.yardstick.mean_log, 6),
                "spread_log": round(self.yardstick.spread_log, 6),
            },
            "prior": float(f"{self.prior:.6g}"),
            "knots": [
                {"standard_distance": round(x, 6), "log_odds": round(y, 6)}
                for x, y in zip(self.standard.tolist(), self.log_odds.tolist(), strict=True)
            ],
        }

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> VisualCurve:
        """The curve that `to_json` wrote.

        Raises:
            ValueError: If it is none.
        """
        try:
            knots = document["knots"]
            return VisualCurve(
                Yardstick(float(document["yardstick"]["mean_log"]), float(document["yardstick"]["spread_log"])),
                np.array([float(knot["standard_distance"]) for knot in knots]),
                np.array([float(knot["log_odds"]) for knot in knots]),
                float(document["prior"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"no visual curve: {error!r}") from error


def fit_curve(
    standard: NDArray[np.float64],
    same: NDArray[np.float64],
    different: NDArray[np.float64],
    *,
    weights: NDArray[np.float64],
    yardstick: Yardstick,
) -> VisualCurve:
    """Fit the curve to pairs of which something besides the distance is known: a label, or how likely their times are.

    The probability ``p`` of one person is a logistic function of the standardised distance that bends once and falls
    throughout. It maximises the likelihood of what else was observed, the sum of ``log(p same + (1 - p) different)``:
    with labels that is logistic regression; with times it is a mixture whose share varies with the distance, and needs
    no label. Dividing its odds by those of the mean of ``p`` leaves the likelihood ratio.

    Args:
        standard: Standardised distances. Shape ``(P,)``.
        same: Likelihood of what else was observed if the pair is one person, at least 0. Shape ``(P,)``.
        different: The same if it is two, at least 0. Shape ``(P,)``.
        weights: How many pairs each stands for, at least 0. Shape ``(P,)``.
        yardstick: Of the site.

    Raises:
        ValueError: If there is no pair, lengths differ, or nothing observed can tell anything.
    """
    if not len(standard) or not len(standard) == len(same) == len(different) == len(weights):
        lengths = len(standard), len(same), len(different), len(weights)
        raise ValueError(f"a curve needs pairs, each with two likelihoods and a weight, got lengths {lengths}")
    if not (weights * np.abs(same - different)).any():
        raise ValueError("nothing that was observed of the pairs tells one person from two")
    theta = _most_likely(_bent(standard), same, different, weights)
    low = float(np.partition(standard, min(_TAIL_PAIRS, len(standard) - 1))[min(_TAIL_PAIRS, len(standard) - 1)])
    knots = np.linspace(min(low, _HIGHEST_KNOT - 1.0), _HIGHEST_KNOT, _KNOTS)
    prior = float(np.average(expit(_bent(standard) @ theta), weights=weights))
    return VisualCurve(yardstick, knots, _bent(knots) @ theta - float(logit(prior)), prior)


def _bent(standard: NDArray[np.float64]) -> NDArray[np.float64]:
    """A constant, a falling line, and a line that falls beyond the bend only. Shape ``(P, 3)``."""
    beyond = np.logaddexp(0.0, 2.0 * (standard - _BEND)) / 2.0
    return np.column_stack([np.ones_like(standard), -standard, -beyond])


def _most_likely(
    basis: NDArray[np.float64],
    same: NDArray[np.float64],
    different: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Coefficients of `_bent`; the slopes are never negative. The best of two starts."""
    scale = np.maximum(np.maximum(same, different), 1e-300)
    same, different = same / scale, different / scale

    def cost(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        p = expit(basis @ theta)
        likelihood = np.maximum(p * same + (1 - p) * different, 1e-300)
        slope = weights * (same - different) * p * (1 - p) / likelihood
        ridge = _RIDGE * np.array([0.0, theta[1], theta[2]])
        return float(-(weights * np.log(likelihood)).sum() + ridge @ theta / 2), ridge - basis.T @ slope

    bounds = [(-20.0, 20.0), (0.0, _STEEPEST), (0.0, _STEEPEST)]
    found = [minimize(cost, np.array(start), jac=True, bounds=bounds, method="L-BFGS-B") for start in _STARTS]
    best: NDArray[np.float64] = min(found, key=lambda one: one.fun).x
    return best
