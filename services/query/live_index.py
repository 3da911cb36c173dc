"""The current generation's vectors in memory, kept up with the database by following its outbox."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import structlog

from reid_core.errors import NoGenerationError, ReknitError
from reid_core.retrieval.index import FlatIndex, IndexRows, are_unit
from reid_core.types import ClockQuality
from services.query.generation_parts import load_fused, load_transit
from services.storage.feet import read_feet
from services.storage.generations import GenerationRepository
from services.storage.outbox import TRACKLET_ADDED, TRACKLET_REMOVED, VECTORS_ADDED, Outbox
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from sqlalchemy.orm import Session

    from reid_core.retrieval.fused import FusedSearch
    from reid_core.spatio_temporal.transit_model import TransitModel
    from services.storage.embeddings import VectorRows
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
    """

    generation: Generation
    index: FlatIndex | None
    transit: TransitModel | None = None
    fused: FusedSearch | None = None

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
    """

    def __init__(self, database: Database, *, prepare: Callable[[str], None] = lambda _model_id: None) -> None:
        self._database = database
        self._prepare = prepare
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
        """Take over what was committed since the last call; returns how many events that were."""
        taken = 0
        with self._changing:
            while True:
                with self._database.read() as session:
                    events = self._take_next(session)
                taken += len(events)
                if len(events) < _EVENTS_AT_ONCE:
                    return taken

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
            empty = LoadedGeneration(generation, None, transit, load_fused(session, generation, transit))
            loaded = replace(empty, index=self._read_all(session, empty))
            self._prepare(generation.model_id)
        self._loaded, self._seq = loaded, seq

    def _read_all(self, session: Session, loaded: LoadedGeneration) -> FlatIndex | None:
        tracklets, generation = TrackletRepository(session), loaded.generation
        total = tracklets.count()
        index: FlatIndex | None = None
        for batch in tracklets.iter_vectors(generation.model_id):
            rows = _rows_of_batch(batch)
            index = self._grown(index, _with_feet(session, rows) if loaded.knows_places else rows)
            self._log.info("index.loading", loaded=len(index), of=total)
        self._log.info("index.loaded", generation_id=str(generation.generation_id), vectors=len(index or ()))
        return index

    def _add(self, session: Session, tracklet_nos: Sequence[int]) -> None:
        """Add what is still stored and has a vector of the model; what was removed since is simply not found."""
        loaded = self.current
        tracklets = TrackletRepository(session)
        embeddings = tracklets.embeddings(tracklet_nos, loaded.generation.model_id)
        stored = [one for no, one in tracklets.by_nos(tracklet_nos).items() if no in embeddings]
        if not stored:
            return
        known = np.array([one.clock_quality is not ClockQuality.UNKNOWN for one in stored])
        rows = IndexRows(
            tracklet_nos=np.array([one.tracklet_no for one in stored], np.int64),
            vectors=np.stack([embeddings[one.tracklet_no].vector for one in stored]),
            camera_ids=[one.camera_id for one in stored],
            starts_s=np.where(known, [one.start_s for one in stored], np.nan),
            ends_s=np.where(known, [one.end_s for one in stored], np.nan),
            qualities=np.array([one.quality for one in stored]),
        )
        rows = _with_feet(session, rows) if loaded.knows_places else rows
        self._loaded = replace(loaded, index=self._grown(loaded.index, rows))

    def _grown(self, index: FlatIndex | None, rows: IndexRows) -> FlatIndex:
        """The index with more rows; a stored vector that is none (of a blank crop, say) is told of and passed over."""
        index = FlatIndex(rows.vectors.shape[1]) if index is None else index
        usable = are_unit(rows.vectors)
        if not usable.all():
            self._log.warning("index.vectors_unusable", tracklet_nos=rows.tracklet_nos[~usable].tolist())
            rows = rows.where(usable)
        index.add(rows)
        return index

    def _remove(self, tracklet_nos: Sequence[int]) -> None:
        index = self.current.index
        if tracklet_nos and index is not None:
            index.remove(tracklet_nos)


class Follower:
    """Calls `LiveIndex.catch_up` from a thread of its own, every ``every_s`` seconds, until it is stopped."""

    def __init__(self, live: LiveIndex, *, every_s: float) -> None:
        self._live = live
        self._every_s = every_s
        self._stop = Event()
        self._thread = Thread(target=self._run, name="outbox-follower", daemon=True)
        self._log: Any = structlog.get_logger()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            try:
                taken = self._live.catch_up()
            except (ReknitError, ValueError) as error:  # a busy or restarting database: the next round tries again
                self._log.warning("index.behind", error=str(error))
                continue
            if taken:
                self._log.debug("index.caught_up", events=taken)


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


def _rows_of_batch(batch: VectorRows) -> IndexRows:
    return IndexRows(
        tracklet_nos=batch.tracklet_nos,
        vectors=batch.vectors,
        camera_ids=batch.camera_ids,
        starts_s=np.where(batch.clock_known, batch.starts_s, np.nan),
        ends_s=np.where(batch.clock_known, batch.ends_s, np.nan),
        qualities=batch.qualities,
    )


def _with_feet(session: Session, rows: IndexRows) -> IndexRows:
    """The rows with the places where their people came and went."""
    feet = read_feet(session, rows.tracklet_nos.tolist())
    return replace(rows, entries=feet[:, 0], exits=feet[:, 1])
