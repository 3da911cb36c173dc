"""The current generation's vectors in memory, kept up with the database by following its outbox."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Any

import structlog

from reid_core.errors import NoGenerationError, ReknitError
from reid_core.retrieval.index import FlatIndex, are_unit
from services.query.generation_parts import load_fused, load_transit
from services.query.stored_rows import read_rows, rows_of_batch, with_feet
from services.repeating import Repeating
from services.storage.generations import GenerationRepository
from services.storage.outbox import TRACKLET_ADDED, TRACKLET_REMOVED, VECTORS_ADDED, Outbox
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from sqlalchemy.orm import Session

    from reid_core.retrieval.fused import FusedSearch
    from reid_core.retrieval.rows import IndexRows
    from reid_core.spatio_temporal.transit_model import TransitModel
    from services.query.live_graph import LiveGraph
    from services.storage.generations import Generation
    from services.storage.outbox import OutboxEvent
    from services.storage.session import Database

__all__ = ["Follower", "LiveIndex", "LoadedGeneration"]

_EVENTS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, eq=False)
class LoadedGeneration:
    """A generation that can answer.

    Attributes:
        generation: As it is stored.
        index: ``None`` while no vector of its model is stored.
        transit: ``None`` where the generation has no transit model.
        fused: Ranks by probability; ``None`` where the generation has no calibration.
        graph: Re-ranks; ``None`` where nobody asked for it.
    """

    generation: Generation
    index: FlatIndex | None
    transit: TransitModel | None = None
    fused: FusedSearch | None = None
    graph: LiveGraph | None = None

    @property
    def knows_places(self) -> bool:
        """Whether it matters where in the picture people come and go."""
        return self.fused is not None and self.fused.knows_places


class LiveIndex:
    """Holds the generation that answers; a cache of the database that can be dropped at any time.

    Searches take `current` once and keep to it: a change of generation swaps the whole value, so that no answer mixes
    two. One caller at a time may `load` or `catch_up`; others wait.

    Args:
        database: Of the installation.
        prepare: Called with the model id of a generation before it answers; the one before goes on answering meanwhile.
        graphs: Makes a calibrated generation's graph, by which searches are re-ranked; ``None``: there is none.
    """

    def __init__(
        self,
        database: Database,
        *,
        prepare: Callable[[str], None] = lambda _model_id: None,
        graphs: Callable[[Generation, FusedSearch], LiveGraph] | None = None,
    ) -> None:
        self._database = database
        self._prepare = prepare
        self._graphs = graphs
        self._log: Any = structlog.get_logger()
        self._changing = Lock()
        self._loaded: LoadedGeneration | None = None
        self._seq = 0

    @property
    def current(self) -> LoadedGeneration:
        """The generation that answers.

        Raises:
            NoGenerationError: If nothing was ingested yet.
        """
        if self._loaded is None:
            raise NoGenerationError
        return self._loaded

    def load(self) -> None:
        """Load every vector of the current generation's model, from one state of the database."""
        with self._changing, self._database.read() as session:
            self._load(session, _current_generation(session))

    def catch_up(self) -> int:
        """Take over what was committed since the last call; returns how many events that were.

        A graph under construction grows by one portion.
        """
        taken = 0
        with self._changing:
            while True:
                with self._database.read() as session:
                    events = self._take_next(session)
                taken += len(events)
                if len(events) < _EVENTS_AT_ONCE:
                    break
            if self._loaded is not None and self._loaded.graph is not None:
                self._loaded.graph.step()
        return taken

    def keep(self) -> None:
        """Keep what was worked out, for the next process to take up."""
        with self._changing:
            if self._loaded is not None and self._loaded.graph is not None:
                self._loaded.graph.save()

    def _take_next(self, session: Session) -> list[OutboxEvent]:
        generation = _current_generation(session)
        if _id_of(generation) != _id_of(self._loaded.generation if self._loaded else None):
            self._load(session, generation)
            return []
        events = Outbox(session).after(self._seq, limit=_EVENTS_AT_ONCE)
        if events and self._loaded is not None:
            self._add(session, _added(events, self._loaded.generation.model_id))
            self._remove([event.payload["tracklet_no"] for event in events if event.kind == TRACKLET_REMOVED])
        if events:
            self._seq = events[-1].seq
        return events

    def _load(self, session: Session, generation: Generation | None) -> None:
        seq = Outbox(session).last_seq()
        loaded = None
        if generation is not None:
            transit = load_transit(session, generation)
            fused = load_fused(session, generation, transit)
            graph = None if self._graphs is None or fused is None else self._graphs(generation, fused)
            empty = LoadedGeneration(generation, None, transit, fused, graph)
            loaded = replace(empty, index=self._read_all(session, empty))
            self._prepare(generation.model_id)
        self._loaded, self._seq = loaded, seq

    def _read_all(self, session: Session, loaded: LoadedGeneration) -> FlatIndex | None:
        tracklets, generation = TrackletRepository(session), loaded.generation
        total = tracklets.count()
        index: FlatIndex | None = None
        batches: list[IndexRows] = []
        for batch in tracklets.iter_vectors(generation.model_id):
            rows = rows_of_batch(batch)
            rows = self._usable(with_feet(session, rows) if loaded.knows_places else rows)
            index = _grown(index, rows)
            if loaded.graph is not None:
                batches.append(rows)
            self._log.info("index.loading", loaded=len(index), of=total)
        if loaded.graph is not None:
            loaded.graph.begin(batches)
        self._log.info("index.loaded", generation_id=str(generation.generation_id), vectors=len(index or ()))
        return index

    def _add(self, session: Session, tracklet_nos: Sequence[int]) -> None:
        """Add what is still stored and has a vector of the model; what was removed since is simply not found."""
        loaded = self.current
        rows = read_rows(session, tracklet_nos, loaded.generation.model_id)
        if rows is None:
            return
        rows = self._usable(with_feet(session, rows) if loaded.knows_places else rows)
        self._loaded = replace(loaded, index=_grown(loaded.index, rows))
        if loaded.graph is not None:
            loaded.graph.add(rows)

    def _usable(self, rows: IndexRows) -> IndexRows:
        """The rows without vectors that are none (of a blank crop, say), which are told of and passed over."""
        usable = are_unit(rows.vectors)
        if usable.all():
            return rows
        self._log.warning("index.vectors_unusable", tracklet_nos=rows.tracklet_nos[~usable].tolist())
        return rows.where(usable)

    def _remove(self, tracklet_nos: Sequence[int]) -> None:
        loaded = self.current
        if tracklet_nos and loaded.index is not None:
            loaded.index.remove(tracklet_nos)
        if tracklet_nos and loaded.graph is not None:
            loaded.graph.remove(tracklet_nos)


class Follower(Repeating):
    """Calls `LiveIndex.catch_up` from a thread of its own, every ``every_s`` seconds, until it is stopped."""

    def __init__(self, live: LiveIndex, *, every_s: float) -> None:
        super().__init__(self._look, name="outbox-follower", first_s=every_s)
        self._live = live
        self._every_s = every_s
        self._log: Any = structlog.get_logger()

    def _look(self) -> float:
        try:
            taken = self._live.catch_up()
        except (ReknitError, ValueError) as error:  # a busy or restarting database: the next round tries again
            self._log.warning("index.behind", error=str(error))
            return self._every_s
        if taken:
            self._log.debug("index.caught_up", events=taken)
        return self._every_s


def _grown(index: FlatIndex | None, rows: IndexRows) -> FlatIndex:
    index = FlatIndex(rows.vectors.shape[1]) if index is None else index
    index.add(rows)
    return index


def _current_generation(session: Session) -> Generation | None:
    try:
        return GenerationRepository(session).current()
    except NoGenerationError:
        return None


def _id_of(generation: Generation | None) -> UUID | None:
    return None if generation is None else generation.generation_id


def _added(events: Sequence[OutboxEvent], model_id: str) -> list[int]:
    """Tracklets that events tell to have, or to have now, a vector of the model, each once."""
    found: dict[int, None] = {}
    for event in events:
        if event.kind == TRACKLET_ADDED:
            found[event.payload["tracklet_no"]] = None
        elif event.kind == VECTORS_ADDED and event.payload["model_id"] == model_id:
            found.update(dict.fromkeys(event.payload["tracklet_nos"]))
    return list(found)
