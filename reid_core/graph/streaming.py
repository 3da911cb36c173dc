"""The graph on a live stream: nodes come and go, lists and refined features follow, queries are answered between.

Source:
    Zhang et al., MM 2023, Eq. 1-7, 15, 16; dynamic growth is what they leave as future work. The graph is at any time
    the one that a rebuild of all its nodes would make (`reid_core.graph.refined_gallery` over half-precision vectors).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from reid_core.graph.joining import PaperJoining
from reid_core.graph.streaming_features import unit_rows
from reid_core.graph.streaming_growth import Growth
from reid_core.graph.streaming_query import RefinedQuery, refine
from reid_core.retrieval.index import are_unit
from reid_core.retrieval.locks import SharedLock
from reid_core.retrieval.rows import Hits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from reid_core.graph.joining import Joining
    from reid_core.graph.streaming_lists import NeighbourLists
    from reid_core.graph.streaming_nodes import Nodes
    from reid_core.retrieval.rows import IndexRows
    from reid_core.retrieval.search import Query
    from reid_core.types import FloatArray, SearchFilter

__all__ = ["StreamingGraph"]

_DEAD_SHARE_TO_COMPACT = 0.25
_SHARE_TO_REBUILD = 0.5


class StreamingGraph:
    """A neighbour graph that follows its gallery; safe for one writer and many readers.

    Lists of neighbours are exact after every change. Features are worked out when they are next asked for, or by
    `refresh`: only of what a change reached, in as many steps as there are layers.

    Args:
        dim: Length d of a vector.
        joining: How the graph is joined; default: as the paper has it, by looks.
        threads: Of scans for several rows.
    """

    def __init__(self, dim: int, *, joining: Joining | None = None, threads: int = 1) -> None:
        if dim < 1:
            raise ValueError(f"dim must be at least 1, got {dim}")
        self._growth = Growth(dim, joining=joining or PaperJoining(), threads=threads)
        self._lock = SharedLock()

    def __len__(self) -> int:
        return self._growth.nodes.columns.alive_count

    def __contains__(self, tracklet_no: int) -> bool:
        return tracklet_no in self._growth.nodes.columns

    @property
    def dim(self) -> int:
        """Length d of a vector."""
        return self._growth.nodes.codes.dim

    @property
    def waiting(self) -> int:
        """Nodes whose features the next query or `refresh` works out."""
        return self._growth.features.waiting

    def add(self, rows: IndexRows) -> None:
        """Add tracklets; one whose number is here already is replaced.

        Raises:
            ValueError: If vectors have another length than d, are not finite or not L2-normalised. Nothing is added
                then.
        """
        if rows.vectors.ndim != 2 or rows.vectors.shape[1] != self.dim:
            raise ValueError(f"vectors must have {self.dim} numbers each, got shape {rows.vectors.shape}")
        usable = are_unit(rows.vectors)
        if not usable.all():
            raise ValueError(f"vectors must be finite and L2-normalised: row {int(np.argmin(usable))} is not")
        self.remove(rows.tracklet_nos.tolist())
        if len(rows) and len(rows) >= _SHARE_TO_REBUILD * len(self):
            with self._lock.alone():
                self._growth.build(rows)
            return
        for place in range(len(rows)):
            with self._lock.alone():
                self._growth.insert(rows.where(np.arange(len(rows)) == place))

    def remove(self, tracklet_nos: Iterable[int]) -> int:
        """Remove tracklets; unknown numbers are passed over. Returns how many were here."""
        known = [int(no) for no in dict.fromkeys(tracklet_nos) if no in self]
        for no in known:
            with self._lock.alone():
                self._growth.take_out(self._growth.nodes.columns.row_of(no))
        self._compact_if_worth_it()
        return len(known)

    def refresh(self) -> int:
        """Work out the features that wait. Returns of how many nodes."""
        with self._lock.alone():
            return self._growth.features.refresh()

    def refine(self, query: Query, *, near: Hits | None = None) -> RefinedQuery:
        """What a query becomes beside its neighbours: the first look-up.

        Its own tracklets are not heard. Without a camera or a time its looks alone count.

        Args:
            query: Who is looked for.
            near: The tracklets most like it, if they are known already, but for its own; otherwise they are looked up.

        Raises:
            ValueError: If the query's vector is not finite and of length 1, or has another length than d.
        """
        vector = np.ascontiguousarray(query.vector, np.float32)
        if vector.shape != (self.dim,) or not are_unit(vector[None]).all():
            raise ValueError(f"a query must be a unit vector of {self.dim} numbers, got shape {vector.shape}")
        with self._reading():
            return refine(self._growth, query, vector, near)

    def nearest(self, refined: RefinedQuery, k: int, *, where: SearchFilter) -> Hits:
        """The tracklets nearest to what a query became, among what they have become: the second look-up.

        Args:
            refined: As `refine` answers it.
            k: At most this many.
            where: Which tracklets may be returned.

        Returns:
            Nearest first; distances are cosine distances of refined features.

        Raises:
            ValueError: If ``k`` is below 1.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        with self._reading():
            growth = self._growth
            columns = growth.nodes.columns
            mask = columns.passing(where)
            asked = unit_rows(refined.vector[None])
            rows, squared = growth.features.refined.best(asked, k, mask, numbers=columns.every_no)
            return Hits(distances=np.clip(squared / 2, 0, 2), **columns.take(rows))

    def distances(self, refined: RefinedQuery, tracklet_nos: NDArray[np.int64]) -> FloatArray:
        """Cosine distances of what a query became to what tracklets became; NaN of unknown ones. Shape ``(m,)``."""
        with self._reading():
            rows = self._growth.nodes.columns.places(tracklet_nos)
            known, found = rows >= 0, np.full(len(tracklet_nos), np.nan, np.float32)
            rows = rows[known]
            others = self._growth.features.refined.take(rows)
            others -= unit_rows(refined.vector[None])
            found[known] = np.einsum("nd,nd->n", others, others) / 2
            return found

    def embeddings(self, tracklet_nos: Iterable[int]) -> FloatArray:
        """What tracklets have become. Shape ``(m, d)``.

        Raises:
            KeyError: If there is no such tracklet.
        """
        with self._reading():
            growth = self._growth
            rows = np.array([growth.nodes.columns.row_of(no) for no in tracklet_nos], np.int64)
            return growth.features.of(rows, growth.joining.layers)

    def neighbours(self, tracklet_no: int) -> list[tuple[int, float]]:
        """Whom a tracklet may be joined to, most alike first: numbers and cosines.

        Raises:
            KeyError: If there is no such tracklet.
        """
        with self._lock.shared():
            growth = self._growth
            row = growth.nodes.columns.row_of(tracklet_no)
            count = min(growth.needed, int(growth.lists.counts[row]))
            numbers = growth.nodes.numbers[growth.lists.others[row, :count]].tolist()
            return list(zip(numbers, growth.lists.cosines[row, :count].tolist(), strict=True))

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Nothing changes and no feature waits meanwhile."""
        with self._lock.shared():
            if not self.waiting:
                yield
                return
        with self._lock.alone():
            self._growth.features.refresh()
            yield

    @property
    def list_length(self) -> int:
        """How many of the most alike each node keeps, spare ones included."""
        return self._growth.lists.length

    def kept_lists(self) -> tuple[NDArray[np.int64], NeighbourLists]:
        """A copy of the nodes' numbers and lists, without those of removed nodes."""
        with self._lock.shared():
            alive = self._growth.nodes.alive
            return self._growth.nodes.numbers[alive], self._growth.lists.kept(alive)

    def take_over(self, nodes: Nodes, lists: NeighbourLists) -> None:
        """Go on from nodes whose lists are known, in place of all there was."""
        fresh = self._growth.restored(nodes, lists)
        with self._lock.alone():
            self._growth = fresh

    def _compact_if_worth_it(self) -> None:
        """Drop removed rows once a quarter are. The copy needs no lock: only the writer changes rows."""
        nodes = self._growth.nodes
        if len(nodes) - len(self) <= _DEAD_SHARE_TO_COMPACT * len(nodes):
            return
        fresh = self._growth.compacted()
        fresh.features.refresh()
        with self._lock.alone():
            self._growth = fresh
