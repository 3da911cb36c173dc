"""What nodes of a growing graph have become, layer by layer; only what changed is worked out again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from reid_core.retrieval.codes import HalfCodes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.graph.streaming_edges import Edges, Shares
    from reid_core.graph.streaming_nodes import Nodes
    from reid_core.types import FloatArray

__all__ = ["Features", "unit_rows"]

_ROWS_AT_ONCE = 4096
_FAR = 100.0  # where removed rows are put: farther from any unit vector than another one


class Features:
    """Layers of means over neighbours; directions of the last are searchable.

    Args:
        nodes: The nodes.
        edges: Between them.
        layers: How often neighbours are asked.
        threads: Of a search.
    """

    def __init__(self, nodes: Nodes, edges: Edges, *, layers: int, threads: int = 1) -> None:
        self._nodes, self._edges = nodes, edges
        dim = nodes.codes.dim
        self._layers: list[FloatArray] = [np.zeros((0, dim), np.float32) for _ in range(layers)]
        self._own: FloatArray = np.zeros(0, np.float32)
        self._waiting: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self.refined = HalfCodes(dim, threads=threads, euclidean=True)

    @property
    def waiting(self) -> int:
        """Rows whose neighbours changed since the last `refresh`."""
        return int(np.count_nonzero(self._waiting[: len(self._nodes)]))

    def append(self, rows: NDArray[np.int64]) -> None:
        """Room for new rows at the end; they wait for a `refresh`."""
        count = len(self._nodes)
        if count > len(self._waiting):
            more = max(count, 2 * len(self._waiting)) - len(self._waiting)
            self._waiting = np.concatenate([self._waiting, np.zeros(more, np.bool_)])
            self._own = np.concatenate([self._own, np.zeros(more, np.float32)])
            blank = np.zeros((more, self._nodes.codes.dim), np.float32)
            self._layers = [np.concatenate([layer, blank]) for layer in self._layers]
        vectors = self._nodes.codes.take(rows)
        self._own[rows] = np.einsum("nd,nd->n", vectors, vectors)
        self.refined.add(np.full((len(rows), self._nodes.codes.dim), _FAR, np.float32))
        self._waiting[rows] = True

    def touch(self, rows: NDArray[np.int64]) -> None:
        """Tell that rows hear others than before."""
        self._waiting[rows] = True

    def bury(self, row: int) -> None:
        """Forget what a removed row had become."""
        self._waiting[row] = False
        self.refined.halves[row] = _FAR
        for layer in self._layers:
            layer[row] = 0

    def refresh(self) -> int:
        """Work out what waits and what hears it. Returns how many rows were worked out in the last layer."""
        count = len(self._nodes)
        rows = np.flatnonzero(self._waiting[:count] & self._nodes.alive)
        if not len(rows):
            return 0
        first = rows
        for number in range(1, len(self._layers) + 1):
            rows = first if number == 1 else np.union1d(first, self._edges.beside(rows))
            for start in range(0, len(rows), _ROWS_AT_ONCE):
                part = rows[start : start + _ROWS_AT_ONCE]
                self._layers[number - 1][part] = self._heard(part, number - 1)
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            part = rows[start : start + _ROWS_AT_ONCE]
            self.refined.halves[part] = unit_rows(self._layers[-1][part])
        self._waiting[:count] = False
        return len(rows)

    def of(self, rows: NDArray[np.int64], layer: int) -> FloatArray:
        """Features of rows in a layer; 0 are the vectors themselves. Shape ``(m, d)``."""
        return self._nodes.codes.take(rows) if layer == 0 else self._layers[layer - 1][rows]

    def mean_of(self, rows: NDArray[np.int64], shares: FloatArray, layer: int) -> FloatArray:
        """What somebody hears of rows in a layer. Shape ``(d,)``."""
        heard: FloatArray = shares @ self.of(rows, layer)
        return heard

    def _heard(self, rows: NDArray[np.int64], layer: int) -> FloatArray:
        """What rows become of what is heard in a layer; each sum runs in one order, whoever is worked out beside it."""
        shares: Shares = self._edges.shares(rows, self._own[rows], self._nodes.numbers)
        heard, places = np.unique(shares.heard, return_inverse=True)
        product = csr_array((shares.shares, places, shares.starts), shape=(len(rows), len(heard)))
        return np.asarray(product @ self.of(heard, layer), np.float32)


def unit_rows(features: FloatArray) -> FloatArray:
    """Rows at length 1; those of nought stay. Shape ``(n, d)``."""
    lengths = np.sqrt(np.einsum("nd,nd->n", features, features))[:, None]
    rows: FloatArray = np.divide(features, lengths, out=np.zeros_like(features), where=lengths > 0)
    return rows
