"""Groups of tracklets that are one person: clusters whose members are likely, on the average, to be each other.

A pair is judged by all that its two people were seen as, not by itself alone: whoever is alike to one view of a person
but to none of the others stays outside, and every piece of a broken track finds its place.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from reid_core.association.known_links import NO_LINKS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["GroupedPairs", "group_tracklets"]


@dataclass(frozen=True, slots=True, eq=False)
class GroupedPairs:
    """Every pair within a group, cameras notwithstanding, lower row first.

    Attributes:
        rows_a: Shape ``(P,)``.
        rows_b: Shape ``(P,)``.
        weights: Probability that the two groups are one person whose union joined the pair, in ``[0, 1]``; 1 for what
            was known. Shape ``(P,)``.
    """

    rows_a: NDArray[np.int64]
    rows_b: NDArray[np.int64]
    weights: NDArray[np.float64]


def group_tracklets(
    count: int,
    rows_a: NDArray[np.int64],
    rows_b: NDArray[np.int64],
    log_odds: NDArray[np.float64],
    *,
    floor: float,
    least: float,
    apart: NDArray[np.int64] = NO_LINKS,
    groups: NDArray[np.int64] | None = None,
) -> GroupedPairs:
    """Join the two groups whose pairs have the highest mean log-odds, again and again, down to a least.

    Args:
        count: How many tracklets there are, N.
        rows_a: One tracklet of each pair that is worth a look; the order within a pair does not matter. Shape ``(P,)``.
        rows_b: The other. Shape ``(P,)``.
        log_odds: That the pair is one person, in nats. Shape ``(P,)``.
        floor: Pairs that are not named, or less likely than that, count as that.
        least: Groups of lower mean log-odds are not joined; not below ``floor``.
        apart: Rows of pairs that are two people: their groups are never joined. Shape ``(A, 2)``.
        groups: What is known to be one person: equal numbers begin as one group. Shape ``(N,)``; ``None``: nothing.

    Returns:
        Each pair once; weights are the logistic of the mean log-odds at which it was joined.

    Raises:
        ValueError: If lengths do not fit, a log-odds is not a number, or ``least`` is below ``floor``.

    Example:
        >>> found = group_tracklets(  # 2 is alike to 1, but not to 0 who is surely 1
        ...     3, np.array([0, 1]), np.array([1, 2]), np.array([5.0, 1.0]), floor=-3.0, least=0.0
        ... )
        >>> found.rows_a.tolist(), found.rows_b.tolist(), found.weights.round(3).tolist()
        ([0], [1], [0.993])

    Source:
        Agglomerative clustering by average linkage (UPGMA; Sokal and Michener, 1958) under cannot-link constraints.
    """
    if not len(rows_a) == len(rows_b) == len(log_odds):
        raise ValueError(f"{len(rows_a)} and {len(rows_b)} rows and {len(log_odds)} log-odds do not fit")
    if np.isnan(log_odds).any() or not least >= floor:
        raise ValueError(f"log-odds must be numbers and least ({least}) not below the floor ({floor})")
    joined = _Groups(np.arange(count) if groups is None else groups, floor)
    joined.know(rows_a, rows_b, np.maximum(log_odds, floor) - floor)
    joined.forbid(apart)
    return _pairs_of(joined.known_pairs() + joined.join_down_to(least))


_Joined = tuple[list[int], list[int], float]


class _Groups:
    """Groups under way, each named by its lowest row."""

    def __init__(self, groups: NDArray[np.int64], floor: float) -> None:
        _, first, place = np.unique(groups, return_index=True, return_inverse=True)
        self._name = first[place]
        self._floor = floor
        self._members: dict[int, list[int]] = {int(name): [] for name in first}
        for row, name in enumerate(self._name.tolist()):
            self._members[name].append(row)
        self._above: dict[int, dict[int, float]] = {name: {} for name in self._members}  # sums above the floor
        self._never: dict[int, set[int]] = {name: set() for name in self._members}

    def know(self, rows_a: NDArray[np.int64], rows_b: NDArray[np.int64], above: NDArray[np.float64]) -> None:
        """Add up what pairs of rows say of their groups."""
        for one, other, more in zip(
            self._name[rows_a].tolist(), self._name[rows_b].tolist(), above.tolist(), strict=True
        ):
            if one != other and more > 0:
                self._above[one][other] = self._above[other][one] = self._above[one].get(other, 0.0) + more

    def forbid(self, apart: NDArray[np.int64]) -> None:
        """Keep the groups of pairs of rows apart."""
        for one, other in self._name[apart].tolist():
            if one != other:
                self._never[one].add(other)
                self._never[other].add(one)

    def known_pairs(self) -> list[_Joined]:
        """What was one group from the start."""
        every = [rows for rows in self._members.values() if len(rows) > 1]
        return [([row], rows[place + 1 :], math.inf) for rows in every for place, row in enumerate(rows)]

    def join_down_to(self, least: float) -> list[_Joined]:
        """Join until no two groups are likely enough; returns who was joined, and by which mean log-odds."""
        queue = [self._offer(one, other) for one, near in self._above.items() for other in near if one < other]
        heapq.heapify(queue)
        done: list[_Joined] = []
        while queue and -queue[0][0] >= least:
            offer = heapq.heappop(queue)
            _, one, other = offer
            if other not in self._above.get(one, {}) or offer != self._offer(one, other) or other in self._never[one]:
                continue
            done.append((list(self._members[one]), list(self._members[other]), -offer[0]))
            self._unite(one, other)
            for near in self._above[one]:
                heapq.heappush(queue, self._offer(min(one, near), max(one, near)))
        return done

    def _offer(self, one: int, other: int) -> tuple[float, int, int]:
        pairs = len(self._members[one]) * len(self._members[other])
        return -(self._floor + self._above[one][other] / pairs), one, other

    def _unite(self, one: int, other: int) -> None:
        """Let the lower-named of two groups take in the other."""
        self._members[one] += self._members.pop(other)
        for near, above in self._above.pop(other).items():
            del self._above[near][other]
            if near != one:
                self._above[one][near] = self._above[near][one] = self._above[one].get(near, 0.0) + above
        for enemy in self._never.pop(other):
            self._never[enemy].discard(other)
            self._never[enemy].add(one)
            self._never[one].add(enemy)


def _pairs_of(joined: list[_Joined]) -> GroupedPairs:
    """Every row of one side with every row of the other."""
    ends = [np.zeros((0, 2), np.int64)]
    ends += [
        np.array([(min(a, b), max(a, b)) for a in one for b in other], np.int64).reshape(-1, 2)
        for one, other, _ in joined
    ]
    odds = np.repeat([odds for *_, odds in joined], [len(part) for part in ends[1:]])
    rows = np.concatenate(ends)
    order = np.lexsort((rows[:, 1], rows[:, 0]))
    return GroupedPairs(rows[order, 0], rows[order, 1], expit(odds.astype(np.float64))[order])
