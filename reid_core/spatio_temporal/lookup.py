"""A link's evidence as a table over gaps and zones, so that millions of pairs cost a look each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.spatio_temporal.density import LinkDensity, TransitPeak

__all__ = ["LinkTable", "link_table"]

_STEP_S: Final = 0.1
_MOST_STEPS: Final = 1 << 15
_TAIL: Final = 4.0
_LEAST: Final = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class LinkTable:
    """Share times likelier, summed over the peaks of one way, at evenly spaced gaps, for all pairs of zones.

    Attributes:
        share: Sum of the peaks' shares.
        beyond: Of the link.
        reach_s: Longest gap that was ever compared; nothing is known beyond.
        low_s: First gap of the table.
        step_s: Between gaps.
        steps: Number of gaps; the first and the last hold zeros.
        values: Row by row for each zone of leaving and of arriving (the last of each stands for "not known"). Shape
            ``(Z * Z' * steps,)``.
        zones: ``Z`` and ``Z'``, with the unknown ones.
    """

    share: float
    beyond: float
    reach_s: float
    low_s: float
    step_s: float
    steps: int
    values: NDArray[np.float64]
    zones: tuple[int, int]

    def look_up(
        self, gaps_s: NDArray[np.float64], leaves: NDArray[np.int64], arrives: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Share times likelier of each pair, on straight lines between the table's gaps; NaN where the gap is.

        Args:
            gaps_s: Any shape.
            leaves: Zone of leaving, -1 where not known; broadcasts to the gaps.
            arrives: Zone of arriving; likewise.
        """
        at = (gaps_s - self.low_s) * (1 / self.step_s)
        np.clip(at, 0, self.steps - 1.001, out=at)
        unknown = np.isnan(at)
        if unknown.any():
            at[unknown] = 0.0
        whole = at.astype(np.int32)
        at -= whole
        whole = whole + ((leaves % self.zones[0]) * (self.zones[1] * self.steps)).astype(np.int32)
        whole += ((arrives % self.zones[1]) * self.steps).astype(np.int32)
        low = self.values[whole]
        whole += 1
        found: NDArray[np.float64] = low + at * (self.values[whole] - low)
        if unknown.any():
            found[unknown] = np.nan
        return found


def link_table(link: LinkDensity) -> LinkTable:
    """Make the table of one way."""
    low_s, high_s = _reach(link)
    step_s = max(_STEP_S, (high_s - low_s) / _MOST_STEPS)
    steps = int(np.ceil((high_s - low_s) / step_s)) + 3
    gaps_s = low_s + step_s * np.arange(steps, dtype=np.float64)
    zones = (1, 1) if not link.peaks else (len(link.peaks[0].leaves) + 1, len(link.peaks[0].arrives) + 1)
    values = np.zeros((*zones, steps))
    for peak in link.peaks:
        by_zone = np.append(peak.leaves, 1.0)[:, None] * np.append(peak.arrives, 1.0)[None, :]
        values += by_zone[:, :, None] * (peak.share * peak.likelier(gaps_s))
    values[:, :, [0, -2, -1]] = 0.0
    return LinkTable(link.share, link.beyond, link.background.reach_s, low_s, step_s, steps, values.ravel(), zones)


def _reach(link: LinkDensity) -> tuple[float, float]:
    """From before the first peak begins to where the last one matters no more."""
    if not link.peaks:
        return 0.0, 1.0
    low_s = min(peak.origin_s for peak in link.peaks) - 2 * _STEP_S
    return low_s, max(_end_s(peak) for peak in link.peaks)


def _end_s(peak: TransitPeak) -> float:
    """Where the peak gives less than a ten-thousandth of what outliers give, at the latest four widths out."""
    gaps_s = peak.origin_s + np.exp(peak.log_mean + peak.log_sd * np.linspace(0, 2 * _TAIL, 200))
    matters = peak.share * peak.likelier(gaps_s) * peak.leaves.max() * peak.arrives.max() > _LEAST
    return float(gaps_s[np.flatnonzero(matters)[-1]]) if matters.any() else float(gaps_s[0])
