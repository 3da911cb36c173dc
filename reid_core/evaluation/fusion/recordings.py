"""Clocks of the recordings that a camera's footage was cut into, set right by who looks alike.

A benchmark counts frames on from one recorded sequence to the next, and what was lost between two recordings is lost to
the count: from then on the camera's clock is behind. People who look alike tell by how much, without a label: their
gaps pile up where the clocks put a walk. Each camera's first recording is taken as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter1d

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.spatio_temporal.sightings import MatchedPairs, Sightings

__all__ = ["recording_shifts"]

_BIN_S, _SMOOTH_BINS, _NEAR_BINS = 2.0, 10, 30
_LEAST_SHARE, _LEAST_PAIRS = 0.25, 5.0
_WALK_S = 60.0
_SCALES_S = 4000.0 * 0.75 ** np.arange(18)  # from forgiving everything to 30 s
_FIXED, _LOOSE = 1e4, 1e-3


class _Peak(NamedTuple):
    """Where gaps between two recordings pile up, and how many pairs speak for it."""

    here: int
    there: int
    gap_s: float
    pairs: float


def recording_shifts(
    sightings: Sightings, recordings: NDArray[np.int64], pairs: MatchedPairs, *, largest_s: float = 4000.0
) -> dict[tuple[int, int], float]:
    """By how much the clock of each camera's recording is ahead.

    Args:
        sightings: Of all recordings.
        recordings: Of each sighting. Shape ``(N,)``.
        pairs: That may show one person, with probabilities from looks alone.
        largest_s: No two recordings' clocks are further apart than this.

    Returns:
        Seconds by index of the camera and recording; 0 for a camera's first one.

    Raises:
        ValueError: If lengths differ.
    """
    if len(recordings) != len(sightings):
        raise ValueError(f"{len(recordings)} recordings and {len(sightings)} sightings do not fit")
    keys, codes = np.unique(np.column_stack([sightings.cameras, recordings]), axis=0, return_inverse=True)
    peaks = _peaks(sightings, codes.ravel(), pairs, cameras=keys[:, 0], largest_s=largest_s)
    shifts_s = _reconciled(peaks, keys[:, 0])
    return {(camera, recording): float(s) for (camera, recording), s in zip(keys.tolist(), shifts_s, strict=True)}


def _peaks(
    sightings: Sightings,
    codes: NDArray[np.int64],
    pairs: MatchedPairs,
    *,
    cameras: NDArray[np.int64],
    largest_s: float,
) -> list[_Peak]:
    """Of every two recordings of different cameras that have a clear one."""
    swapped = sightings.cameras[pairs.rows_a] > sightings.cameras[pairs.rows_b]
    a = np.where(swapped, pairs.rows_b, pairs.rows_a)
    b = np.where(swapped, pairs.rows_a, pairs.rows_b)
    gaps_s = sightings.starts_s[a] - sightings.starts_s[b]
    known = np.isfinite(gaps_s)
    both = codes[a] * len(cameras) + codes[b]
    found = []
    for code in np.unique(both[known]).tolist():
        chosen = known & (both == code)
        peak = _peak(gaps_s[chosen], pairs.weights[chosen], largest_s)
        if peak is not None:
            found.append(_Peak(code // len(cameras), code % len(cameras), *peak))
    return found


def _peak(gaps_s: NDArray[np.float64], weights: NDArray[np.float64], largest_s: float) -> tuple[float, float] | None:
    """The highest pile of gaps and how many pairs it holds; none if it holds few, or few of them all."""
    half = int(np.ceil(largest_s / _BIN_S))
    bins = np.floor(gaps_s / _BIN_S).astype(np.int64) + half
    inside = (bins >= 0) & (bins <= 2 * half)
    counts = np.bincount(bins[inside], weights[inside], minlength=2 * half + 1)
    top = int(gaussian_filter1d(counts, _SMOOTH_BINS).argmax())
    pairs = float(counts[max(top - _NEAR_BINS, 0) : top + _NEAR_BINS + 1].sum())
    if pairs < max(_LEAST_PAIRS, _LEAST_SHARE * float(weights.sum())):
        return None
    return (top - half + 0.5) * _BIN_S, pairs


def _reconciled(peaks: list[_Peak], cameras: NDArray[np.int64]) -> NDArray[np.float64]:
    """Shifts that agree best: gap = walk between the cameras + shift here - shift there.

    Least squares in which a peak counts less the less it agrees, first hardly and then more and more.
    """
    links = sorted({(int(cameras[p.here]), int(cameras[p.there])) for p in peaks})
    unknowns = len(cameras) + len(links)
    design, gaps_s = np.zeros((len(peaks), unknowns)), np.array([peak.gap_s for peak in peaks])
    for row, peak in enumerate(peaks):
        design[row, [peak.here, peak.there]] = 1.0, -1.0
        design[row, len(cameras) + links.index((int(cameras[peak.here]), int(cameras[peak.there])))] = 1.0
    first = np.unique(cameras, return_index=True)[1]
    usual = np.full(unknowns, _LOOSE)
    usual[first], usual[len(cameras) :] = _FIXED, 1 / _WALK_S
    trust = np.sqrt(np.array([peak.pairs for peak in peaks]))
    found = np.zeros(unknowns)
    for scale_s in _SCALES_S if peaks else ():
        weights = trust / (1 + ((design @ found - gaps_s) / scale_s) ** 2)
        system = np.concatenate([design * weights[:, None], np.diag(usual)])
        found = np.linalg.lstsq(system, np.concatenate([gaps_s * weights, np.zeros(unknowns)]), rcond=None)[0]
    return found[: len(cameras)]
