"""How a graph grows and shrinks: who enters whose list, whose list loses whom, and what that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.graph.streaming_edges import Edges
from reid_core.graph.streaming_features import Features
from reid_core.graph.streaming_lists import NeighbourLists
from reid_core.graph.streaming_nodes import Nodes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.graph.joining import Joining
    from reid_core.graph.streaming_nodes import Near
    from reid_core.retrieval.rows import IndexRows
    from reid_core.types import FloatArray

__all__ = ["Growth"]

_SPARE_SHARE = 4
_LEAST_SPARE = 4
_READ_FOR_EACH = 4
_LEAST_READ = 256
_ROWS_AT_ONCE = 256


class Growth:
    """The state of a graph and its changes; not thread-safe.

    A newcomer is scanned for once. The scan tells its own list and, since likeness is mutual, whose lists it enters:
    all that it read are compared with it; of the others only those can take it in whose last neighbour is as far as
    the scan's last, and they are compared one by one. A leaver's holders are found alike. A list keeps some spare
    entries, so that few removals need a scan for those who lost somebody.

    Args:
        dim: Length of a vector.
        joining: How the graph is joined.
        threads: Of scans for several rows.
    """

    def __init__(self, dim: int, *, joining: Joining, threads: int) -> None:
        self.joining, self._threads = joining, threads
        self.needed = joining.length
        spare = max(_LEAST_SPARE, self.needed // _SPARE_SHARE)
        self._hold(Nodes(dim, threads=threads), NeighbourLists(self.needed + spare))

    def _hold(self, nodes: Nodes, lists: NeighbourLists) -> None:
        self.nodes, self.lists = nodes, lists
        self.edges = Edges(lists, self.joining)
        self.features = Features(nodes, self.edges, layers=self.joining.layers, threads=self._threads)

    def restored(self, nodes: Nodes, lists: NeighbourLists) -> Growth:
        """The same kind of graph over other nodes whose lists are known; those that fall short are asked for anew."""
        fresh = Growth(nodes.codes.dim, joining=self.joining, threads=self._threads)
        fresh._hold(nodes, lists)
        rows = np.arange(len(nodes))
        lists.make_room(len(nodes))
        fresh.edges.make_room(len(nodes))
        fresh.features.append(rows)
        fresh._ask(lists.short(rows, self.needed))
        fresh._join(rows)
        return fresh

    def compacted(self) -> Growth:
        """The same graph without its removed nodes; features are to be refreshed."""
        return self.restored(self.nodes.compacted(), self.lists.kept(self.nodes.alive))

    def build(self, rows: IndexRows) -> None:
        """Add nodes, then ask for every list anew: quicker than one by one where many come to few."""
        self._append(rows)
        every = np.flatnonzero(self.nodes.alive)
        before = self.edges.of(every)
        self._ask(every)
        self.features.touch(self.edges.change(before, self.edges.of(every)))

    def insert(self, rows: IndexRows) -> None:
        """Add nodes one after the other, each joined to all that came before."""
        for place in range(len(rows)):
            alone = np.arange(len(rows)) == place
            self._insert(int(self._append(rows.where(alone))[0]))

    def take_out(self, row: int) -> None:
        """Remove a node, and mend the lists that held it."""
        near = self.nodes.near_row(row, self._read())
        rows, _ = self._within_reach(row, near)
        holders = self.lists.holding(rows, row)
        leaver = np.array([row])
        own = self.edges.of(leaver)
        before = self.edges.of(holders)
        self.lists.leave(holders, row)
        self.lists.clear(row)
        self.nodes.remove(row)
        self._ask(self.lists.short(holders, self.needed))
        touched = [self.edges.change(own, self.edges.of(leaver)), self.edges.change(before, self.edges.of(holders))]
        self.features.touch(np.concatenate(touched))
        self.features.bury(row)

    def _append(self, rows: IndexRows) -> NDArray[np.int64]:
        added = self.nodes.append(rows)
        self.lists.make_room(len(self.nodes))
        self.edges.make_room(len(self.nodes))
        self.features.append(added)
        return added

    def _insert(self, row: int) -> None:
        near = self.nodes.near_row(row, self._read())
        newcomer = np.array([row])
        before = self.edges.of(newcomer)
        rows, cosines = self._within_reach(row, near)
        opened = self.lists.open_to(rows, cosines, int(self.nodes.numbers[row]), self.nodes.numbers)
        rows, cosines = rows[opened], cosines[opened]
        before_of_others = self.edges.of(rows)
        self._write([row], [near])
        factors = self._factors(cosines, rows, np.full(len(rows), row))
        self.lists.enter(rows, row, cosines, factors, self.nodes.numbers)
        touched = [
            self.edges.change(before, self.edges.of(newcomer)),
            self.edges.change(before_of_others, self.edges.of(rows)),
        ]
        self.features.touch(np.concatenate(touched))

    def _within_reach(self, row: int, near: Near) -> tuple[NDArray[np.int64], FloatArray]:
        """Everybody whose list may hold the row or be open to it, and how alike they are."""
        count = len(self.nodes)
        beyond = (self.lists.reach[:count] <= near.floor) & self.nodes.alive
        beyond[near.rows] = beyond[row] = False
        vector = self.nodes.codes.take(np.array([row]))[0]
        rows, cosines = self.nodes.cosines_with(vector, beyond)
        return np.concatenate([near.rows, rows]), np.concatenate([near.cosines, cosines])

    def _ask(self, rows: NDArray[np.int64]) -> None:
        """Scan for the lists of rows."""
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            part = rows[start : start + _ROWS_AT_ONCE]
            self._write(part.tolist(), self.nodes.near_each(part, self.lists.length))

    def _write(self, rows: list[int], found: list[Near]) -> None:
        held = [near.first(self.lists.length) for near in found]
        if not held:
            return
        asking = np.repeat(np.array(rows, np.int64), [len(near.rows) for near in held])
        answering = np.concatenate([near.rows for near in held])
        factors = self._factors(np.concatenate([near.cosines for near in held]), asking, answering)
        at = 0
        for row, near, every in zip(rows, held, found, strict=True):
            count = len(near.rows)
            whole = every.floor == -np.inf and len(every.rows) <= self.lists.length
            self.lists.put(row, near.rows, near.cosines, factors[at : at + count], whole=whole)
            at += count

    def _factors(self, cosines: FloatArray, rows: NDArray[np.int64], others: NDArray[np.int64]) -> FloatArray:
        return self.joining.factors(cosines, self.nodes.sightings(rows), self.nodes.sightings(others))

    def _join(self, rows: NDArray[np.int64]) -> None:
        """Note the edges of lists that came ready."""
        nothing = self.edges.of(np.zeros(0, np.int64))
        self.edges.change(nothing, self.edges.of(rows))

    def _read(self) -> int:
        return max(_LEAST_READ, _READ_FOR_EACH * self.lists.length)
