"""Pairs of sightings of two cameras, as the fits of both ways between them see them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.spatio_temporal.gaps import background_of
from reid_core.spatio_temporal.zones import zones_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from reid_core.spatio_temporal.gaps import Background
    from reid_core.spatio_temporal.sightings import MatchedPairs, Sightings
    from reid_core.spatio_temporal.zones import Zones

__all__ = ["LinkPairs", "pairs_by_link"]

_SHORTEST_REACH_S: Final = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class LinkPairs:
    """Pairs of sightings of two cameras, A and B. Column 0 is the way from A to B, column 1 the way back.

    Attributes:
        gaps_s: Start at the one less end at the other, for both ways. Shape ``(P, 2)``.
        rows: Which of all pairs they are. Shape ``(P,)``.
        weights: Probability from looks alone that the pair is one person. Shape ``(P,)``.
        leaves: Zone in which the walker left, -1 where not known. Shape ``(P, 2)``.
        arrives: Zone in which the walker arrived, -1 where not known. Shape ``(P, 2)``.
        backgrounds: Of both ways.
        leave_shares: How often anybody leaves by each zone, of both ways.
        arrive_shares: How often anybody arrives by each zone, of both ways.
    """

    gaps_s: NDArray[np.float64]
    rows: NDArray[np.int64]
    weights: NDArray[np.float64]
    leaves: NDArray[np.int64]
    arrives: NDArray[np.int64]
    backgrounds: tuple[Background, Background]
    leave_shares: tuple[NDArray[np.float64], NDArray[np.float64]]
    arrive_shares: tuple[NDArray[np.float64], NDArray[np.float64]]

    def __len__(self) -> int:
        return len(self.weights)

    def take(self, chosen: NDArray[np.integer]) -> LinkPairs:
        """The pairs at these places, in their order."""
        return replace(
            self,
            gaps_s=self.gaps_s[chosen],
            rows=self.rows[chosen],
            weights=self.weights[chosen],
            leaves=self.leaves[chosen],
            arrives=self.arrives[chosen],
        )

    def weighed(self, weights: NDArray[np.float64]) -> LinkPairs:
        """The same pairs with other weights, given for all pairs of the site."""
        return replace(self, weights=weights[self.rows])


def pairs_by_link(
    sightings: Sightings, pairs: MatchedPairs, zones: Mapping[str, Zones], *, windowed: bool = False
) -> dict[tuple[int, int], LinkPairs]:
    """Sort pairs by the two cameras that they join.

    Args:
        sightings: Of the whole site; all whose clock is known make the background.
        pairs: Of known clocks.
        zones: By camera id.
        windowed: The pairs were looked for in a window of time only: so is the background then, as far as the pairs of
            each two cameras reach both ways; longer ones are left out.

    Returns:
        By index of the two cameras, the smaller first; cameras without a sighting of known time are left out.
    """
    entered, left = zones_of(sightings, zones)
    at = [np.flatnonzero((sightings.cameras == c) & sightings.clock_known()) for c in range(len(sightings.camera_ids))]
    counts = [len(zones[camera]) if camera in zones else 1 for camera in sightings.camera_ids]
    leaves = [_shares(left[rows], count) for rows, count in zip(at, counts, strict=True)]
    arrives = [_shares(entered[rows], count) for rows, count in zip(at, counts, strict=True)]
    turned = sightings.cameras[pairs.rows_a] > sightings.cameras[pairs.rows_b]
    rows_a = np.where(turned, pairs.rows_b, pairs.rows_a)
    rows_b = np.where(turned, pairs.rows_a, pairs.rows_b)
    found = {}
    for a, b in combinations([camera for camera, rows in enumerate(at) if len(rows)], 2):
        here = np.flatnonzero((sightings.cameras[rows_a] == a) & (sightings.cameras[rows_b] == b))
        one, other = rows_a[here], rows_b[here]
        onward = sightings.starts_s[other] - sightings.ends_s[one]
        back = sightings.starts_s[one] - sightings.ends_s[other]
        reach_s = _reach_s(onward, back) if windowed else None
        if reach_s is not None:
            near = np.maximum(onward, back) <= reach_s
            here, one, other, onward, back = here[near], one[near], other[near], onward[near], back[near]
        found[a, b] = LinkPairs(
            gaps_s=np.column_stack([onward, back]),
            rows=here,
            weights=pairs.weights[here],
            leaves=np.column_stack([left[one], left[other]]),
            arrives=np.column_stack([entered[other], entered[one]]),
            backgrounds=(_background(sightings, at[a], at[b], reach_s), _background(sightings, at[b], at[a], reach_s)),
            leave_shares=(leaves[a], leaves[b]),
            arrive_shares=(arrives[b], arrives[a]),
        )
    return found


def _reach_s(onward: NDArray[np.float64], back: NDArray[np.float64]) -> float | None:
    """How long gaps are compared both ways; ``None`` without a pair of either way."""
    there, again = onward[onward >= back], back[back > onward]
    if not len(there) or not len(again):
        return None
    return float(max(min(there.max(), again.max()), _SHORTEST_REACH_S))


def _background(
    sightings: Sightings, left: NDArray[np.intp], arrived: NDArray[np.intp], reach_s: float | None
) -> Background:
    return background_of(sightings.ends_s[left], sightings.starts_s[arrived], reach_s=reach_s)


def _shares(zones: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    counts = np.bincount(zones[zones >= 0], minlength=count).astype(np.float64) + 0.5
    shares: NDArray[np.float64] = counts / counts.sum()
    return shares
