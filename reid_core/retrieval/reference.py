"""A sample of the index that every query is measured against, whatever its filters pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.spatio_temporal.fusion import Yardsticks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.retrieval.index import FlatIndex
    from reid_core.retrieval.rows import Hits
    from reid_core.retrieval.search import Query
    from reid_core.spatio_temporal.yardstick import Yardstick
    from reid_core.types import FloatArray

__all__ = ["Reference", "ReferenceShelf"]

_AT_MOST = 2048
_STALE_SHARE = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Some tracklets of the index.

    Attributes:
        vectors: Shape ``(m, d)``.
        hits: What the index knows of them.
        first_s: When the first of all was seen, NaN where no clock is known.
        last_s: When the last of all was seen.
    """

    vectors: FloatArray
    hits: Hits
    first_s: float
    last_s: float

    @staticmethod
    def of(index: FlatIndex) -> Reference:
        """Up to 2,048 tracklets, spread evenly over the order in which they came."""
        vectors, hits = index.sample(_AT_MOST)
        known = np.isfinite(hits.starts_s)
        if not known.any():
            return Reference(vectors, hits, np.nan, np.nan)
        return Reference(vectors, hits, float(hits.starts_s[known].min()), float(hits.ends_s[known].max()))

    def yardsticks(self, query: Query, *, prior: Yardstick) -> Yardsticks:
        """How far the query lies from other people, told by the sample without the query's own tracklets."""
        others = np.ones(len(self.hits), np.bool_)
        if query.exclude_tracklet_nos:
            others = ~np.isin(self.hits.tracklet_nos, np.array(sorted(query.exclude_tracklet_nos), np.int64))
        distances = np.clip(1.0 - self.vectors @ query.vector, 0.0, 2.0)[others]
        return Yardsticks.of(distances, self.own_camera(query)[others], prior=prior)

    def own_camera(self, query: Query) -> NDArray[np.bool_]:
        """Which of the sample the query's camera saw. Shape ``(m,)``."""
        if query.camera_id not in self.hits.camera_names:
            return np.zeros(len(self.hits), np.bool_)
        own: NDArray[np.bool_] = self.hits.cameras == self.hits.camera_names.index(query.camera_id)
        return own


class ReferenceShelf:
    """Keeps the reference of one index, and draws it anew when the index has grown or shrunk by a twentieth.

    Safe between threads: at worst two of them draw the same.
    """

    def __init__(self) -> None:
        self._kept: tuple[FlatIndex, int, Reference] | None = None

    def of(self, index: FlatIndex) -> Reference:
        """The reference of an index."""
        kept, size = self._kept, len(index)
        if kept is not None and kept[0] is index and abs(size - kept[1]) <= _STALE_SHARE * kept[1]:
            return kept[2]
        fresh = Reference.of(index)
        self._kept = (index, size, fresh)
        return fresh
