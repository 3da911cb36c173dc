"""Pairs that may show one person, by looks alone: not the nearest ones only, but all that looks do not rule out.

A transit model learns more from ten uncertain candidates than from one mutual neighbour that is wrong half the time:
what is wrong scatters over all gaps and zones, what is right does not.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import ndtr

from reid_core.spatio_temporal.sightings import MatchedPairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from reid_core.spatio_temporal.sightings import Sightings

__all__ = ["visual_candidates"]

_NATS_PER_SPREAD: Final = 2.3
_LEAST: Final = 0.02
_MOST: Final = 0.98
_BLOCK: Final = 512
_SAMPLE: Final = 500_000
_STEPS: Final = np.linspace(-8.0, 12.0, 81)


def visual_candidates(
    vectors: NDArray[np.floating],
    sightings: Sightings,
    *,
    within_s: float | None = None,
    most_per_sighting: int = 20,
) -> MatchedPairs:
    """Candidates of every two cameras, with the probability that looks alone give each.

    Similarities of two cameras are taken against what is usual for the row, for the column and for the two cameras
    (cameras see colours differently). Most pairs are two people, and theirs make a normal bulk: what is more than the
    bulk has there, at a similarity, is the share of pairs of one person (Efron's local false discovery rate). A pair
    with a more similar rival on either side is worth less by as much as the rival is likelier.

    Args:
        vectors: Looks, compared by cosine. Shape ``(N, d)``.
        sightings: N of them.
        within_s: Only sightings that started within so many seconds of each other compete: give it for logs of hours,
            in which people pass again and again and most pairs of one person are no walk. Unknown clocks then have no
            candidates.
        most_per_sighting: At most so many candidates of one sighting at another camera.

    Returns:
        Pairs with weights from 0.02 up.

    Raises:
        ValueError: If the lengths differ, a vector is not finite or ``within_s`` is not above 0.
    """
    if len(vectors) != len(sightings):
        raise ValueError(f"{len(vectors)} vectors and {len(sightings)} sightings do not fit")
    if not np.isfinite(vectors).all():
        raise ValueError("vectors must be finite")
    if within_s is not None and not within_s > 0:
        raise ValueError(f"within_s must be above 0, got {within_s}")
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    usable = sightings.clock_known() if within_s is not None else np.ones(len(sightings), np.bool_)
    times_s = sightings.starts_s if within_s is not None else np.zeros(len(sightings))
    reach_s = 0.0 if within_s is None else within_s
    parts = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    for a, b in combinations(range(len(sightings.camera_ids)), 2):
        rows_a, rows_b = (_by_time(np.flatnonzero((sightings.cameras == c) & usable), times_s) for c in (a, b))
        if len(rows_a) > 1 and len(rows_b) > 1:
            similar = _Similar(unit[rows_a], unit[rows_b], times_s[rows_a], times_s[rows_b], reach_s)
            one, other, weights = _between(similar, most_per_sighting)
            parts.append((rows_a[one], rows_b[other], weights))
    rows_a, rows_b, weights = (np.concatenate(column) for column in zip(*parts, strict=True))
    return MatchedPairs(rows_a, rows_b, weights)


def _by_time(rows: NDArray[np.intp], times_s: NDArray[np.float64]) -> NDArray[np.int64]:
    ordered: NDArray[np.int64] = rows[np.argsort(times_s[rows], kind="stable")].astype(np.int64)
    return ordered


class _Similar:
    """Similarities of two cameras' sightings, block by block, less what is usual for row and column."""

    def __init__(
        self,
        one: NDArray[np.floating],
        other: NDArray[np.floating],
        times_one_s: NDArray[np.float64],
        times_other_s: NDArray[np.float64],
        within_s: float,
    ) -> None:
        self._one, self._other, self._within_s = one, other, within_s
        self._times = times_one_s, times_other_s
        self._row_means, self._column_means = one @ other.mean(axis=0), other @ one.mean(axis=0)
        self._mean = float(self._row_means.mean())
        self.columns = len(other)

    def blocks(self) -> Iterator[tuple[int, int, NDArray[np.float64], NDArray[np.bool_]]]:
        """First row, first column, similarities, and which pairs are near enough in time; in order of the rows."""
        mine, theirs = self._times
        for start in range(0, len(mine), _BLOCK):
            rows = slice(start, start + _BLOCK)
            first = int(np.searchsorted(theirs, mine[rows][0] - self._within_s, side="left"))
            past = int(np.searchsorted(theirs, mine[rows][-1] + self._within_s, side="right"))
            values = self._one[rows] @ self._other[first:past].T - self._row_means[rows, None] + self._mean
            values = values - self._column_means[None, first:past]
            near = np.abs(mine[rows][:, None] - theirs[None, first:past]) <= self._within_s
            yield start, first, np.asarray(values, np.float64), near


def _between(similar: _Similar, most: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Rows, columns and weights of two cameras' candidates."""
    excess = _Excess(similar)
    if not excess.pairs:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    best = np.full(similar.columns, -np.inf)
    for _, first, values, near in similar.blocks():
        columns = slice(first, first + values.shape[1])
        best[columns] = np.maximum(best[columns], np.where(near, values, -np.inf).max(axis=0))
    found = []
    for start, first, values, near in similar.blocks():
        columns = slice(first, first + values.shape[1])
        mine = np.where(near, values, -np.inf)
        rivals = np.maximum(mine.max(axis=1, keepdims=True), best[None, columns])
        with np.errstate(invalid="ignore"):
            chance = np.exp(_NATS_PER_SPREAD / excess.spread * (mine - rivals))
        weights = np.where(near, excess.of(mine) * np.nan_to_num(chance), 0.0)
        if most < weights.shape[1]:
            least = np.partition(weights, -most, axis=1)[:, -most][:, None]
            weights = np.where(weights >= least, weights, 0.0)
        i, j = np.nonzero(weights >= _LEAST)
        found.append((i + start, j + first, weights[i, j]))
    at_a, at_b, chosen = (np.concatenate(column) for column in zip(*found, strict=True))
    return at_a.astype(np.int64), at_b.astype(np.int64), chosen


class _Excess:
    """What share of the pairs of each similarity is more than chance: more than a normal bulk has there."""

    def __init__(self, similar: _Similar) -> None:
        self.pairs = sum(int(np.count_nonzero(near)) for _, _, _, near in similar.blocks())
        step = max(1, self.pairs // _SAMPLE)
        sample = np.concatenate([values[near][::step] for _, _, values, near in similar.blocks()] or [np.zeros(0)])
        low, middle, high = np.quantile(sample, (0.16, 0.5, 0.84)) if len(sample) else (0.0, 0.0, 0.0)
        self._middle, self.spread = float(middle), max(float(high - low) / 2, 1e-9)
        counts, _ = np.histogram(sample, self._middle + self.spread * _STEPS)
        above = np.cumsum(counts[::-1])[::-1]
        chance = len(sample) * np.diff(ndtr(_STEPS))
        chance_above = np.cumsum(chance[::-1])[::-1]
        shares = 1 - chance_above / np.maximum(above, 1)
        self._shares = np.clip(np.maximum.accumulate(np.where(above > 0, shares, 0.0)), 0.0, _MOST)

    def of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The share at each similarity; the shape is kept."""
        found: NDArray[np.float64] = np.interp((values - self._middle) / self.spread, _STEPS[:-1], self._shares)
        return found
