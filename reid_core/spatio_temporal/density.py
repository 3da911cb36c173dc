"""The density of the gaps of one person between two cameras, in one direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtri

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray

    from reid_core.spatio_temporal.gaps import Background

__all__ = ["LinkDensity", "TransitPeak", "log_normal", "log_normal_quantiles"]

_LEVELS: Final = ndtri((np.arange(200) + 0.5) / 200)


@dataclass(frozen=True, slots=True, eq=False)
class TransitPeak:
    """One way of getting there: a log-normal component, and by which zones its walkers leave and arrive.

    Attributes:
        share: Of one person's gaps between the two cameras (both directions together), in ``[0, 1]``.
        log_mean: Mean of ``log(gap_s - origin_s)``.
        log_sd: Its standard deviation.
        origin_s: Gap at which the component begins: 0, or below where views overlap or a clock is not known.
        exposure: Mean density of the background over the component, per second: how often such a gap comes about
            between any two sightings.
        leaves: How much likelier each zone of the first camera is than for anybody, "elsewhere" last. Shape ``(Z,)``.
        arrives: The same for the zones of the second camera. Shape ``(Z',)``.
    """

    share: float
    log_mean: float
    log_sd: float
    origin_s: float
    exposure: float
    leaves: NDArray[np.float64]
    arrives: NDArray[np.float64]

    @property
    def median_s(self) -> float:
        """The gap that half of these walkers stay below."""
        return self.origin_s + float(np.exp(self.log_mean))

    @property
    def mode_s(self) -> float:
        """The gap at which the density is highest."""
        return self.origin_s + float(np.exp(self.log_mean - self.log_sd**2))

    def density(self, gaps_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Density per second of each gap, without its share; the shape is kept."""
        return log_normal(gaps_s - self.origin_s, self.log_mean, self.log_sd)

    def likelier(self, gaps_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """How much likelier each gap is than between any two sightings; the shape is kept."""
        return self.density(gaps_s) / self.exposure


@dataclass(frozen=True, slots=True, eq=False)
class LinkDensity:
    """Gaps from one camera to another: of one person, a mixture of peaks; of anybody, the background.

    Attributes:
        peaks: From the shortest to the longest; their shares and those of the way back leave a rest for outliers.
        background: Gaps between all sightings of the two cameras.
        pairs: How many pairs of one person (a sum of probabilities) the peaks were fitted to.
        beyond: What a gap at the edge of what was compared is worth, against which all others are told: 1 where all
            gaps of the log were compared; where only a window was, gaps beyond it count as those at its edge.
    """

    peaks: tuple[TransitPeak, ...]
    background: Background
    pairs: float
    beyond: float = 1.0

    @property
    def share(self) -> float:
        """Share of one person's gaps between the two cameras that this direction's peaks explain."""
        return sum(peak.share for peak in self.peaks)

    def transit_density(self, gaps_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Density of the peaks alone, as one would see it in the same window of time, of area 1; the shape is kept."""
        weights = self.background.density(gaps_s)
        total = sum((peak.share * peak.likelier(gaps_s) for peak in self.peaks), np.zeros_like(gaps_s))
        found: NDArray[np.float64] = total * weights / max(self.share, 1e-12)
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain numbers that a person can read."""
        return {
            "pairs": round(self.pairs, 2),
            "beyond": round(self.beyond, 5),
            "peaks": [_peak_to_json(peak) for peak in self.peaks],
            "background": self.background.to_json(),
        }


def peak_from_json(document: Mapping[str, Any]) -> TransitPeak:
    """The inverse of what `LinkDensity.to_json` writes for a peak."""
    return TransitPeak(
        share=float(document["share"]),
        log_mean=float(document["log_mean"]),
        log_sd=float(document["log_sd"]),
        origin_s=float(document["origin_s"]),
        exposure=float(document["exposure"]),
        leaves=np.array(document["leaves"], np.float64),
        arrives=np.array(document["arrives"], np.float64),
    )


def _peak_to_json(peak: TransitPeak) -> dict[str, Any]:
    return {
        "share": round(peak.share, 5),
        "typical_gap_s": round(peak.median_s, 2),
        "log_mean": round(peak.log_mean, 5),
        "log_sd": round(peak.log_sd, 5),
        "origin_s": round(peak.origin_s, 3),
        "exposure": float(f"{peak.exposure:.6g}"),
        "leaves": [float(f"{value:.4g}") for value in peak.leaves.tolist()],
        "arrives": [float(f"{value:.4g}") for value in peak.arrives.tolist()],
    }


def log_normal(values: NDArray[np.float64], log_mean: float, log_sd: float) -> NDArray[np.float64]:
    """Density of a log-normal distribution, 0 at and below zero; the shape is kept.

    Example:
        >>> log_normal(np.array([-1.0, 1.0]), 0.0, 1.0).round(4).tolist()
        [0.0, 0.3989]
    """
    positive = values > 0
    safe = np.where(positive, values, 1.0)
    off = (np.log(safe) - log_mean) / log_sd
    density = np.exp(-0.5 * off * off) / (safe * log_sd * np.sqrt(2 * np.pi))
    return np.where(positive, density, 0.0)


def log_normal_quantiles(log_mean: float, log_sd: float) -> NDArray[np.float64]:
    """Two hundred values that stand for the distribution, each for as much of it. Shape ``(200,)``."""
    quantiles: NDArray[np.float64] = np.exp(log_mean + log_sd * _LEVELS)
    return quantiles
