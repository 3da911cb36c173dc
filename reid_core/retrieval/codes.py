"""Half-precision vectors in memory and the scan over them: the part of an index that FAISS does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.types import FloatArray

__all__ = ["HalfCodes"]

_LEAST_BLAS_THRESHOLD = 1000
_WIDE_SHARE = 0.3  # of all rows; a filter that passes fewer is quicker by skipping
_SPARE = 8  # times as many rows are fetched as should be needed, in case the filter drops the most alike
_SPARE_ROWS = 64
_MANY, _SPARE_OF_MANY = 100, 2  # long lists are seldom thinned out so unevenly
_MOST_SPARE_ROWS = 4096  # beyond that, keeping so many in order costs more than it saves


class HalfCodes:
    """Rows of half-precision numbers; every scan reads each row that it may. Not thread-safe by itself.

    The product of two rows is the same whichever of them asks, beside whom and when: FAISS multiplies pair by pair, in
    one order.

    Args:
        dim: Length d of a row.
        threads: Threads of one call. FAISS spreads queries, not rows, over threads: a single query always runs on one.
        euclidean: Scans find small squared distances instead of large inner products.
    """

    def __init__(self, dim: int, *, threads: int = 1, euclidean: bool = False) -> None:
        _spare_small_batches_the_detour()
        self._dim, self._threads, self._euclidean = dim, threads, euclidean
        metric = faiss.METRIC_L2 if euclidean else faiss.METRIC_INNER_PRODUCT
        self._codes: Any = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_fp16, metric)

    def __len__(self) -> int:
        return int(self._codes.ntotal)

    @property
    def dim(self) -> int:
        """Length d of a row."""
        return self._dim

    @property
    def halves(self) -> NDArray[np.float16]:
        """The rows as they are kept; writing into them changes them. Valid until the next `add`. Shape ``(n, d)``."""
        size = len(self) * self._dim * 2
        if not size:
            return np.zeros((0, self._dim), np.float16)
        stored: NDArray[np.uint8] = faiss.rev_swig_ptr(self._codes.codes.data(), size)
        return stored.view(np.float16).reshape(len(self), self._dim)

    def add(self, rows: FloatArray) -> None:
        """Append rows of shape ``(m, d)``."""
        self._codes.add(np.ascontiguousarray(rows, np.float32))

    def take(self, rows: NDArray[np.int64]) -> FloatArray:
        """Some rows in full precision. Shape ``(m, d)``."""
        return self.halves[rows].astype(np.float32)

    def kept(self, wanted: NDArray[np.bool_]) -> HalfCodes:
        """A copy of the wanted rows, in the same order. ``wanted`` has shape ``(n,)``."""
        fresh = HalfCodes(self._dim, threads=self._threads, euclidean=self._euclidean)
        stored = faiss.vector_to_array(self._codes.codes).reshape(len(self), -1)
        fresh._codes.add_sa_codes(np.ascontiguousarray(stored[wanted]))
        return fresh

    def scan(
        self, query: FloatArray, k: int, mask: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], FloatArray]:
        """The best ``k`` rows for each query, best first; which of equal ones are the last is left open.

        Args:
            query: Float32, contiguous. Shape ``(q, d)``.
            k: At most as many as there are rows that the mask passes.
            mask: Only these rows. Shape ``(n,)``.

        Returns:
            Rows, and inner products or squared distances. Shapes ``(q, k)``.
        """
        if k == 0:
            return np.zeros((len(query), 0), np.int64), np.zeros((len(query), 0), np.float32)
        faiss.omp_set_num_threads(self._threads)  # a setting of the calling thread, not of the process
        if mask is None:
            scores, rows = self._codes.search(query, k)
        else:
            bitmap = np.packbits(mask, bitorder="little")  # must outlive the search: the selector only points at it
            selector = faiss.IDSelectorBitmap(len(mask), faiss.swig_ptr(bitmap))
            params = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]  # keywords are added at import
            scores, rows = self._codes.search(query, k, params=params)
        return rows, scores

    def best(
        self, query: FloatArray, k: int, mask: NDArray[np.bool_] | None, *, numbers: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], FloatArray]:
        """The best rows for one query that a mask passes, best first; equal ones by number.

        Args:
            query: Float32, contiguous. Shape ``(1, d)``.
            k: At most this many.
            mask: Only these rows; ``None``: all. Shape ``(n,)``.
            numbers: Of every row. Shape ``(n,)``.

        Returns:
            Rows, and inner products or squared distances. Shapes ``(m,)``.
        """
        passing = len(self) if mask is None else int(np.count_nonzero(mask))
        k = min(k, passing)
        if k == 0:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        found = None
        if mask is not None and passing >= _WIDE_SHARE * len(mask):
            found = self._scan_all(query, k, passing, mask)
        rows, scores = found or self._scan_passing(query, k, passing, mask)
        order = np.lexsort((numbers[rows], scores if self._euclidean else -scores))[:k]
        return rows[order], scores[order]

    def _scan_passing(
        self, query: FloatArray, k: int, passing: int, mask: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], FloatArray]:
        """The best ``k`` rows and all that tie with the last of them, skipping what does not pass."""
        fetched = min(k + 1, passing)
        while True:
            rows, scores = self.scan(query, fetched, mask)
            if fetched == passing or scores[0, k - 1] != scores[0, -1]:
                return rows[0], scores[0]
            fetched = min(4 * fetched, passing)

    def _scan_all(
        self, query: FloatArray, k: int, passing: int, mask: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], FloatArray] | None:
        """The same rows by reading every row, ``None`` where that cannot be known to give them all.

        Where most rows pass, skipping some is slower than reading all: gaps break the processor's reading ahead. Enough
        of the best rows of all are fetched that ``k`` of them should pass. If they do, and the last one beats the last
        one fetched, no row that was not fetched can belong to the answer, which is then exact.
        """
        spare = _SPARE if k < _MANY else _SPARE_OF_MANY
        likely = spare * (k + 1) * len(mask) // passing + _SPARE_ROWS
        fetched = min(likely, k + 1 + len(mask) - passing, len(mask))
        if fetched > _MOST_SPARE_ROWS:
            return None
        every_row, every_score = self.scan(query, fetched)
        kept = mask[every_row[0]]
        rows, scores = every_row[0][kept], every_score[0][kept]
        complete = fetched == len(mask) or (len(rows) >= k and scores[k - 1] != every_score[0, -1])
        return (rows, scores) if complete else None


def _spare_small_batches_the_detour() -> None:
    """Keep FAISS from sending small batches through BLAS, which is several times slower for them; never lowers it.

    Older versions switch over at 20 queries; the setting is the process's.
    """
    faiss.cvar.distance_compute_blas_threshold = max(faiss.cvar.distance_compute_blas_threshold, _LEAST_BLAS_THRESHOLD)
