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
        faiss.omp_set_num_threads(self._threads)  # a setting of the calling thread, not of the process
        if mask is None:
            scores, rows = self._codes.search(query, k)
        else:
            bitmap = np.packbits(mask, bitorder="little")  # must outlive the search: the selector only points at it
            selector = faiss.IDSelectorBitmap(len(mask), faiss.swig_ptr(bitmap))
            params = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]  # keywords are added at import
            scores, rows = self._codes.search(query, k, params=params)
        return rows, scores


def _spare_small_batches_the_detour() -> None:
    """Keep FAISS from sending small batches through BLAS, which is several times slower for them; never lowers it.

    Older versions switch over at 20 queries; the setting is the process's.
    """
    faiss.cvar.distance_compute_blas_threshold = max(faiss.cvar.distance_compute_blas_threshold, _LEAST_BLAS_THRESHOLD)
