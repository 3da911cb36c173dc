"""Journeys: tracklets of all cameras put together person by person, kept up as tracklets come and go.

A new tracklet joins a journey, starts one, or makes it clear that two journeys are one or that one is two. What a
tracklet can change is limited to those whom it can reach over likely pairs (`JourneyFacts.reach`): these are grouped
anew, all others stay, and the result is exactly that of grouping the whole site at once, in whatever order tracklets
came. Only where so many are in reach that this would take long does a tracklet join whom it fits best, until `settle`.
"""

from __future__ import annotations

import math
from itertools import count
from typing import TYPE_CHECKING

from reid_core.association.journeys_facts import JourneyFacts, JourneyRule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reid_core.association.journeys_facts import Pair

__all__ = ["Journeys"]

_AT_ONCE = 2000


class Journeys:
    """Journeys of one site under one rule; nobody in them is a physical impossibility beside another.

    Args:
        rule: What makes one person of two groups.
        at_once: How many tracklets are grouped anew for one that came or went; with more in reach it is put off.
    """

    def __init__(self, rule: JourneyRule = JourneyRule(), *, at_once: float = _AT_ONCE) -> None:  # noqa: B008 - frozen
        self._rule = rule
        self._at_once = at_once
        self._facts = JourneyFacts(rule)
        self._group_of: dict[int, int] = {}
        self._members: dict[int, set[int]] = {}
        self._numbers = count()
        self._unsettled: set[int] = set()

    def __len__(self) -> int:
        return len(self._facts)

    def __contains__(self, key: int) -> bool:
        return key in self._facts

    @property
    def facts(self) -> JourneyFacts:
        """All that is known; change it through the journeys only."""
        return self._facts

    @property
    def is_settled(self) -> bool:
        """Whether nothing was put off."""
        return not self._unsettled

    @property
    def conflicts(self) -> tuple[tuple[int, ...], ...]:
        """Verdicts that are not held because they contradict each other or a fact; see `JourneyFacts.conflicts`."""
        return self._facts.conflicts

    def groups(self) -> list[tuple[int, ...]]:
        """All journeys, each with its tracklets by rising number, by their first."""
        return sorted(tuple(sorted(members)) for members in self._members.values())

    def of(self, key: int) -> tuple[int, ...]:
        """The journey of a tracklet.

        Raises:
            ValueError: If it is not there.
        """
        if key not in self._group_of:
            raise ValueError(f"tracklet {key} is not there")
        return tuple(sorted(self._members[self._group_of[key]]))

    def fill(self, facts: Iterable[tuple[int, Mapping[int, float], Iterable[int]]]) -> None:
        """Take in many tracklets and group once: each with log-odds and impossibilities to those before it.

        Raises:
            ValueError: As `add`.
        """
        for key, odds, impossible in facts:
            self._facts.add(key, odds, impossible)
            self._put({key})
            self._unsettled.add(key)
        self.settle()

    def add(self, key: int, odds: Mapping[int, float], impossible: Iterable[int] = ()) -> None:
        """Take in a tracklet.

        Args:
            key: Its number.
            odds: Log-odds of being one person, in nats, with whomever it was compared with.
            impossible: With whom it cannot be one person.

        Raises:
            ValueError: If it is there already, another is not, or a log-odds is no number.
        """
        self._facts.add(key, odds, impossible)
        self._put({key})
        self._renew({key}, at_once=math.inf if key in self._facts.spoken_of else None)

    def remove(self, key: int) -> None:
        """Take a tracklet out.

        Raises:
            ValueError: If it is not there.
        """
        if key not in self._facts:
            raise ValueError(f"tracklet {key} is not there")
        near = self._facts.reach(key) - {key}
        self._facts.remove(key)
        self._take(key)
        self._unsettled.discard(key)
        self._renew(near)

    def tell(self, same: Sequence[Pair], different: Sequence[Pair]) -> None:
        """Replace all verdicts of people; they hold at once, however many tracklets are in reach.

        Of verdicts that contradict each other or a fact none is held, and `conflicts` names them.

        Args:
            same: Pairs that are one person.
            different: Pairs that are two.
        """
        before = set(self._facts.spoken_of)
        self._facts.tell(same, different)
        spoken_of = before.union(self._facts.spoken_of)
        self._renew({key for key in spoken_of if key in self._facts}, at_once=math.inf)

    def settle(self) -> None:
        """Catch up with what was put off: afterwards the journeys are those of the whole site grouped at once."""
        self._renew(set(self._unsettled), at_once=math.inf)

    def _renew(self, keys: set[int], *, at_once: float | None = None) -> None:
        """Group everybody within reach of some tracklets anew, or put it off."""
        most, open_ = self._at_once if at_once is None else at_once, set(keys)
        for key in sorted(keys):
            if key not in open_:
                continue
            reach = self._facts.reach(key, most=most)
            if len(reach) > most:
                self._put_off(key)
                continue
            for journey in self._facts.journeys(reach):
                self._put(set(journey))
            self._unsettled -= reach
            open_ -= reach

    def _put_off(self, key: int) -> None:
        """Let a tracklet join whom it fits best if it is alone; what else would change has to wait."""
        self._unsettled.add(key)
        if len(self._members[self._group_of[key]]) > 1:
            return
        near = {self._group_of[other] for other in self._facts.near(key)} - {self._group_of[key]}
        fits = sorted((-self._mean(key, group), min(self._members[group]), group) for group in near)
        for cost, _, group in fits:
            if -cost >= self._rule.least and self._facts.is_possible({key, *self._members[group]}):
                self._put({key, *self._members[group]})
                return

    def _mean(self, key: int, group: int) -> float:
        members = self._members[group]
        return sum(self._facts.odds(key, other) for other in members) / len(members)

    def _put(self, keys: set[int]) -> None:
        """Make one journey of tracklets, whichever they were in."""
        for key in keys:
            self._take(key)
        group = next(self._numbers)
        self._members[group] = keys
        self._group_of.update(dict.fromkeys(keys, group))

    def _take(self, key: int) -> None:
        group = self._group_of.pop(key, None)
        if group is not None:
            self._members[group].discard(key)
            if not self._members[group]:
                del self._members[group]
