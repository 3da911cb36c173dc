"""Ranking figures by pair of cameras: how well what one camera asks is found at another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.metrics.ranked_matches import ranks_at, rectangle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.types import FloatArray

__all__ = ["CameraPairSums", "CameraPairs"]


@dataclass(frozen=True, slots=True, eq=False)
class CameraPairs:
    """Figures of every pair; rows ask, columns answer.

    Attributes:
        cameras: Names, n of them.
        mean_precision: Mean average precision over that camera's gallery alone, NaN without a query. ``(n, n)``.
        rank1: Share of queries whose nearest entry there is right, NaN without a query. ``(n, n)``.
        queries: How many have a true match there. ``(n, n)``, int64.
    """

    cameras: tuple[str, ...]
    mean_precision: NDArray[np.float64]
    rank1: NDArray[np.float64]
    queries: NDArray[np.int64]


class CameraPairSums:
    """Adds up queries.

    Args:
        asking: The camera of each query. Shape ``(Q,)``.
        answering: The camera of each gallery entry. Shape ``(G,)``.
    """

    def __init__(self, asking: NDArray[np.str_], answering: NDArray[np.str_]) -> None:
        names, places = np.unique(np.concatenate([asking, answering]), return_inverse=True)
        self.cameras = tuple(names.tolist())
        self._asking, self._answering = places[: len(asking)], places[len(asking) :]
        self._precision, self._first = np.zeros((2, len(names), len(names)))
        self._queries = np.zeros((len(names), len(names)), np.int64)

    def add(self, query: int, distances: FloatArray, *, entries: NDArray[np.intp], matches: NDArray[np.intp]) -> None:
        """Add one query, at each camera that holds a true match of it.

        Args:
            query: Its position.
            distances: To each gallery entry. Shape ``(G,)``.
            entries: Gallery positions that are no junk, rising.
            matches: Those of them that are right, rising.
        """
        seen_by, matched_by = self._answering[entries], self._answering[matches]
        for camera in np.unique(matched_by):
            there = entries[seen_by == camera]
            ranks = ranks_at(distances[there], np.searchsorted(there, matches[matched_by == camera]))
            at = int(self._asking[query]), int(camera)
            self._precision[at] += rectangle(ranks)
            self._first[at] += ranks[0] == 1
            self._queries[at] += 1

    def means(self) -> CameraPairs:
        """The figures over all queries added."""
        counts = np.where(self._queries > 0, self._queries, np.nan)
        return CameraPairs(self.cameras, self._precision / counts, self._first / counts, self._queries)
