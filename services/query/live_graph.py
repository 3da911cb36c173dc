"""The neighbour graph of the generation that answers: taken up where it was left, and kept up with the index."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog

from reid_core.errors import StorageError, StorageFullError
from reid_core.graph.streaming import StreamingGraph
from reid_core.graph.streaming_state import lists_of, resumed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reid_core.graph.joining import Joining
    from reid_core.graph.streaming_state import GraphLists
    from reid_core.retrieval.rows import IndexRows
    from services.query.graph_store import GraphStore
    from services.storage.generations import Generation

__all__ = ["LiveGraph"]

_FORMAT = 1
_PAIRS_AT_ONCE = 25_000_000
_AT_A_TIME = 200
_UNSAVED_SHARE = 0.05


class LiveGraph:
    """A generation's graph; one writer, many readers.

    What is missing at the start is added at once if it is little. If it is much, `step` adds it in portions, so that
    the index can be followed between them; until the last of them the graph is not `ready`.

    Args:
        generation: Whose.
        joining: How it is joined.
        store: Where the graph is kept; ``None``: nowhere.
    """

    def __init__(self, generation: Generation, *, joining: Joining, store: GraphStore | None) -> None:
        self._generation, self._joining, self._store = generation, joining, store
        self._log: Any = structlog.get_logger()
        self._missing: deque[IndexRows] = deque()
        self._unsaved = 0
        self.graph: StreamingGraph | None = None

    def __len__(self) -> int:
        return 0 if self.graph is None else len(self.graph)

    @property
    def ready(self) -> bool:
        """Whether all that the index has is in the graph."""
        return not self._missing

    def begin(self, batches: Sequence[IndexRows]) -> None:
        """Start with what is stored: the kept lists for those who are still there, scans for all others."""
        rows = None if not batches else type(batches[0]).join(batches)
        if rows is None or not len(rows):
            return
        self.graph = self._taken_up(rows)
        new = np.array([number not in self.graph for number in rows.tracklet_nos.tolist()])
        if np.count_nonzero(new) * len(rows) <= _PAIRS_AT_ONCE:
            self.graph.add(rows.where(new))
            self._unsaved += int(np.count_nonzero(new))
            self._save_if_worth_it()
            return
        places = np.flatnonzero(new)
        self._missing.extend(rows.at(places[at : at + _AT_A_TIME]) for at in range(0, len(places), _AT_A_TIME))
        self._log.info("graph.building", known=len(self.graph), missing=len(places))

    def add(self, rows: IndexRows) -> None:
        """Take over tracklets that the index took over."""
        if self.graph is None:
            self.graph = self._empty(rows.vectors.shape[1])
        self.graph.add(rows)
        self._unsaved += len(rows)

    def remove(self, tracklet_nos: Iterable[int]) -> None:
        """Forget tracklets that the index forgot."""
        gone = np.array(list(tracklet_nos), np.int64)
        self._missing = deque(rows.where(~np.isin(rows.tracklet_nos, gone)) for rows in self._missing)
        if self.graph is not None:
            self._unsaved += self.graph.remove(gone.tolist())

    def step(self) -> None:
        """Add one portion of what is missing."""
        if self._missing and self.graph is not None:
            rows = self._missing[0]
            self.graph.add(rows.where(np.array([no not in self.graph for no in rows.tracklet_nos.tolist()], np.bool_)))
            self._missing.popleft()
            self._unsaved += len(rows)
            if self.ready:
                self._log.info("graph.built", tracklets=len(self.graph))
                self._save_if_worth_it()

    def save(self) -> None:
        """Keep the lists if anything changed since they were kept; a full disk is told of, and no reason to stop."""
        if self._store is None or self.graph is None or not self._unsaved or not self.ready:
            return
        try:
            self._store.save(self._generation.generation_id, self._about(), lists_of(self.graph))
        except (StorageError, StorageFullError) as error:
            self._log.warning("graph.not_kept", error=str(error))
            return
        self._unsaved = 0

    def _save_if_worth_it(self) -> None:
        if self._unsaved > _UNSAVED_SHARE * len(self):
            self.save()

    def _taken_up(self, rows: IndexRows) -> StreamingGraph:
        saved = self._kept()
        if saved is not None:
            try:
                return resumed(saved, rows, joining=self._joining)
            except ValueError as error:
                self._log.warning("graph.refused", error=str(error), instead="rebuilt")
        return self._empty(rows.vectors.shape[1])

    def _kept(self) -> GraphLists | None:
        if self._store is None:
            return None
        try:
            return self._store.load(self._generation.generation_id, self._about())
        except StorageError as error:
            self._log.warning("graph.refused", error=str(error), instead="rebuilt")
            return None

    def _empty(self, dim: int) -> StreamingGraph:
        return StreamingGraph(dim, joining=self._joining)

    def _about(self) -> Mapping[str, Any]:
        one = self._generation
        return {
            "format": _FORMAT,
            "generation": str(one.generation_id),
            "model": one.model_id,
            "transit model": one.transit_id,
            "joining": self._joining.describe(),
        }
