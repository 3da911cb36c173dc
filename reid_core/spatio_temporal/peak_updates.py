"""How the peaks of both ways move towards the pairs that used them: the maximisation steps of the fit.

People walk much alike both ways, and a door leads both in and out. A peak that is expected both ways therefore borrows
from its twin the other way: its place, width and doors are drawn to what was seen there, as a few pairs would draw
them. A long log outvotes these.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.spatio_temporal.density import log_normal_quantiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.spatio_temporal.link_pairs import LinkPairs
    from reid_core.spatio_temporal.mixture import Mixture, PeakPrior

__all__ = ["OUTLIER_PAIRS", "with_shapes", "with_shares", "with_zones"]

OUTLIER_PAIRS: Final = 2.0
_MOST_EXPLAINED: Final = 0.95
_ZONE_PAIRS: Final = 3.0
_RAREST_ZONE: Final = 0.01
_WIDTHS: Final = (0.06, 1.1)
_NARROWEST_S: Final = 0.4
_TWIN_PAIRS: Final = 10.0


def with_shapes(mixture: Mixture, data: LinkPairs, belongs: NDArray[np.float64]) -> Mixture:
    """Means and widths such that what the window lets through of each peak has the moments that were seen.

    Args:
        mixture: With ``C`` peaks.
        data: The P pairs.
        belongs: Probability of each pair to be one person that used each peak. Shape ``(P, C)``.
    """
    log_means, log_sds = mixture.log_means.copy(), mixture.log_sds.copy()
    origins_s = mixture.origins_s.tolist()
    seen = [
        _moments(data.gaps_s[:, prior.way] - origins_s[peak], belongs[:, peak])
        for peak, prior in enumerate(mixture.priors)
    ]
    for peak, prior in enumerate(mixture.priors):
        now = float(mixture.log_means[peak]), float(mixture.log_sds[peak])
        quantiles = log_normal_quantiles(*now)
        through = _moments(quantiles, data.backgrounds[prior.way].density(quantiles + origins_s[peak]))
        if through[0] > 0:
            expected = prior if prior.twin is None else _as_its_twin(prior, mixture, seen[prior.twin][0])
            log_means[peak], log_sds[peak] = _moved(now, seen[peak], through, expected)
    return replace(mixture, log_means=log_means, log_sds=log_sds)


def with_shares(mixture: Mixture, belongs: NDArray[np.float64], same: float) -> Mixture:
    """Shares of the pairs that used each peak among those of one person.

    Args:
        mixture: With ``C`` peaks.
        belongs: As for `with_shapes`.
        same: How many pairs are of one person.
    """
    made_up = np.array([prior.share_pairs for prior in mixture.priors])
    outliers = OUTLIER_PAIRS if made_up.any() else 0.0
    shares = (belongs.sum(axis=0) + made_up) / max(same + made_up.sum() + outliers, 1e-9)
    return replace(mixture, shares=shares * min(1.0, _MOST_EXPLAINED / max(float(shares.sum()), 1e-12)))


def with_zones(mixture: Mixture, data: LinkPairs, belongs: NDArray[np.float64]) -> Mixture:
    """How much likelier than for anybody each peak's walkers leave and arrive by each zone.

    Args:
        mixture: With ``C`` peaks.
        data: The P pairs.
        belongs: As for `with_shapes`.
    """
    left = [_counts(data.leaves, data.leave_shares, p.way, belongs[:, c]) for c, p in enumerate(mixture.priors)]
    come = [_counts(data.arrives, data.arrive_shares, p.way, belongs[:, c]) for c, p in enumerate(mixture.priors)]
    leaves, arrives = [], []
    for peak, prior in enumerate(mixture.priors):
        way, twin = prior.way, prior.twin
        out, into = data.leave_shares[way], data.arrive_shares[way]
        out_lent = 0.0 if twin is None else _lent(come[twin], data.arrive_shares[1 - way], out)
        into_lent = 0.0 if twin is None else _lent(left[twin], data.leave_shares[1 - way], into)
        leaves.append(_likelier(left[peak] + out_lent, out))
        arrives.append(_likelier(come[peak] + into_lent, into))
    return replace(mixture, leaves=tuple(leaves), arrives=tuple(arrives))


def _as_its_twin(prior: PeakPrior, mixture: Mixture, pairs: float) -> PeakPrior:
    """The prior with what was seen of the walk the other way, as so many pairs, at most ten."""
    twin, lent = prior.twin, min(pairs, _TWIN_PAIRS)
    place, width = prior.place_pairs + lent, prior.width_pairs + lent
    if twin is None or not lent:
        return prior
    variance = (prior.width_pairs * prior.log_sd**2 + lent * float(mixture.log_sds[twin]) ** 2) / width
    return replace(
        prior,
        log_mean=(prior.place_pairs * prior.log_mean + lent * float(mixture.log_means[twin])) / place,
        log_sd=variance**0.5,
        place_pairs=place,
        width_pairs=width,
    )


def _moments(values: NDArray[np.float64], weights: NDArray[np.float64]) -> tuple[float, float, float]:
    """Weight, mean and variance of the logarithms of positive values."""
    positive = (values > 0) & (weights > 0)
    logs, parts = np.log(values[positive]), weights[positive]
    total = float(parts.sum())
    if total < 1e-9:
        return 0.0, 0.0, 0.0
    mean = float(parts @ logs) / total
    return total, mean, float(parts @ (logs - mean) ** 2) / total


def _moved(
    now: tuple[float, float],
    seen: tuple[float, float, float],
    through: tuple[float, float, float],
    prior: PeakPrior,
) -> tuple[float, float]:
    """A step towards the moments that were seen, held back by what was expected."""
    pairs, mean, variance = seen
    if not pairs:
        return now
    wanted = now[0] + min(max(mean - through[1], -0.7), 0.7)
    place = prior.place_pairs
    centre = (pairs * wanted + place * prior.log_mean) / (pairs + place)
    ratio = min(max(variance / max(through[2], 1e-6), 0.25), 4.0)
    width = prior.width_pairs
    spread = (pairs * now[1] ** 2 * ratio + width * prior.log_sd**2) / (pairs + width)
    least = max(_WIDTHS[0], _NARROWEST_S / float(np.exp(min(max(centre, -5.0), 10.0))))
    return centre, min(max(float(np.sqrt(spread)), min(least, _WIDTHS[1])), _WIDTHS[1])


def _counts(
    zones: NDArray[np.int64],
    shares: tuple[NDArray[np.float64], NDArray[np.float64]],
    way: int,
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """How many of one way's pairs were in each zone."""
    known = zones[:, way] >= 0
    return np.bincount(zones[known, way], weights[known], minlength=len(shares[way])).astype(np.float64)


def _lent(counts: NDArray[np.float64], there: NDArray[np.float64], here: NDArray[np.float64]) -> NDArray[np.float64]:
    """Counts of the same doors the other way, at most ten pairs, as they would be where ``here`` is usual."""
    doors = counts * _usual(here) / _usual(there)
    found: NDArray[np.float64] = doors * (min(float(counts.sum()), _TWIN_PAIRS) / max(float(doors.sum()), 1e-12))
    return found


def _likelier(counts: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much likelier each zone is than for anybody, as if a few more pairs had gone anybody's ways."""
    usual = _usual(shares)
    ratios: NDArray[np.float64] = (counts + _ZONE_PAIRS * usual) / (counts.sum() + _ZONE_PAIRS) / usual
    return ratios


def _usual(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    at_least = np.maximum(shares, _RAREST_ZONE)
    usual: NDArray[np.float64] = at_least / at_least.sum()
    return usual
