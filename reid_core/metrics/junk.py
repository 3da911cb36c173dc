"""Which gallery entries are a query's true matches, and which are junk: dropped, because they would tell nothing."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["JUNK_ID", "Clothes", "JunkRule", "SameCamera"]

JUNK_ID = -1


class SameCamera(Enum):
    """Which gallery entries of the query's own camera are junk."""

    OWN_PERSON = "own person"
    EVERYBODY = "everybody"


class Clothes(Enum):
    """Which outfits of the query's own person are junk.

    ``CHANGED`` leaves only other outfits than the query's, ``SAME`` only the query's own.
    """

    ANY = "any"
    CHANGED = "changed"
    SAME = "same"


class JunkRule:
    """True matches and junk of each query, found by looking only at its own person's gallery entries.

    Args:
        query_ids: Person of each query, positive. Shape ``(Q,)``.
        gallery_ids: Person of each gallery entry, ``JUNK_ID`` for one that is junk to everybody. Shape ``(G,)``.
        query_cameras: Shape ``(Q,)``.
        gallery_cameras: Shape ``(G,)``.
        same_camera: What of the query's own camera is junk.
        query_clothes: Shape ``(Q,)``; may be ``None`` where ``clothes`` is ``ANY``.
        gallery_clothes: Shape ``(G,)``.
        clothes: Which outfits of the query's own person are junk.

    Raises:
        ValueError: If lengths differ, clothes are missing, or a query's id is not positive.

    Example:
        >>> rule = JunkRule(np.array([7]), np.array([7, -1, 7, 0]), np.array([1]), np.array([1, 2, 2, 1]))
        >>> [positions.tolist() for positions in rule.matches_and_junk(0)]
        [[2], [0, 1]]
    """

    def __init__(
        self,
        query_ids: NDArray[np.int64],
        gallery_ids: NDArray[np.int64],
        query_cameras: NDArray[np.generic],
        gallery_cameras: NDArray[np.generic],
        same_camera: SameCamera = SameCamera.OWN_PERSON,
        query_clothes: NDArray[np.generic] | None = None,
        gallery_clothes: NDArray[np.generic] | None = None,
        clothes: Clothes = Clothes.ANY,
    ) -> None:
        _check_lengths("cameras", query_ids, gallery_ids, query_cameras, gallery_cameras)
        if len(query_ids) and query_ids.min() <= 0:
            raise ValueError(f"a query's person id must be positive, got {query_ids.min()}")
        if clothes is not Clothes.ANY and (query_clothes is None or gallery_clothes is None):
            raise ValueError(f"clothes of queries and gallery are needed to leave only {clothes.value} clothes")
        self._query_ids = query_ids
        self._gallery = _Groups(gallery_ids)
        self._everybodys_junk = self._gallery.positions_of(JUNK_ID)
        self._query_cameras, self._gallery_cameras = query_cameras, gallery_cameras
        self._cameras = _Groups(gallery_cameras) if same_camera is SameCamera.EVERYBODY else None
        self._clothes = clothes
        if query_clothes is not None and gallery_clothes is not None:
            _check_lengths("clothes", query_ids, gallery_ids, query_clothes, gallery_clothes)
            self._query_clothes, self._gallery_clothes = query_clothes, gallery_clothes

    def matches_and_junk(self, query: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Gallery positions of one query's true matches and of its junk, each rising."""
        own = self._gallery.positions_of(self._query_ids[query])
        dropped = self._gallery_cameras[own] == self._query_cameras[query]
        if self._clothes is not Clothes.ANY:
            alike = self._gallery_clothes[own] == self._query_clothes[query]
            dropped |= alike if self._clothes is Clothes.CHANGED else ~alike
        junk = [own[dropped], self._everybodys_junk]
        if self._cameras is not None:
            junk.append(self._cameras.positions_of(self._query_cameras[query]))
        several = [positions for positions in junk if len(positions)]
        return own[~dropped], several[0] if len(several) == 1 else np.unique(np.concatenate([*several, own[:0]]))


class _Groups:
    """Positions by value, each group rising."""

    def __init__(self, values: NDArray[np.generic]) -> None:
        self._order = np.argsort(values, kind="stable")
        self._sorted = values[self._order]

    def positions_of(self, value: object) -> NDArray[np.intp]:
        start, stop = (np.searchsorted(self._sorted, value, side=side) for side in ("left", "right"))  # type: ignore[call-overload]  # a generic array's scalars are not known to numpy's stubs
        return self._order[start:stop]


def _check_lengths(
    what: str,
    query_ids: NDArray[np.int64],
    gallery_ids: NDArray[np.int64],
    queries: NDArray[np.generic],
    gallery: NDArray[np.generic],
) -> None:
    if query_ids.shape != queries.shape or gallery_ids.shape != gallery.shape:
        raise ValueError(
            f"ids and {what} differ in length: queries {query_ids.shape} and {queries.shape}, "
            f"gallery {gallery_ids.shape} and {gallery.shape}"
        )
