"""The most alike of each vector, exactly, without an N x N matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import faiss
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.types import FloatArray

__all__ = ["Neighbours", "evened", "index_of", "nearest", "nearest_in", "require_unit_rows"]

_LENGTH_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """The k most alike of N vectors.

    Attributes:
        rows: Nearest first, equally alike ones by row. Shape ``(N, k)``, int64.
        cosines: Shape ``(N, k)``, float32.
    """

    rows: NDArray[np.int64]
    cosines: FloatArray

    def __len__(self) -> int:
        return len(self.rows)

    def first(self, k: int) -> Neighbours:
        """The k most alike of these."""
        return Neighbours(self.rows[:, :k], self.cosines[:, :k])


def nearest(query: FloatArray, gallery: FloatArray | faiss.IndexFlatIP, k: int, *, threads: int = 1) -> Neighbours:
    """Search the gallery for each query.

    Args:
        query: L2-normalised. Shape ``(N, d)``.
        gallery: L2-normalised, shape ``(G, d)``; or an index of such vectors, for many searches of one gallery.
        k: At least 1; a smaller gallery gives all it has.
        threads: Of the search.

    Returns:
        ``min(k, G)`` neighbours of each query. Which of several equally alike ones are the last is left open.

    Raises:
        ValueError: If ``k`` is below 1, dimensions differ, or a vector is not of length 1.
    """
    if k < 1:
        raise ValueError(f"k must be 1 or more, got {k}")
    index = gallery if isinstance(gallery, faiss.Index) else index_of(gallery)
    if query.ndim != 2 or query.shape[1] != index.d:
        raise ValueError(f"query {query.shape} must be rows of the gallery's {index.d} dimensions")
    require_unit_rows(query, "query")
    k = min(k, int(index.ntotal))
    if not k or not len(query):
        return Neighbours(np.zeros((len(query), k), np.int64), np.zeros((len(query), k), np.float32))
    faiss.omp_set_num_threads(threads)
    cosines, rows = index.search(np.ascontiguousarray(query, np.float32), k)
    order = np.lexsort((rows, -cosines), axis=1)
    return Neighbours(np.take_along_axis(rows, order, 1), np.take_along_axis(cosines, order, 1))


def index_of(gallery: FloatArray) -> faiss.IndexFlatIP:
    """An exact index of L2-normalised vectors.

    Raises:
        ValueError: If they are no rows, or one is not of length 1.
    """
    if gallery.ndim != 2:
        raise ValueError(f"gallery must be rows, got shape {gallery.shape}")
    require_unit_rows(gallery, "gallery")
    index = faiss.IndexFlatIP(gallery.shape[1])
    index.add(np.ascontiguousarray(gallery, np.float32))
    return index


def nearest_in(vectors: FloatArray, k: int, *, threads: int = 1) -> Neighbours:
    """Search all vectors for each of them; each is its own first neighbour, however many equal ones there are.

    Args:
        vectors: L2-normalised. Shape ``(N, d)``.
        k: At least 1, the vector itself counted.
        threads: Of the search.

    Raises:
        ValueError: As `nearest`.
    """
    found = nearest(vectors, vectors, k, threads=threads)
    own = np.arange(len(vectors))[:, None]
    rows, cosines = found.rows, found.cosines
    missing = np.flatnonzero(~(rows == own).any(axis=1))
    if len(missing):
        rows[missing, -1], cosines[missing, -1] = missing, 1
    order = np.lexsort((rows, -cosines, rows != own), axis=1)
    return Neighbours(np.take_along_axis(rows, order, 1), np.take_along_axis(cosines, order, 1))


def evened(neighbours: Neighbours) -> Neighbours:
    """The same neighbours with distances told in each node's own measure: how far its last neighbour usually is.

    A node among many alike needs more likeness for the same cosine, one that stands alone needs less. The median node
    keeps its cosines.
    """
    if not neighbours.cosines.size:
        return neighbours
    reach = np.maximum(1 - neighbours.cosines[:, -1:], np.float32(1e-6))
    return Neighbours(neighbours.rows, 1 - (1 - neighbours.cosines) * (np.median(reach) / reach))


def require_unit_rows(vectors: FloatArray, name: str) -> None:
    """Refuse vectors that are not finite and of length 1.

    Raises:
        ValueError: Names the first row that is not.
    """
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
    fits = np.abs(lengths - 1) <= _LENGTH_TOLERANCE
    if not fits.all():
        row = int(np.argmin(fits))
        raise ValueError(f"{name} row {row} has length {lengths[row]}, must be 1")
