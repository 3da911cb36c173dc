"""How far a calibration can be believed where nobody knows the truth: times are the witness.

Looks state a probability for each pair. Among pairs of about one stated probability, the share that really shows one
person is the one under which their times are likeliest: were they all of two people, their times would be spread as
those of any two people. Stated and witnessed shares are compared as in the expected calibration error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from reid_core.spatio_temporal.site_pairs import site_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.spatio_temporal.calibration_model import Calibration
    from reid_core.spatio_temporal.sightings import Sightings
    from reid_core.spatio_temporal.site_pairs import SitePairs
    from reid_core.spatio_temporal.transit_model import TransitModel

__all__ = ["CalibrationCheck", "check_by_time", "witnessed_share"]

_BINS = 10
_NEAREST = 10
_ROUNDS = 200
_SETTLED = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationCheck:
    """What was stated against what times witness, bin by bin; bins that nothing fell into are left out.

    Attributes:
        pairs: How many pairs fell into each. Shape ``(B,)``, int64.
        stated: Mean probability by looks alone. Shape ``(B,)``, rising.
        witnessed: Share of pairs of one person that explains the times best. Shape ``(B,)``.
    """

    pairs: NDArray[np.int64]
    stated: NDArray[np.float64]
    witnessed: NDArray[np.float64]

    @property
    def error(self) -> float | None:
        """Mean distance of stated from witnessed, each bin by its pairs, in ``[0, 1]``; ``None`` without a pair."""
        total = int(self.pairs.sum())
        return float((self.pairs * np.abs(self.stated - self.witnessed)).sum()) / total if total else None


def check_by_time(
    calibration: Calibration,
    transit: TransitModel,
    vectors: NDArray[np.floating],
    sightings: Sightings,
    *,
    seed: int,
    judged: NDArray[np.bool_] | None = None,
) -> CalibrationCheck:
    """Compare what a calibration states with what times witness.

    Only the ten nearest candidates of each query count, as searches show them; among all pairs, nearly all are so
    unlike that any calibration is right about them.

    Args:
        calibration: The one to check.
        transit: Judges the times; best one that was fitted to other tracklets.
        vectors: L2-normalised, of the calibration's model. Shape ``(N, d)``.
        sightings: Where and when the N tracklets were.
        seed: Draws queries where there are very many.
        judged: Whose queries count; default: all. Shape ``(N,)``.

    Raises:
        ValueError: If the lengths differ, or no tracklet has two others at other cameras.
    """
    pairs = site_pairs(vectors, transit.corrected(sightings), rng=np.random.default_rng([seed, 1]))
    curve = calibration.curve
    stated = expit(np.interp(pairs.standard, curve.standard, curve.log_odds) + calibration.prior_of(pairs.candidates))
    llr = transit.pair_llr(sightings.take(pairs.queries), sightings.take(pairs.answers))
    ratios = np.where(pairs.forbidden, 0.0, np.exp(calibration.time_weight * llr))
    ratios = ratios / max(float(np.average(ratios, weights=pairs.weights)), 1e-9)
    shown = _nearest(pairs) if judged is None else _nearest(pairs) & judged[pairs.queries]
    return _compare(stated[shown], ratios[shown])


def witnessed_share(ratios: NDArray[np.float64]) -> float:
    """The share of pairs of one person that makes their times likeliest, in ``[0, 1]``; by expectation maximisation.

    Args:
        ratios: How much likelier each pair's times are for one person than for two, at least 0. Shape ``(P,)``, P > 0.

    Raises:
        ValueError: If there is no pair.

    Example:
        >>> round(witnessed_share(np.array([1e6, 1e6, 0.0, 0.0])), 3)
        0.5
    """
    if not len(ratios):
        raise ValueError("no pair, no share")
    share = 0.5
    for _ in range(_ROUNDS):
        renewed = float(np.mean(share * ratios / (1 - share + share * ratios)))
        settled, share = abs(renewed - share) < _SETTLED, min(renewed, 1 - 1e-9)
        if settled:
            break
    return share


def _compare(stated: NDArray[np.float64], ratios: NDArray[np.float64]) -> CalibrationCheck:
    places = np.minimum((stated * _BINS).astype(np.int64), _BINS - 1)
    filled = np.unique(places)
    return CalibrationCheck(
        pairs=np.array([(places == one).sum() for one in filled], np.int64),
        stated=np.array([stated[places == one].mean() for one in filled], np.float64),
        witnessed=np.array([witnessed_share(ratios[places == one]) for one in filled], np.float64),
    )


def _nearest(pairs: SitePairs) -> NDArray[np.bool_]:
    """Which pairs are among the nearest of their query. Shape ``(P,)``."""
    order = np.lexsort((pairs.standard, pairs.queries))
    queries = pairs.queries[order]
    starts = np.searchsorted(queries, queries)
    nearest = np.zeros(len(queries), np.bool_)
    nearest[order] = np.arange(len(queries)) - starts < _NEAREST
    return nearest
