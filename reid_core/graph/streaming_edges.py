"""Edges of a growing graph, read from its nodes' lists, and who is joined to whom in either direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.graph.joining import Joining
    from reid_core.graph.streaming_lists import NeighbourLists
    from reid_core.types import FloatArray

__all__ = ["Edges", "Shares"]


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """What some rows hear: for each row a stretch of these lists, its own entry among them, adding up to one.

    Attributes:
        starts: Where each row's stretch begins, and the end. Shape ``(m + 1,)``.
        heard: Rows heard, by number within a stretch. Shape ``(e,)``.
        shares: Shape ``(e,)``, float32.
    """

    starts: NDArray[np.int64]
    heard: NDArray[np.int64]
    shares: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Directed:
    """Directed edges: ``codes`` name row and other, rising."""

    codes: NDArray[np.int64]
    weights: FloatArray


class Edges:
    """Directed edges out of every list, and who has one to a row.

    Args:
        lists: The nodes' lists.
        joining: How the graph is joined.
    """

    def __init__(self, lists: NeighbourLists, joining: Joining) -> None:
        self._lists, self._joining = lists, joining
        self._width = joining.length
        self._incoming: list[set[int]] = []

    def make_room(self, rows: int) -> None:
        """Room for so many rows."""
        self._incoming.extend(set() for _ in range(rows - len(self._incoming)))

    def of(self, rows: NDArray[np.int64]) -> _Directed:
        """The directed edges that leave some rows."""
        others, weights = self._out(rows)
        joined = weights > 0
        codes = (rows[:, None] << 32 | others)[joined]
        order = np.argsort(codes)
        return _Directed(codes[order], weights[joined][order])

    def change(self, before: _Directed, after: _Directed) -> NDArray[np.int64]:
        """Take over edges that came and went. Returns the rows at either end of any that differs."""
        _, of_before, of_after = np.intersect1d(before.codes, after.codes, assume_unique=True, return_indices=True)
        gone = np.delete(before.codes, of_before)
        new = np.delete(after.codes, of_after)
        for codes, act in ((gone, set.discard), (new, set.add)):
            for row, other in zip((codes >> 32).tolist(), (codes & 0xFFFFFFFF).tolist(), strict=True):
                act(self._incoming[other], row)
        moved = before.weights[of_before] != after.weights[of_after]
        changed = np.concatenate([gone, new, before.codes[of_before[moved]]])
        return np.unique(np.concatenate([changed >> 32, changed & 0xFFFFFFFF]))

    def beside(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows, and all that are joined to one of them in either direction."""
        others, weights = self._out(rows)
        incoming = [row for row_ in rows.tolist() for row in self._incoming[row_]]
        return np.unique(np.concatenate([rows, others[weights > 0], np.array(incoming, np.int64)]))

    def shares(self, rows: NDArray[np.int64], own: FloatArray, numbers: NDArray[np.int64]) -> Shares:
        """The normalised rows of the symmetric adjacency: each edge counts half in either direction.

        Args:
            rows: Whose. Shape ``(m,)``.
            own: How alike each is to itself, 1 but for rounding. Shape ``(m,)``.
            numbers: Of every row: what is heard is added up by rising number, so that history leaves no trace.
        """
        places = np.arange(len(rows))
        others, weights = self._out(rows)
        out_places, out_columns = np.nonzero(weights)
        counts = np.array([len(self._incoming[row]) for row in rows.tolist()], np.int64)
        senders = np.array([one for row in rows.tolist() for one in self._incoming[row]], np.int64)
        in_places = np.repeat(places, counts)
        place = np.concatenate([places, out_places, in_places])
        heard = np.concatenate([rows, others[out_places, out_columns], senders])
        self_weights = self._joining.own_weights(own)
        halves = [weights[out_places, out_columns] / 2, self._towards(senders, rows[in_places]) / 2]
        weight = np.concatenate([self_weights, *halves]).astype(np.float64)
        order = np.lexsort((weight, numbers[heard], place))
        place, heard, weight = place[order], heard[order], weight[order]
        starts = np.searchsorted(place, np.arange(len(rows) + 1))
        totals = np.add.reduceat(weight, starts[:-1]) if len(rows) else weight
        return Shares(starts, heard, (weight / totals[place]).astype(np.float32))

    def _out(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], FloatArray]:
        """Others and weights of some rows' lists, 0 where there is no edge. Shapes ``(m, width)``."""
        others = self._lists.others[rows, : self._width].astype(np.int64)
        cosines, factors = self._lists.cosines[rows, : self._width], self._lists.factors[rows, : self._width]
        weights = self._joining.weights(cosines, factors, np.arange(self._width))
        weights[others < 0] = 0
        return others, weights

    def _towards(self, rows: NDArray[np.int64], others: NDArray[np.int64]) -> FloatArray:
        """Weights of edges that are known to lead from rows to others."""
        if not len(rows):
            return np.zeros(0, np.float32)
        held = self._lists.others[rows, : self._width]
        places = np.argmax(held == others[:, None].astype(np.int32), axis=1)
        return self._joining.weights(self._lists.cosines[rows, places], self._lists.factors[rows, places], places)
