"""What is known of a site's tracklets, pair by pair, and the journeys that follow from all of it at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from reid_core.association.grouping import group_tracklets
from reid_core.association.known_links import NO_LINKS, close_links
from reid_core.association.verdicts import Believed, as_rows, believed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["JourneyFacts", "JourneyRule", "Pair"]

Pair = tuple[int, int]
_ROUNDING = 1e-6  # means of pairs below the least must not reach it by rounding: a wider reach does no harm


@dataclass(frozen=True, slots=True)
class JourneyRule:
    """When two groups of tracklets are one person.

    Attributes:
        floor: Pairs of lower log-odds, or of which nothing is known, count as that; in nats.
        least: Groups whose pairs have a lower mean log-odds are not joined; not below ``floor``.
    """

    floor: float = -6.0
    least: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a rule that would join what it knows nothing of."""
        if not (math.isfinite(self.floor) and math.isfinite(self.least) and self.least > self.floor):
            raise ValueError(f"least must lie above the floor, got {self.least} and {self.floor}")


class JourneyFacts:
    """Evidence, impossibilities and verdicts between tracklets, each named by a number.

    Args:
        rule: What makes one person of two groups.
    """

    def __init__(self, rule: JourneyRule) -> None:
        self._rule = rule
        self._odds: dict[int, dict[int, float]] = {}
        self._impossible: dict[int, set[int]] = {}
        self._same: tuple[Pair, ...] = ()
        self._different: tuple[Pair, ...] = ()
        self._spoken_of: set[int] = set()
        self._said: Believed[int] = Believed((), (), ())
        self._linked: dict[int, set[int]] = {}

    def __contains__(self, key: int) -> bool:
        return key in self._odds

    def __len__(self) -> int:
        return len(self._odds)

    @property
    def keys(self) -> Collection[int]:
        """Every tracklet."""
        return self._odds.keys()

    @property
    def conflicts(self) -> tuple[tuple[int, ...], ...]:
        """Verdicts that cannot all be true: chains of tracklets said to be one person, whose ends are two.

        They are two because somebody said so, or because it is impossible. Nothing of a chain is believed.
        """
        return self._said.contradictions

    @property
    def spoken_of(self) -> Collection[int]:
        """Every tracklet that a verdict names, whether it is there or not."""
        return self._spoken_of

    def add(self, key: int, odds: Mapping[int, float], impossible: Iterable[int] = ()) -> None:
        """Take in a tracklet with all that is known of it and those that are there.

        Raises:
            ValueError: If it is there already, another is not, or a log-odds is no number.
        """
        if key in self._odds:
            raise ValueError(f"tracklet {key} is there already")
        never = set(impossible)
        strange = (set(odds) | never) - self._odds.keys()
        if strange:
            raise ValueError(f"tracklet {key} is compared with {min(strange)}, which is not there")
        for other, nats in odds.items():
            if math.isnan(nats) or nats == math.inf:
                raise ValueError(f"the log-odds of tracklets {key} and {other} are {nats}")
        self._odds[key] = {other: nats for other, nats in odds.items() if nats > self._rule.floor}
        self._impossible[key] = never
        for other, nats in self._odds[key].items():
            self._odds[other][key] = nats
        for other in never:
            self._impossible[other].add(key)
        if key in self._spoken_of:
            self._believe()

    def remove(self, key: int) -> None:
        """Forget a tracklet.

        Raises:
            ValueError: If it is not there.
        """
        if key not in self._odds:
            raise ValueError(f"tracklet {key} is not there")
        for other in self._odds.pop(key):
            del self._odds[other][key]
        for other in self._impossible.pop(key):
            self._impossible[other].discard(key)
        if key in self._spoken_of:
            self._believe()

    def tell(self, same: Sequence[Pair], different: Sequence[Pair]) -> None:
        """Replace all that people said; tracklets that are not there may be spoken of."""
        self._same, self._different = tuple(same), tuple(different)
        self._spoken_of = {key for pair in (*same, *different) for key in pair}
        self._believe()

    def odds(self, one: int, other: int) -> float:
        """Log-odds of a pair, the floor where nothing better is known."""
        return self._odds[one].get(other, self._rule.floor)

    def near(self, key: int) -> Collection[int]:
        """With whom more is known of a tracklet than the floor."""
        return self._odds[key].keys()

    def is_possible(self, keys: Collection[int]) -> bool:
        """Whether nobody among them rules out another, by fact or by word."""
        wanted = set(keys)
        if any(self._impossible[key] & wanted for key in wanted):
            return False
        return not any(one in wanted and other in wanted for one, other in self._said.different)

    def reach(self, key: int, *, most: float = math.inf) -> set[int]:
        """Everybody who could come into one journey with a tracklet, itself included; nobody outside has a say.

        Two groups are joined only if a pair of them reaches the rule's least, so journeys never lead out of here.

        Args:
            key: The tracklet.
            most: Stop looking beyond so many, which are then some of them.
        """
        found, open_ = {key}, [key]
        while open_ and len(found) <= most:
            one = open_.pop()
            near = {other for other, nats in self._odds[one].items() if nats >= self._rule.least - _ROUNDING}
            fresh = (near | self._linked.get(one, set())) - found
            found |= fresh
            open_ += fresh
        return found

    def journeys(self, keys: Iterable[int]) -> list[tuple[int, ...]]:
        """The tracklets parted into journeys, by all that is known between them.

        Args:
            keys: One or several whole reaches (`reach`), or everybody.

        Returns:
            Each with its tracklets by rising number; by their first.
        """
        rows = sorted(keys)
        row_of = {key: row for row, key in enumerate(rows)}
        ends, odds = self._pairs(rows, row_of)
        must, cannot = as_rows(self._said, row_of)
        never = [(row_of[key], row_of[o]) for key in rows for o in self._impossible[key] if o > key and o in row_of]
        grouped = group_tracklets(
            len(rows),
            ends[:, 0],
            ends[:, 1],
            odds,
            floor=self._rule.floor,
            least=self._rule.least,
            apart=np.concatenate([cannot, np.array(never, np.int64).reshape(-1, 2)]),
            groups=close_links(len(rows), must, NO_LINKS).groups,
        )
        return _parted(rows, grouped.rows_a, grouped.rows_b)

    def _pairs(self, rows: list[int], row_of: Mapping[int, int]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Pairs by rising rows, so that sums do not depend on the order in which tracklets came."""
        ends = sorted((row_of[key], row_of[o]) for key in rows for o in self._odds[key] if o > key and o in row_of)
        odds = [self._odds[rows[one]][rows[other]] for one, other in ends]
        return np.array(ends, np.int64).reshape(-1, 2), np.array(odds, np.float64)

    def _believe(self) -> None:
        """Find out which verdicts can stand beside each other and beside what is impossible."""
        torn = [
            (one, other)
            for group in _groups_of(self._same)
            for one, other in combinations(sorted(key for key in group if key in self._odds), 2)
            if other in self._impossible[one]
        ]
        said = believed(self._same, [*self._different, *torn])
        facts = set(torn)
        self._said = Believed(said.same, tuple(p for p in said.different if p not in facts), said.contradictions)
        self._linked = {}
        for group in _groups_of(self._said.same):
            here = {key for key in group if key in self._odds}
            self._linked.update({key: here - {key} for key in here})


def _groups_of(pairs: Sequence[Pair]) -> list[list[int]]:
    """Who is joined with whom, directly or not."""
    nodes = sorted({key for pair in pairs for key in pair})
    row_of = {key: row for row, key in enumerate(nodes)}
    ends = np.array([(row_of[one], row_of[other]) for one, other in pairs], np.int64).reshape(-1, 2)
    return [list(group) for group in _parted(nodes, ends[:, 0], ends[:, 1])]


def _parted(keys: Sequence[int], rows_a: NDArray[np.int64], rows_b: NDArray[np.int64]) -> list[tuple[int, ...]]:
    """Keys by what their rows are connected to; each part in order, by its first."""
    if not len(keys):
        return []
    links = coo_array((np.ones(len(rows_a)), (rows_a, rows_b)), shape=(len(keys), len(keys)))
    labels = connected_components(links, directed=False)[1]
    parts: dict[int, list[int]] = {}
    for key, label in zip(keys, labels.tolist(), strict=True):
        parts.setdefault(label, []).append(key)
    return sorted(tuple(sorted(part)) for part in parts.values())
