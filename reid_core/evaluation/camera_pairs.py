"""Ranking figures by pair of cameras: how well what one camera asks is found at another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.metrics.ranked_matches import ranks_at, rectangle

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        cameras: Names.
    """

    def __init__(self, cameras: Sequence[str]) -> None:
        self._cameras = tuple(cameras)
        self._place = {camera: place for place, camera in enumerate(cameras)}
        self._precision, self._first = np.zeros((2, len(cameras), len(cameras)))
        self._queries = np.zeros((len(cameras), len(cameras)), np.int64)

    def add(
        self,
        asking: str,
        answering: NDArray[np.str_],
        distances: FloatArray,
        *,
        entries: NDArray[np.intp],
        matches: NDArray[np.intp],
    ) -> None:
        """Add one query, at each camera that holds a true match of it.

        Args:
            asking: The query's camera.
            answering: The camera of each gallery entry. Shape ``(G,)``.
            distances: To each gallery entry. Shape ``(G,)``.
            entries: Gallery positions that are no junk, rising.
            matches: Those of them that are right, rising.
        """
        for camera in np.unique(answering[matches]):
            there = entries[answering[entries] == camera]
            ranks = ranks_at(distances[there], np.searchsorted(there, matches[answering[matches] == camera]))
            at = self._place[asking], self._place[str(camera)]
            self._precision[at] += rectangle(ranks)
            self._first[at] += ranks[0] == 1
            self._queries[at] += 1

    def means(self) -> CameraPairs:
        """The figures over all queries added."""
        counts = np.where(self._queries > 0, self._queries, np.nan)
        return CameraPairs(self._cameras, self._precision / counts, self._first / counts, self._queries)
