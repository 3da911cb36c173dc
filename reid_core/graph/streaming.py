"""The graph on a live stream: nodes come and go, lists and refined features follow, queries are answered between.

Source:
    Zhang et al., MM 2023, Eq. 1-7, 15, 16; dynamic growth is what they leave as future work. The graph is at any time
    the one that a rebuild of all its nodes would make (`reid_core.graph.refined_gallery` over half-precision vectors).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from reid_core.graph.refined_gallery import GraphRules
from reid_core.graph.streaming_edges import edge_weights
from reid_core.graph.streaming_growth import Growth
from reid_core.retrieval.index import are_unit
from reid_core.retrieval.locks import SharedLock
from reid_core.retrieval.rows import Hits
from reid_core.spatio_temporal.sightings import Sightings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from reid_core.graph.streaming_growth import PairRule
    from reid_core.retrieval.rows import IndexRows
    from reid_core.retrieval.search import Query
    from reid_core.types import FloatArray, SearchFilter

__all__ = ["RefinedQuery", "StreamingGraph"]

_DEAD_SHARE_TO_COMPACT = 0.25
_SHARE_TO_REBUILD = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class RefinedQuery:
    """What a query became.

    Attributes:
        vector: Shape ``(d,)``.
        by_looks: Neighbours that it heard for looks.
        by_time: Further ones that it heard because they fit in time.
    """

    vector: FloatArray
    by_looks: int
    by_time: int


class StreamingGraph:
    """A neighbour graph that follows its gallery; safe for one writer and many readers.

    Lists of neighbours are exact after every change. Features are worked out when they are next asked for, or by
    `refresh`: only of what a change reached, in as many steps as there are layers.

    Args:
        dim: Length d of a vector.
        rules: How the graph is joined; default: the paper's.
        rule: How well pairs of sightings fit in time; without one only looks join. It must not change.
        threads: Of scans for several rows.
    """

    def __init__(
        self, dim: int, *, rules: GraphRules | None = None, rule: PairRule | None = None, threads: int = 1
    ) -> None:
        if dim < 1:
            raise ValueError(f"dim must be at least 1, got {dim}")
        self._growth = Growth(dim, rules=rules or GraphRules(), rule=rule, threads=threads)
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

    def refine(self, query: Query) -> RefinedQuery:
        """What a query becomes beside its neighbours: the first look-up.

        Its own tracklets are not heard. Without a camera or a time nothing fits in time, so that looks alone count.

        Raises:
            ValueError: If the query's vector is not finite and of length 1, or has another length than d.
        """
        vector = np.ascontiguousarray(query.vector, np.float32)
        if vector.shape != (self.dim,) or not are_unit(vector[None]).all():
            raise ValueError(f"a query must be a unit vector of {self.dim} numbers, got shape {vector.shape}")
        with self._reading():
            return self._refined(query, vector)

    def nearest(self, refined: RefinedQuery, k: int, *, where: SearchFilter) -> Hits:
        """The tracklets nearest to what a query became, among what they have become: the second look-up.

        Args:
            refined: As `refine` answers it.
            k: At most this many.
            where: Which tracklets may be returned.

        Returns:
            Nearest first; distances are Euclidean, between refined features.

        Raises:
            ValueError: If ``k`` is below 1.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        with self._reading():
            growth = self._growth
            columns = growth.nodes.columns
            mask = columns.passing(where)
            rows, squared = growth.features.refined.best(refined.vector[None], k, mask, numbers=columns.every_no)
            return Hits(distances=np.sqrt(np.maximum(squared, 0)), **columns.take(rows))

    def distances(self, refined: RefinedQuery, tracklet_nos: NDArray[np.int64]) -> FloatArray:
        """Euclidean distances of what a query became to what tracklets became; NaN of unknown ones. Shape ``(m,)``."""
        with self._reading():
            known = np.array([no in self for no in tracklet_nos.tolist()], np.bool_)
            columns, found = self._growth.nodes.columns, np.full(len(tracklet_nos), np.nan, np.float32)
            rows = np.array([columns.row_of(no) for no in tracklet_nos[known].tolist()], np.int64)
            others = self._growth.features.refined.take(rows)
            found[known] = np.linalg.norm(others - refined.vector, axis=1)
            return found

    def embeddings(self, tracklet_nos: Iterable[int]) -> FloatArray:
        """What tracklets have become. Shape ``(m, d)``.

        Raises:
            KeyError: If there is no such tracklet.
        """
        with self._reading():
            growth = self._growth
            rows = np.array([growth.nodes.columns.row_of(no) for no in tracklet_nos], np.int64)
            return growth.features.of(rows, growth.rules.layers)

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

    def _refined(self, query: Query, vector: FloatArray) -> RefinedQuery:
        growth, rules = self._growth, self._growth.rules
        columns = growth.nodes.columns
        but = np.array([columns.row_of(no) for no in query.exclude_tracklet_nos if no in columns], np.int64)
        wanted = max(rules.visual, rules.timed if growth.rule is not None else 0)
        near = growth.nodes.near(vector, wanted, but=but).first(wanted)
        factors = self._factors(query, near.rows)
        weights = edge_weights(near.cosines[None], factors[None], visual=rules.visual, alpha=rules.alpha)[0]
        heard = weights > 0
        own = np.float32(1 / (1 + float(weights.sum(dtype=np.float64))))
        rows, shares = near.rows[heard], weights[heard] * own
        became = vector
        for layer in range(rules.layers):
            became = np.asarray(growth.features.mean_of(rows, shares, layer) + own * became, np.float32)
        return RefinedQuery(became, min(rules.visual, len(near.rows)), int(np.count_nonzero(heard[rules.visual :])))

    def _factors(self, query: Query, rows: NDArray[np.int64]) -> FloatArray:
        growth = self._growth
        if growth.rule is None or query.camera_id is None or query.start_s is None or query.end_s is None:
            return np.zeros(len(rows), np.float32)
        answering = growth.nodes.sightings(rows)
        names = answering.camera_ids
        if query.camera_id not in names:
            names = (*names, query.camera_id)
            answering = replace(answering, camera_ids=names)
        asking = Sightings(
            names,
            np.full(len(rows), names.index(query.camera_id)),
            np.full(len(rows), query.start_s),
            np.full(len(rows), query.end_s),
            np.tile(np.array([query.entry or (np.nan, np.nan)]), (len(rows), 1)),
            np.tile(np.array([query.exit or (np.nan, np.nan)]), (len(rows), 1)),
        )
        return growth.fitting(asking, answering)

    def _compact_if_worth_it(self) -> None:
        """Drop removed rows once a quarter are. The copy needs no lock: only the writer changes rows."""
        nodes = self._growth.nodes
        if len(nodes) - len(self) <= _DEAD_SHARE_TO_COMPACT * len(nodes):
            return
        fresh = self._growth.compacted()
        fresh.features.refresh()
        with self._lock.alone():
            self._growth = fresh
