"""What is known beforehand: pairs of tracklets that are one person, and pairs that are not, with all that follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NO_LINKS", "KnownLinks", "close_links"]

NO_LINKS: NDArray[np.int64] = np.zeros((0, 2), np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class KnownLinks:
    """Groups of tracklets that are one person, and the groups that are kept apart.

    Attributes:
        groups: The group of each tracklet; most are alone in theirs. Shape ``(N,)``.
        must: Every pair of one group, lower row first, without doubles. Shape ``(A, 2)``.
        cannot: Every pair across two groups that are kept apart, both ways round. Shape ``(B, 2)``.
    """

    groups: NDArray[np.int64]
    must: NDArray[np.int64]
    cannot: NDArray[np.int64]


def close_links(count: int, must_link: NDArray[np.int64], cannot_link: NDArray[np.int64]) -> KnownLinks:
    """Follow links to their end: whoever is one person with a tracklet shares all that is known of it.

    Args:
        count: How many tracklets there are, ``N``.
        must_link: Rows of pairs that are one person; cameras do not matter. Shape ``(a, 2)``.
        cannot_link: Rows of pairs that are not. Shape ``(b, 2)``.

    Raises:
        ValueError: If a row is out of range, or a pair is linked and kept apart at once.

    Example:
        >>> known = close_links(4, np.array([[0, 1], [1, 2]]), np.array([[2, 3]]))
        >>> known.must.tolist(), sorted(known.cannot.tolist())[:3]
        ([[0, 1], [0, 2], [1, 2]], [[0, 3], [1, 3], [2, 3]])
    """
    must, cannot = _checked(count, must_link, "must-link"), _checked(count, cannot_link, "cannot-link")
    links = coo_array((np.ones(len(must)), (must[:, 0], must[:, 1])), shape=(count, count))
    groups = connected_components(links, directed=False)[1].astype(np.int64)
    torn = cannot[groups[cannot[:, 0]] == groups[cannot[:, 1]]]
    if len(torn):
        raise ValueError(f"tracklets {torn[0].tolist()} are both linked and kept apart")
    members = _members(groups)
    same = [_pairs(members[group]) for group in np.unique(groups[must]).tolist()]
    apart = [_across(members[a], members[b]) for a, b in _group_pairs(groups, cannot)]
    return KnownLinks(groups, np.concatenate([NO_LINKS, *same]), np.concatenate([NO_LINKS, *apart]))


def _checked(count: int, links: NDArray[np.int64], name: str) -> NDArray[np.int64]:
    links = np.asarray(links, np.int64).reshape(-1, 2)
    if len(links) and not (links.min() >= 0 and links.max() < count):
        raise ValueError(f"a {name} names row {int(links.max())} (least {int(links.min())}) of {count} tracklets")
    return links


def _members(groups: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)


def _group_pairs(groups: NDArray[np.int64], cannot: NDArray[np.int64]) -> list[tuple[int, int]]:
    apart: list[tuple[int, int]] = np.unique(np.sort(groups[cannot], axis=1), axis=0).tolist()
    return apart


def _pairs(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    one, other = np.triu_indices(len(rows), 1)
    return np.stack([rows[one], rows[other]], axis=1)


def _across(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    forth = np.stack(np.meshgrid(one, other, indexing="ij"), axis=-1).reshape(-1, 2)
    return np.concatenate([forth, forth[:, ::-1]])
