"""What people say of pairs of tracklets, when it contradicts itself: which verdicts can still be believed."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["Believed", "as_rows", "believed", "chains", "torn"]

_Node = TypeVar("_Node", bound="Hashable")
_Joined = dict[_Node, dict[_Node, None]]  # neighbours, in the order in which they came


@dataclass(frozen=True, slots=True)
class Believed(Generic[_Node]):
    """Verdicts that can all be true at once.

    Attributes:
        same: Confirmed pairs.
        different: Rejected pairs.
        contradictions: For each rejected pair whose ends were confirmed to be one person after all: the chain of
            confirmed pairs from one end to the other. No verdict on any way between the two is believed.
    """

    same: tuple[tuple[_Node, _Node], ...]
    different: tuple[tuple[_Node, _Node], ...]
    contradictions: tuple[tuple[_Node, ...], ...]


def believed(same: Sequence[tuple[_Node, _Node]], different: Sequence[tuple[_Node, _Node]]) -> Believed[_Node]:
    """Leave out every verdict that takes part in a contradiction; nobody can tell which of them is wrong.

    Where A = B, B = C and A is not C, none of the three is believed, and what else was said of A, B and C is.

    Args:
        same: Confirmed pairs.
        different: Rejected pairs.

    Example:
        >>> found = believed([("a", "b"), ("b", "c"), ("c", "d")], [("a", "c"), ("a", "e")])
        >>> found.same, found.different, found.contradictions
        ((('c', 'd'),), (('a', 'e'),), (('a', 'b', 'c'),))
    """
    joined = _joined(same)
    found = []
    for first in chains(same, different):
        chain: tuple[_Node, ...] | None = first
        found.append(first)
        while chain is not None:
            for one, other in pairwise(chain):
                joined[one].pop(other, None)
                joined[other].pop(one, None)
            chain = _chain(joined, first[0], first[-1])
    ends = {frozenset((chain[0], chain[-1])) for chain in found}
    return Believed(
        tuple(pair for pair in same if pair[1] in joined[pair[0]]),
        tuple(pair for pair in different if frozenset(pair) not in ends),
        tuple(found),
    )


def chains(
    same: Iterable[tuple[_Node, _Node]], different: Iterable[tuple[_Node, _Node]]
) -> tuple[tuple[_Node, ...], ...]:
    """For each rejected pair whose ends confirmed pairs join: the shortest way from one end to the other.

    Example:
        >>> chains([(1, 2), (2, 3)], [(3, 1), (1, 4)])
        ((3, 2, 1),)
    """
    joined = _joined(same)
    found = (_chain(joined, one, other) for one, other in _torn(joined, different))
    return tuple(chain for chain in found if chain is not None)


def torn(
    same: Iterable[tuple[_Node, _Node]], different: Iterable[tuple[_Node, _Node]]
) -> tuple[tuple[_Node, _Node], ...]:
    """The rejected pairs whose ends confirmed pairs join.

    Example:
        >>> torn([(1, 2), (2, 3)], [(3, 1), (1, 4)])
        ((3, 1),)
    """
    return _torn(_joined(same), different)


def _torn(joined: _Joined[_Node], different: Iterable[tuple[_Node, _Node]]) -> tuple[tuple[_Node, _Node], ...]:
    groups = _groups(joined)
    return tuple(pair for pair in different if pair[0] in groups and groups[pair[0]] == groups.get(pair[1], -1))


def as_rows(said: Believed[_Node], row_of: Mapping[_Node, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Verdicts as pairs of rows of a set that may lack some of the tracklets, without losing what follows from them.

    Args:
        said: Without contradictions.
        row_of: The row of each tracklet that the set holds.

    Returns:
        Pairs that are one person and pairs that are not; `close_links` gives all that follows. Shapes ``(A, 2)`` and
        ``(B, 2)``, int64.

    Example:
        >>> must, cannot = as_rows(Believed((("a", "b"), ("b", "c")), (("b", "d"),), ()), {"a": 0, "c": 1, "d": 2})
        >>> must.tolist(), cannot.tolist()
        ([[0, 1]], [[0, 2]])
    """
    groups = _groups(_joined([*said.same, *((node, node) for pair in said.different for node in pair)]))
    rows: dict[int, list[int]] = {}
    for node, group in groups.items():
        if node in row_of:
            rows.setdefault(group, []).append(row_of[node])
    members = {group: sorted(found) for group, found in rows.items()}
    must = [pair for found in members.values() for pair in pairwise(found)]
    apart = {tuple(sorted((groups[one], groups[other]))) for one, other in said.different}
    cannot = [sorted((members[a][0], members[b][0])) for a, b in apart if a in members and b in members]
    return _pairs(sorted(must)), _pairs(sorted(cannot))


def _pairs(pairs: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    return np.array(pairs, np.int64).reshape(-1, 2)


def _joined(pairs: Iterable[tuple[_Node, _Node]]) -> _Joined[_Node]:
    joined: _Joined[_Node] = {}
    for one, other in pairs:
        joined.setdefault(one, {})[other] = None
        joined.setdefault(other, {})[one] = None
    return joined


def _groups(joined: _Joined[_Node]) -> dict[_Node, int]:
    """The number of the group of each node, in the order of their first nodes."""
    groups: dict[_Node, int] = {}
    for number, start in enumerate(joined):
        open_ = [start] if start not in groups else []
        while open_:
            node = open_.pop()
            if groups.setdefault(node, number) == number:
                open_ += [other for other in joined[node] if other not in groups]
    return groups


def _chain(joined: _Joined[_Node], start: _Node, end: _Node) -> tuple[_Node, ...] | None:
    """The shortest way, ``None`` where there is none."""
    before: dict[_Node, _Node] = {start: start}
    open_ = deque([start])
    while open_ and end not in before:
        node = open_.popleft()
        for other in joined[node]:
            if other not in before:
                before[other] = node
                open_.append(other)
    if end not in before:
        return None
    way = [end]
    while way[-1] != start:
        way.append(before[way[-1]])
    return tuple(reversed(way))
