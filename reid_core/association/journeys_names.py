"""Journeys keep their names when they are grouped anew: who carries on which journey, and what merged or split."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Change", "ChangeKind", "Renamed", "carry_on"]

_Name = TypeVar("_Name")


class ChangeKind(StrEnum):
    """What happened to two journeys."""

    MERGE = "merge"
    SPLIT = "split"


@dataclass(frozen=True, slots=True)
class Change(Generic[_Name]):
    """Tracklets that went from one journey to another.

    Attributes:
        kind: A split took some of a journey; a merge took all, or what was left, of one that ends.
        journey: The journey that goes on: that took the other in, or was left.
        other: The journey that ended, or to which some went.
        kept: Tracklets of ``journey`` that were and are in it.
        moved: Tracklets that went.
    """

    kind: ChangeKind
    journey: _Name
    other: _Name
    kept: tuple[int, ...]
    moved: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Renamed(Generic[_Name]):
    """Groups with names.

    Attributes:
        names: The journey of each group, in the order of the groups.
        new: Those of them that were not there before.
        changes: What merged and split, without what only grew, shrank or began.
    """

    names: tuple[_Name, ...]
    new: frozenset[_Name]
    changes: tuple[Change[_Name], ...]


def carry_on(
    before: Mapping[int, _Name], groups: Sequence[Sequence[int]], *, new_name: Callable[[], _Name]
) -> Renamed[_Name]:
    """Give each group the journey of which it holds most, each journey once; the rest get new names.

    Of equal shares the group with the lowest tracklet wins. Tracklets that are in no group any more do not count.

    Args:
        before: The journey of each tracklet; new tracklets are missing.
        groups: All tracklets of the journeys that may have changed, parted anew.
        new_name: Makes a name.

    Example:
        >>> found = carry_on({1: "a", 2: "a", 3: "b", 4: "b"}, [(1, 2, 3), (4, 5)], new_name=lambda: "c")
        >>> found.names, [(one.kind.value, one.journey, one.other, one.moved) for one in found.changes]
        (('a', 'b'), [('split', 'b', 'a', (3,))])
    """
    names = _names(before, groups)
    fresh = {place: new_name() for place in range(len(groups)) if place not in names}
    names |= fresh
    moved = _moved(before, groups, names)
    kept: dict[_Name, tuple[int, ...]] = {
        name: tuple(sorted(key for key in groups[place] if before.get(key) == name)) for place, name in names.items()
    }
    heirs: dict[_Name, _Name] = {}
    for old, now in sorted(moved, key=lambda way: (-len(moved[way]), moved[way])):
        if old not in kept:
            heirs.setdefault(old, now)
    changes = [
        Change(ChangeKind.MERGE, now, old, kept[now], keys)
        if heirs.get(old) == now
        else Change(ChangeKind.SPLIT, old, now, kept.get(old, ()), keys)
        for (old, now), keys in moved.items()
    ]
    return Renamed(tuple(names[place] for place in range(len(groups))), frozenset(fresh.values()), tuple(changes))


def _names(before: Mapping[int, _Name], groups: Sequence[Sequence[int]]) -> dict[int, _Name]:
    """The journey that each group carries on, of those that carry one on."""
    shares = Counter((place, before[key]) for place, group in enumerate(groups) for key in group if key in before)
    order = sorted(shares, key=lambda one: (-shares[one], min(groups[one[0]])))
    names: dict[int, _Name] = {}
    taken: set[_Name] = set()
    for place, name in order:
        if place not in names and name not in taken:
            names[place] = name
            taken.add(name)
    return names


def _moved(
    before: Mapping[int, _Name], groups: Sequence[Sequence[int]], names: Mapping[int, _Name]
) -> dict[tuple[_Name, _Name], tuple[int, ...]]:
    """Who went from which journey to which other, by rising number."""
    moved: dict[tuple[_Name, _Name], list[int]] = {}
    for place, group in enumerate(groups):
        for key in sorted(group):
            if key in before and before[key] != names[place]:
                moved.setdefault((before[key], names[place]), []).append(key)
    return {way: tuple(keys) for way, keys in moved.items()}
