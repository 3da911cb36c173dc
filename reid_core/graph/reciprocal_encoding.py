"""Re-ranking with k-reciprocal encoding, sparse: the field's baseline without its N x N matrices.

Each vector is described by its reciprocal neighbours, weighted by their distance; two vectors are as far apart as the
Jaccard distance of their descriptions says. All sets are rows of sparse matrices, intersections are their products.

Source:
    Zhong et al., "Re-ranking Person Re-identification with k-reciprocal Encoding", CVPR 2017, and the authors' code:
    distances are squared, divided by the largest of their row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from reid_core.graph.neighbours import nearest_in, require_unit_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from reid_core.types import FloatArray

__all__ = ["ReciprocalSettings", "encode", "jaccard_row", "reciprocal_rerank"]

_BLOCK = 512
_GROUP = 32
_PAIRS = 1 << 14


@dataclass(frozen=True, slots=True)
class ReciprocalSettings:
    """The authors' values for Market-1501.

    Attributes:
        k1: Neighbours among which reciprocal ones are looked for.
        k2: Neighbours over which descriptions are averaged; 1 leaves them alone.
        weight: Share of the plain distance in the answer, in ``[0, 1]``.
    """

    k1: int = 20
    k2: int = 6
    weight: float = 0.3


def reciprocal_rerank(
    query: FloatArray, gallery: FloatArray, *, settings: ReciprocalSettings | None = None
) -> Callable[[int, int], FloatArray]:
    """Rows ``start`` to ``stop`` of re-ranked distances of queries to the gallery.

    Args:
        query: L2-normalised. Shape ``(Q, d)``.
        gallery: L2-normalised. Shape ``(G, d)``.
        settings: Default: the authors'.

    Raises:
        ValueError: If a vector is not of length 1, or dimensions differ.
    """
    chosen = settings or ReciprocalSettings()
    vectors = np.concatenate([query, gallery]).astype(np.float32)
    require_unit_rows(vectors, "query and gallery")
    known, farthest = _nearest_and_farthest(vectors, chosen.k1 + 1)
    described = encode(vectors, farthest, settings=chosen, known=known)
    count = len(query)
    asking, answering = described[:count], csr_array(described[count:].T)

    def rows(start: int, stop: int) -> FloatArray:
        plain = (2 - 2 * (query[start:stop] @ gallery.T)) / farthest[start:stop, None]
        far = np.stack([jaccard_row(asking, row, answering) for row in range(start, min(stop, count))])
        mixed: FloatArray = (1 - chosen.weight) * far + chosen.weight * plain
        return mixed

    return rows


def encode(
    vectors: FloatArray,
    farthest: FloatArray,
    *,
    settings: ReciprocalSettings,
    known: NDArray[np.int64] | None = None,
    threads: int = 1,
) -> csr_array:
    """Describe each vector by its reciprocal neighbours.

    Args:
        vectors: L2-normalised. Shape ``(N, d)``.
        farthest: The largest squared distance of each to any other. Shape ``(N,)``.
        settings: Sizes of neighbourhoods.
        known: The ``k1 + 1`` most alike of each, itself first, where they are known. Shape ``(N, k1 + 1)``.
        threads: Of the search for neighbours.

    Returns:
        Rows sum to one. Shape ``(N, N)``, float32.
    """
    if known is None:
        known = nearest_in(vectors, settings.k1 + 1, threads=threads).rows
    wide = _mutual(known)
    members = _expanded(wide, _mutual(known[:, : round(settings.k1 / 2) + 1]))
    numbers = _row_numbers(members)
    weights = np.exp(-_pair_distances(vectors, members) / farthest[numbers])
    shares = (weights / np.bincount(numbers, weights)[numbers]).astype(np.float32)
    described = csr_array((shares, members.indices, members.indptr), shape=members.shape)
    if settings.k2 <= 1:
        return described
    near = known[:, : settings.k2]
    mean = np.full(near.size, 1 / near.shape[1], np.float32)
    return csr_array(_sets(near, mean) @ described)


def jaccard_row(asking: csr_array, row: int, answering: csr_array) -> FloatArray:
    """Jaccard distances of one description to all others.

    Args:
        asking: Descriptions, whose rows sum to one. Shape ``(Q, N)``.
        row: Which of them asks.
        answering: Descriptions as columns. Shape ``(N, G)``.

    Returns:
        In ``[0, 1]``. Shape ``(G,)``.
    """
    held = slice(asking.indptr[row], asking.indptr[row + 1])
    features, weights = asking.indices[held], asking.data[held]
    starts, stops = answering.indptr[features], answering.indptr[features + 1]
    lengths = stops - starts
    ends = np.cumsum(lengths)
    entries = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths) + np.repeat(starts, lengths)
    shared = np.minimum(answering.data[entries], np.repeat(weights, lengths))
    common = np.bincount(answering.indices[entries], shared, minlength=answering.shape[1])
    far: FloatArray = (1 - common / (2 - common)).astype(np.float32)
    return far


def _mutual(known: NDArray[np.int64]) -> csr_array:
    """Pairs that are in each other's lists, as ones."""
    sets = _sets(known, np.ones(known.size, np.float32))
    return csr_array(sets.multiply(sets.T))


def _expanded(wide: csr_array, narrow: csr_array) -> csr_array:
    """Reciprocal neighbours, and those of each that shares more than two thirds of its own with them."""
    common = csr_array((wide @ narrow.T).multiply(wide))
    sizes = np.diff(narrow.indptr)
    common.data = (common.data > 2 / 3 * sizes[common.indices]).astype(np.float32)
    common.eliminate_zeros()
    members = csr_array(wide + common @ narrow)
    members.data = np.ones_like(members.data)
    members.sort_indices()
    return members


def _sets(rows: NDArray[np.int64], values: NDArray[np.float32]) -> csr_array:
    """Lists of neighbours as rows of a sparse matrix."""
    count, k = rows.shape
    return csr_array((values, rows.ravel(), np.arange(0, count * k + 1, max(k, 1))[: count + 1]), shape=(count, count))


def _pair_distances(vectors: FloatArray, pairs: csr_array) -> FloatArray:
    """Squared distances of the pairs that a sparse matrix names, in its order."""
    rows, columns = _row_numbers(pairs), pairs.indices
    cosines = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), _PAIRS):
        part = slice(start, start + _PAIRS)
        cosines[part] = np.einsum("pd,pd->p", vectors[rows[part]], vectors[columns[part]])
    return 2 - 2 * cosines


def _row_numbers(pairs: csr_array) -> NDArray[np.int64]:
    return np.repeat(np.arange(pairs.shape[0]), np.diff(pairs.indptr))


def _nearest_and_farthest(vectors: FloatArray, k: int) -> tuple[NDArray[np.int64], FloatArray]:
    """The k most alike of each vector, itself first, and the largest squared distance, a little above 0 at least.

    One product of all with all serves both, block by block. What reaches the k-th largest of a row's group maxima holds
    its k largest, and is hardly more than they: no row is sorted.
    """
    count = len(vectors)
    k = min(k, count)
    known, least = np.empty((count, k), np.int64), np.empty(count, np.float32)
    for start in range(0, count, _BLOCK):
        cosines = vectors[start : start + _BLOCK] @ vectors.T
        rows = np.arange(len(cosines))
        least[start + rows] = cosines.min(axis=1)
        cosines[rows, start + rows] = np.inf  # first, however many equal ones there are
        known[start + rows] = _largest(cosines, k)
    return known, np.maximum(2 - 2 * least, np.float32(1e-12))


def _largest(values: FloatArray, k: int) -> NDArray[np.int64]:
    """Columns of the k largest of each row, largest first, equal ones by column. Shape ``(B, k)``."""
    groups = max(values.shape[1] // _GROUP, min(k, values.shape[1]))
    whole = values.shape[1] // groups * groups
    highest = values[:, :whole].reshape(len(values), -1, groups).max(axis=1)
    reached = np.partition(highest, groups - k, axis=1)[:, groups - k]
    rows, columns = np.nonzero(values >= reached[:, None])
    order = np.lexsort((columns, -values[rows, columns], rows))
    first = np.searchsorted(rows, np.arange(len(values)))
    best: NDArray[np.int64] = columns[order[first[:, None] + np.arange(k)]]
    return best
