"""Each way between two cameras as a picture: the gaps that were seen, and the densities fitted to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.evaluation.svg_charts import Axis, Series, line_chart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.spatio_temporal.density import LinkDensity
    from reid_core.spatio_temporal.sightings import MatchedPairs, Sightings
    from reid_core.spatio_temporal.transit_model import TransitModel

__all__ = ["TransitPanel", "link_gaps", "transit_panels"]

_POINTS: Final = 241
_MOST_S: Final = 180.0
_ROUND_S: Final = 30.0
_BINS: Final = 48
_SIZE: Final = (520, 260)


@dataclass(frozen=True, slots=True)
class TransitPanel:
    """One way's picture.

    Attributes:
        camera_from: Where the walk begins.
        camera_to: Where it ends.
        pairs: How many pairs of one person (a sum of probabilities) the density rests on.
        peaks_s: The gaps at which it has its peaks, the likeliest way first.
        svg: Histogram of gaps (filled), fitted density and background, coloured by the page's style sheet.
    """

    camera_from: str
    camera_to: str
    pairs: float
    peaks_s: tuple[float, ...]
    svg: str


def transit_panels(model: TransitModel, sightings: Sightings, pairs: MatchedPairs) -> list[TransitPanel]:
    """A panel for each directed link, in order of the cameras.

    Args:
        model: What was fitted.
        sightings: Where and when, by uncorrected clocks.
        pairs: What it was fitted to; a pair counts in the histogram by its probability, looks and time taken together.
    """
    return [
        _panel(ends, link, *link_gaps(model, sightings, pairs, *ends)) for ends, link in sorted(model.links.items())
    ]


def link_gaps(
    model: TransitModel, sightings: Sightings, pairs: MatchedPairs, camera_from: str, camera_to: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corrected gaps of the pairs that went this way (or overlap), and each one's probability to be one person.

    Returns:
        Seconds and probabilities. Twice shape ``(n,)``.
    """
    ids = sightings.camera_ids
    here, there = ids.index(camera_from), ids.index(camera_to)
    forward = (sightings.cameras[pairs.rows_a] == here) & (sightings.cameras[pairs.rows_b] == there)
    turned = (sightings.cameras[pairs.rows_a] == there) & (sightings.cameras[pairs.rows_b] == here)
    rows_from = np.concatenate([pairs.rows_a[forward], pairs.rows_b[turned]])
    rows_to = np.concatenate([pairs.rows_b[forward], pairs.rows_a[turned]])
    weights = np.concatenate([pairs.weights[forward], pairs.weights[turned]])
    right = model.corrected(sightings)
    onward = right.starts_s[rows_to] - right.ends_s[rows_from]
    back = right.starts_s[rows_from] - right.ends_s[rows_to]
    odds = weights * np.exp(model.pair_llr(sightings.take(rows_from), sightings.take(rows_to)))
    mine = onward >= back
    return onward[mine], (odds / np.maximum(odds + 1 - weights, 1e-12))[mine]


def _panel(
    ends: tuple[str, str], link: LinkDensity, gaps_s: NDArray[np.float64], weights: NDArray[np.float64]
) -> TransitPanel:
    low_s, high_s = _span(link)
    along = np.linspace(low_s, high_s, _POINTS)
    curves = [_steps(gaps_s, weights, along), link.transit_density(along), link.background.density(along)]
    curves = [_area_of_one(curve, along) for curve in curves]
    highest = 1.05 * max(float(curve.max()) for curve in curves)
    names = ("gaps of the pairs", "fitted density of one person", "anybody's gaps")
    series = [
        Series(name, along, curve, f"series-{k}") for k, (name, curve) in enumerate(zip(names, curves, strict=True))
    ]
    peaks = sorted(link.peaks, key=lambda peak: -peak.share)
    title = f"{ends[0]} to {ends[1]}: gaps, fitted density, background"
    svg = line_chart(
        series,
        x=Axis.of("gap in seconds", low_s, high_s),
        y=Axis.of("density per second", 0.0, highest or 1.0, form="{:.3f}", about=4),
        title=title,
        size=_SIZE,
    )
    return TransitPanel(ends[0], ends[1], link.pairs, tuple(round(peak.mode_s, 1) for peak in peaks), svg)


def _span(link: LinkDensity) -> tuple[float, float]:
    """From zero (or where peaks begin below it) to past the peaks, three minutes at most, in whole half minutes."""
    medians = [peak.median_s * float(np.exp(1.3 * peak.log_sd)) for peak in link.peaks if peak.median_s > 0]
    wanted = min(max([*medians, _ROUND_S]), _MOST_S, max(link.background.reach_s, _ROUND_S))
    lowest = min([0.0, *(peak.mode_s - _ROUND_S / 2 for peak in link.peaks if peak.mode_s < 0)])
    return _ROUND_S * float(np.floor(lowest / _ROUND_S)), _ROUND_S * float(np.ceil(wanted / _ROUND_S))


def _steps(
    gaps_s: NDArray[np.float64], weights: NDArray[np.float64], along: NDArray[np.float64]
) -> NDArray[np.float64]:
    """A weighted histogram, drawn as steps at the points of the axis."""
    counts, edges = np.histogram(gaps_s, _BINS, (float(along[0]), float(along[-1])), weights=weights)
    bins = np.clip(np.searchsorted(edges, along, side="right") - 1, 0, _BINS - 1)
    found: NDArray[np.float64] = counts[bins].astype(np.float64)
    return found


def _area_of_one(curve: NDArray[np.float64], along: NDArray[np.float64]) -> NDArray[np.float64]:
    area = float(np.trapezoid(curve, along))
    scaled: NDArray[np.float64] = curve / area if area > 0 else np.zeros_like(curve)
    return scaled
