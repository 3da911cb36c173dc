"""Times between being seen at one camera and at another: of one person who goes there, and of any two people."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["PairGaps", "Visits", "transit_gaps"]

_NOBODY = 0
_MOST_OF_OTHERS = 200_000


@dataclass(frozen=True, slots=True, eq=False)
class Visits:
    """Who was where and when; ``V`` visits.

    Attributes:
        person_ids: 0 for nobody in particular. Shape ``(V,)``.
        cameras: Names, V of them.
        starts: Any unit. Shape ``(V,)``.
        ends: As ``starts``. Shape ``(V,)``.
        clocks: Which times can be compared: those of one number. Shape ``(V,)``.
    """

    person_ids: NDArray[np.int64]
    cameras: Sequence[str]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    clocks: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PairGaps:
    """Gaps between two cameras: positive from the first to the second, negative the other way, 0 where visits overlap.

    Attributes:
        cameras: The two, in order of their names.
        same: Of people who were seen at one and next at the other. Shape ``(S,)``.
        different: Between visits of different people, evenly thinned where they are many. Shape ``(D,)``.
    """

    cameras: tuple[str, str]
    same: NDArray[np.float64]
    different: NDArray[np.float64]


def transit_gaps(visits: Visits, *, least: int = 5) -> list[PairGaps]:
    """Gaps of every pair of cameras between which enough people went, the busiest first.

    Args:
        visits: Of all cameras.
        least: Pairs with fewer transits than this are left out.

    Raises:
        ValueError: If the lengths differ.
    """
    count = len(visits.person_ids)
    if not count == len(visits.cameras) == len(visits.starts) == len(visits.ends) == len(visits.clocks):
        raise ValueError(f"{count} people, {len(visits.cameras)} cameras and their times do not fit")
    cameras = np.asarray(visits.cameras, np.str_)
    same = _transits(visits, cameras)
    pairs = [pair for pair in combinations(sorted(set(cameras.tolist())), 2) if len(same.get(pair, ())) >= least]
    pairs.sort(key=lambda pair: -len(same[pair]))
    return [PairGaps(pair, np.array(same[pair]), _between_others(visits, cameras, pair)) for pair in pairs]


def _transits(visits: Visits, cameras: NDArray[np.str_]) -> dict[tuple[str, str], list[float]]:
    """Signed gaps between consecutive visits of one person to different cameras."""
    gaps: dict[tuple[str, str], list[float]] = {}
    people, clocks = visits.person_ids, visits.clocks
    for first, then in pairwise(np.lexsort((visits.starts, clocks, people)).tolist()):
        here, there = str(cameras[first]), str(cameras[then])
        if people[first] == people[then] != _NOBODY and clocks[first] == clocks[then] and here != there:
            gap = max(0.0, float(visits.starts[then] - visits.ends[first]))
            gaps.setdefault((min(here, there), max(here, there)), []).append(gap if here < there else -gap)
    return gaps


def _between_others(visits: Visits, cameras: NDArray[np.str_], pair: tuple[str, str]) -> NDArray[np.float64]:
    a, b = (np.flatnonzero(cameras == camera) for camera in pair)
    step = max(1, int(np.ceil(np.sqrt(len(a) * len(b) / _MOST_OF_OTHERS))))
    a, b = a[::step], b[::step]
    onward = visits.starts[b][None, :] - visits.ends[a][:, None]
    back = visits.starts[a][:, None] - visits.ends[b][None, :]
    gaps = np.where(onward > 0, onward, np.where(back > 0, -back, 0.0))
    people_a, people_b = visits.person_ids[a][:, None], visits.person_ids[b][None, :]
    others = (people_a != people_b) | (people_a == _NOBODY)
    return np.asarray(gaps[others & (visits.clocks[a][:, None] == visits.clocks[b][None, :])], np.float64)
