"""Fit the gaps of pairs that may show one person: expectation-maximisation with the background as the other side.

Both ways between two cameras are fitted together, for a pair may have gone either way. A pair counts as one person
with the probability that its looks give it, and as one that used a peak with what its gap and zones make of that. All
is told relative to the background: where a window of time makes long gaps rare for anybody, it makes them rare for one
person, too, and a peak's parameters are those of the walk, not of the window.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.spatio_temporal.density import LinkDensity, TransitPeak, log_normal, log_normal_quantiles
from reid_core.spatio_temporal.peak_updates import OUTLIER_PAIRS, with_shapes, with_shares, with_zones

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from reid_core.spatio_temporal.link_pairs import LinkPairs

__all__ = ["Mixture", "PeakPrior", "fit_mixture", "same_person"]

_MOST_PEAKS: Final = 4
_STEPS: Final = 12
_LAST_STEPS: Final = 30
_START_WIDTHS: Final = (0.35, 0.15)
_WIDTH_PAIRS: Final = 2.0
_START_SHARE: Final = 0.1
_CENTRES_S: Final = tuple(2.0 * 1.35**step for step in range(20))
_ORIGINS_S: Final = (-6.0, -16.0, -40.0)


@dataclass(frozen=True, slots=True)
class PeakPrior:
    """What is expected of a peak before any pair was seen.

    Attributes:
        way: 0 from A to B, 1 from B to A.
        log_mean: Of the gap.
        log_sd: Of the gap.
        place_pairs: How many pairs the expected mean weighs.
        width_pairs: How many pairs the expected width weighs.
        share_pairs: How many pairs are made up for the share.
        twin: Place among the priors of the same walk the other way, of which a few pairs are borrowed.
    """

    way: int
    log_mean: float
    log_sd: float
    place_pairs: float
    width_pairs: float
    share_pairs: float
    twin: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """Peaks of both ways between two cameras.

    Attributes:
        priors: Of each peak. ``C`` of them.
        shares: Of one person's gaps. Shape ``(C,)``; they leave a rest for outliers.
        log_means: Shape ``(C,)``.
        log_sds: Shape ``(C,)``.
        origins_s: Shape ``(C,)``.
        leaves: How much likelier than for anybody each peak's walkers leave by each zone. ``C`` arrays.
        arrives: The same for arriving. ``C`` arrays.
        log_likelihood: Of the pairs against the background alone, in nats.
        pairs: Sum of the pairs' probabilities of being one person.
    """

    priors: tuple[PeakPrior, ...]
    shares: NDArray[np.float64]
    log_means: NDArray[np.float64]
    log_sds: NDArray[np.float64]
    origins_s: NDArray[np.float64]
    leaves: tuple[NDArray[np.float64], ...]
    arrives: tuple[NDArray[np.float64], ...]
    log_likelihood: float
    pairs: float

    def __len__(self) -> int:
        return len(self.priors)

    def link(self, way: int, data: LinkPairs) -> LinkDensity:
        """The density of one way."""
        mine = [peak for peak, prior in enumerate(self.priors) if prior.way == way]
        peaks = [
            TransitPeak(
                share=float(self.shares[peak]),
                log_mean=float(self.log_means[peak]),
                log_sd=float(self.log_sds[peak]),
                origin_s=float(self.origins_s[peak]),
                exposure=_exposure(self, peak, data),
                leaves=self.leaves[peak],
                arrives=self.arrives[peak],
            )
            for peak in mine
        ]
        kept = sorted((peak for peak in peaks if peak.exposure > 0), key=lambda peak: peak.median_s)
        return LinkDensity(tuple(kept), data.backgrounds[way], self.pairs)


def fit_mixture(data: LinkPairs, *, priors: Sequence[PeakPrior] = (), most_peaks: int = _MOST_PEAKS) -> Mixture:
    """Begin with the peaks that are expected, then add one by one while the Bayesian information criterion gains.

    Args:
        data: The pairs.
        priors: Peaks that are expected.
        most_peaks: Of each way.

    Returns:
        The mixture; without peaks where none is expected and the pairs speak for none.
    """
    best = _climb(_expected(priors, data), data, _STEPS) if priors else _expected((), data)
    criterion = _criterion(best)
    for _ in range(2 * most_peaks):
        grown = _grown(best, data, most_peaks)
        if grown is None or _criterion(grown) >= criterion:
            break
        best, criterion = grown, _criterion(grown)
    return _climb(best, data, _LAST_STEPS) if len(best) else best


def same_person(mixture: Mixture, data: LinkPairs) -> NDArray[np.float64]:
    """Probability of each pair to be one person, by looks, gap and zones. Shape ``(P,)``."""
    same = data.weights * (_explained(mixture, data).sum(axis=1) + 1 - mixture.shares.sum())
    posterior: NDArray[np.float64] = same / (same + 1 - data.weights)
    return posterior


def _expected(priors: Sequence[PeakPrior], data: LinkPairs) -> Mixture:
    """The mixture that the priors alone make."""
    pairs = np.array([prior.share_pairs for prior in priors], np.float64)
    mixture = Mixture(
        priors=tuple(priors),
        shares=pairs / (pairs.sum() + OUTLIER_PAIRS),
        log_means=np.array([prior.log_mean for prior in priors], np.float64),
        log_sds=np.array([prior.log_sd for prior in priors], np.float64),
        origins_s=np.zeros(len(priors)),
        leaves=tuple(np.ones(len(data.leave_shares[prior.way])) for prior in priors),
        arrives=tuple(np.ones(len(data.arrive_shares[prior.way])) for prior in priors),
        log_likelihood=0.0,
        pairs=0.0,
    )
    return replace(
        mixture,
        shares=np.where([_exposure(mixture, peak, data) > 0 for peak in range(len(priors))], mixture.shares, 0.0),
    )


def _criterion(mixture: Mixture) -> float:
    """Bayesian information criterion, small is good: three numbers for each peak, five where its origin was moved."""
    numbers = 3 * len(mixture) + 2 * np.count_nonzero(mixture.origins_s)
    return float(numbers * np.log(max(mixture.pairs, 2.0)) - 2 * mixture.log_likelihood)


def _grown(mixture: Mixture, data: LinkPairs, most_peaks: int) -> Mixture | None:
    """One more peak where the likelihood gains most, wide or narrow at first, and then all fitted anew."""
    counts = [sum(prior.way == way for prior in mixture.priors) for way in (0, 1)]
    explained = _explained(mixture, data) * (1 - _START_SHARE)
    ways = [way for way in (0, 1) if counts[way] < most_peaks]
    climbed = []
    for width in _START_WIDTHS if ways else ():
        tried = [
            _with_peak(mixture, data, PeakPrior(way, log_mean, width, 0.0, _WIDTH_PAIRS, 0.0), origin_s)
            for way in ways
            for log_mean, origin_s in _starts()
        ]
        heights = [
            _log_likelihood(one, data, np.hstack([explained, _explained_by(one, len(mixture), data)[:, None]]))
            for one in tried
        ]
        climbed.append(_climb(tried[int(np.argmax(heights))], data, _STEPS))
    return min(climbed, key=_criterion, default=None)


def _starts() -> list[tuple[float, float]]:
    found = [(float(np.log(centre)), 0.0) for centre in _CENTRES_S]
    found += [(float(np.log(-origin * share)), origin) for origin in _ORIGINS_S for share in (0.25, 0.5, 0.8)]
    return found


def _with_peak(mixture: Mixture, data: LinkPairs, prior: PeakPrior, origin_s: float) -> Mixture:
    return replace(
        mixture,
        priors=(*mixture.priors, prior),
        shares=np.append(mixture.shares * (1 - _START_SHARE), _START_SHARE),
        log_means=np.append(mixture.log_means, prior.log_mean),
        log_sds=np.append(mixture.log_sds, prior.log_sd),
        origins_s=np.append(mixture.origins_s, origin_s),
        leaves=(*mixture.leaves, np.ones(len(data.leave_shares[prior.way]))),
        arrives=(*mixture.arrives, np.ones(len(data.arrive_shares[prior.way]))),
    )


def _explained(mixture: Mixture, data: LinkPairs) -> NDArray[np.float64]:
    """Share times likelier of each pair under each peak. Shape ``(P, C)``."""
    columns = [_explained_by(mixture, peak, data) for peak in range(len(mixture))]
    return np.stack(columns, axis=1) if columns else np.zeros((len(data), 0))


def _explained_by(mixture: Mixture, peak: int, data: LinkPairs) -> NDArray[np.float64]:
    exposure, way = _exposure(mixture, peak, data), mixture.priors[peak].way
    if exposure <= 0:
        return np.zeros(len(data))
    values = data.gaps_s[:, way] - mixture.origins_s[peak]
    density = log_normal(values, float(mixture.log_means[peak]), float(mixture.log_sds[peak]))
    zones = np.append(mixture.leaves[peak], 1.0)[data.leaves[:, way]]
    zones = zones * np.append(mixture.arrives[peak], 1.0)[data.arrives[:, way]]
    explained: NDArray[np.float64] = mixture.shares[peak] / exposure * density * zones
    return explained


def _exposure(mixture: Mixture, peak: int, data: LinkPairs) -> float:
    """Mean density of the background over the peak."""
    values = log_normal_quantiles(float(mixture.log_means[peak]), float(mixture.log_sds[peak]))
    background = data.backgrounds[mixture.priors[peak].way]
    return float(background.density(values + mixture.origins_s[peak]).mean())


def _log_likelihood(mixture: Mixture, data: LinkPairs, explained: NDArray[np.float64]) -> float:
    """Of pairs that are one person with their weights, against the background alone, in nats."""
    same = explained.sum(axis=1) + 1 - mixture.shares.sum()
    return float(np.log1p(data.weights * (same - 1)).sum())


def _climb(mixture: Mixture, data: LinkPairs, steps: int) -> Mixture:
    """Steps of expectation-maximisation from a mixture with at least one peak."""
    for _ in range(steps):
        belongs, same = _posterior(mixture, data)
        mixture = with_zones(with_shares(with_shapes(mixture, data, belongs), belongs, same), data, belongs)
    explained = _explained(mixture, data)
    likelihood = _log_likelihood(mixture, data, explained)
    return replace(mixture, log_likelihood=likelihood, pairs=_posterior(mixture, data)[1])


def _posterior(mixture: Mixture, data: LinkPairs) -> tuple[NDArray[np.float64], float]:
    """Probability of each pair to be one person that used each peak ``(P, C)``; and the sum of those to be one."""
    explained = _explained(mixture, data)
    same = data.weights * (explained.sum(axis=1) + 1 - mixture.shares.sum())
    total = same + 1 - data.weights
    return data.weights[:, None] * explained / total[:, None], float((same / total).sum())
