"""Nearest neighbours by cosine over half-precision vectors in memory, exact, with filters inside the search.

The truth lies in the database; this index is a cache of it and can be rebuilt at any time. Every search reads every row
that its filter passes (no approximate structure), so that a filter can never starve a search of answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.retrieval.codes import HalfCodes
from reid_core.retrieval.columns import Columns
from reid_core.retrieval.locks import SharedLock
from reid_core.retrieval.rows import Hits, IndexRows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from reid_core.spatio_temporal.windows import TimeWindow
    from reid_core.types import FloatArray, SearchFilter

__all__ = ["FlatIndex", "Hits", "IndexRows", "are_unit"]

_DEAD_SHARE_TO_COMPACT = 0.25
_NORM_TOLERANCE = 0.01


class FlatIndex:
    """The `VectorIndex` port over FAISS: a flat scan of half-precision codes.

    Safe for one writer and many readers: searches run side by side (FAISS lets go of the interpreter lock), a change
    waits for the searches inside and keeps new ones out while it appends; compaction prepares its copy while searches
    go on and holds the lock only to swap it in. A search therefore sees all of a change or none of it.

    Args:
        dim: Length d of a vector.
        threads: Threads of one call. FAISS spreads queries, not rows, over threads: a single query always runs on one.
    """

    def __init__(self, dim: int, *, threads: int = 1) -> None:
        if dim < 1:
            raise ValueError(f"dim must be at least 1, got {dim}")
        if threads < 1:
            raise ValueError(f"threads must be at least 1, got {threads}")
        self._dim = dim
        self._lock = SharedLock()
        self._codes = HalfCodes(dim, threads=threads)
        self._columns = Columns()

    @property
    def dim(self) -> int:
        """Length d of a vector."""
        return self._dim

    def __len__(self) -> int:
        return self._columns.alive_count

    def __contains__(self, tracklet_no: int) -> bool:
        return tracklet_no in self._columns

    def add(self, rows: IndexRows) -> None:
        """Add tracklets; one whose number is here already is replaced.

        Raises:
            ValueError: If the vectors have another length than d, are not finite or not L2-normalised. Nothing is added
                then.
        """
        vectors = self._checked(rows.vectors)
        if len(rows) == 0:
            return
        with self._lock.alone():
            self._columns.remove(rows.tracklet_nos.tolist())
            self._codes.add(vectors)
            self._columns.append(rows)
        self._compact_if_worth_it()

    def remove(self, tracklet_nos: Iterable[int]) -> int:
        """Remove tracklets; unknown numbers are passed over. Returns how many were here."""
        with self._lock.alone():
            removed = self._columns.remove(tracklet_nos)
        self._compact_if_worth_it()
        return removed

    def search(self, query: FloatArray, k: int, *, where: SearchFilter) -> tuple[NDArray[np.int64], FloatArray]:
        """Tracklet numbers and cosine distances of the nearest, as the `VectorIndex` port has it. See `nearest`."""
        hits = self.nearest(query, k, where=where)
        return hits.tracklet_nos, hits.distances

    def nearest(
        self, query: FloatArray, k: int, *, where: SearchFilter, windows: Mapping[str, TimeWindow] | None = None
    ) -> Hits:
        """The nearest tracklets that a filter passes, with what the index knows of them.

        Args:
            query: L2-normalised. Shape ``(d,)``.
            k: At most this many; fewer are returned where fewer pass.
            where: Which tracklets may be returned.
            windows: By camera: only those seen then, and none from other cameras.

        Raises:
            ValueError: If ``k`` is below 1, or the query has another length than d, is not finite or not L2-normalised.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        wanted = self._checked(np.asarray(query)[None])
        with self._lock.shared():
            mask = self._columns.passing(where)
            if windows is not None:
                inside = self._columns.within(windows)
                mask = inside if mask is None else mask & inside
            rows, scores = self._codes.best(wanted, k, mask, numbers=self._columns.every_no)
            columns = self._columns.take(rows)
        return Hits(distances=np.clip(1 - scores, 0, 2), **columns)

    def among(self, query: FloatArray, tracklet_nos: NDArray[np.int64]) -> Hits:
        """How near some tracklets are, nearest first; those that are not here are left out.

        Raises:
            ValueError: If the query has another length than d, is not finite or not L2-normalised.
        """
        wanted = self._checked(np.asarray(query)[None])
        with self._lock.shared():
            rows = self._columns.places(tracklet_nos)
            rows = rows[rows >= 0]
            scores = self._codes.take(rows) @ wanted[0]
            order = np.lexsort((self._columns.nos(rows), -scores))
            columns = self._columns.take(rows[order])
        return Hits(distances=np.clip(1 - scores[order], 0, 2), **columns)

    def count(self, where: SearchFilter) -> int:
        """How many tracklets a filter passes."""
        with self._lock.shared():
            mask = self._columns.passing(where)
            return len(self._columns) if mask is None else int(np.count_nonzero(mask))

    def sample(self, at_most: int) -> tuple[FloatArray, Hits]:
        """Tracklets spread evenly over the order in which they came, with vectors; their distances are NaN.

        Returns:
            Vectors of shape ``(m, d)``, and what the index knows of their tracklets.
        """
        with self._lock.shared():
            alive = np.flatnonzero(self._columns.alive)
            rows = alive[np.linspace(0, len(alive) - 1, min(at_most, len(alive))).astype(np.int64)]
            vectors = self._codes.take(rows)
            columns = self._columns.take(rows)
        return vectors, Hits(distances=np.full(len(rows), np.nan, np.float32), **columns)

    def _compact_if_worth_it(self) -> None:
        """Drop dead rows once they are over a quarter of all. Only the writer changes rows: the copy needs no lock."""
        columns = self._columns
        if len(columns) - columns.alive_count <= _DEAD_SHARE_TO_COMPACT * len(columns):
            return
        codes, fresh = self._codes.kept(columns.alive), columns.compacted()
        with self._lock.alone():
            self._codes, self._columns = codes, fresh

    def _checked(self, vectors: FloatArray | NDArray[np.float16]) -> FloatArray:
        """Contiguous float32 vectors, refused unless they are ``(n, d)``, finite and of length 1."""
        if vectors.ndim != 2 or vectors.shape[1] != self._dim:
            raise ValueError(f"vectors must have {self._dim} numbers each, got shape {vectors.shape}")
        plain: FloatArray = np.ascontiguousarray(vectors, dtype=np.float32)
        unit = are_unit(plain)
        if not unit.all():
            row = int(np.argmin(unit))
            norm = float(np.linalg.norm(plain[row]))
            raise ValueError(f"vectors must be finite and L2-normalised: row {row} has norm {norm}")
        return plain


def are_unit(vectors: FloatArray | NDArray[np.float16]) -> NDArray[np.bool_]:
    """Which vectors the index takes: finite and of length 1 within 1%, which half precision keeps.

    Args:
        vectors: Shape ``(n, d)``.

    Returns:
        Shape ``(n,)``.

    Example:
        >>> are_unit(np.array([[0.6, 0.8], [0.0, 0.0], [np.nan, 1.0]], np.float32)).tolist()
        [True, False, False]
    """
    norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float32))
    unit: NDArray[np.bool_] = np.abs(norms - 1) <= _NORM_TOLERANCE  # False for NaN
    return unit
