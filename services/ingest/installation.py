"""An ingest into an installation: its database, its networks, its locks, and what is left to do."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from reid_core.errors import InputError, NoGenerationError
from services import bootstrap
from services.ingest.locks import at_work
from services.ingest.plan import plan_source
from services.ingest.report import IngestReport, SourceOutcome, SourceState
from services.ingest.worker import Networks, ingest_sources
from services.storage.cameras import CameraRepository
from services.storage.generations import GenerationRepository
from services.storage.listing import Where
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from reid_core.ports import Embedder
    from services.ingest.plan import PlannedSource, SourceRequest
    from services.settings import Settings
    from services.site_file import Site
    from services.storage.blobs import BlobStore
    from services.storage.session import Database

__all__ = ["Observer", "ingest_into", "processors"]


class Observer(Protocol):
    """Is told how an ingest goes."""

    def say(self, line: str) -> None:
        """Something a person who waits should know."""
        ...

    def frames(self, total: int | None) -> AbstractContextManager[Callable[[], None]]:
        """Watch frames being done: the callable is called after each of ``total``."""
        ...


def ingest_into(
    settings: Settings, requests: Sequence[SourceRequest], *, site: Site | None, workers: int, observer: Observer
) -> IngestReport:
    """Ingest sources into an installation.

    Args:
        settings: Of the installation.
        requests: Sources; each is one file or folder of one camera.
        site: Cameras and links to register first.
        workers: Sources to work on at once, 0 = as many as there are processors.
        observer: Told how it goes.

    Returns:
        What came of each source, in the order given.

    Raises:
        ReknitError: If the installation cannot be used or storing fails. A source that fails is part of the report.
    """
    database, blobs = bootstrap.open_database(settings), bootstrap.open_blobs(settings)
    locks_dir = settings.data_dir / "locks"
    try:
        with at_work(locks_dir, when_alone=lambda: _collect_orphans(database, blobs)):
            if site is not None:
                _register(site, database)
            plans = [_plan(request, database) for request in requests]
            todo = [plan for plan in plans if not isinstance(plan, SourceOutcome)]
            if not todo:
                return IngestReport(tuple(plan for plan in plans if isinstance(plan, SourceOutcome)), 0.0, 0.0, {})
            networks, loading_seconds = _load_networks(settings, database, observer)
            with observer.frames(_total(todo)) as on_frame:
                report = ingest_sources(
                    todo,
                    networks,
                    database=database,
                    blobs=blobs,
                    locks_dir=locks_dir,
                    workers=workers or processors(settings),
                    on_frame=on_frame,
                )
    finally:
        database.close()
    done = iter(report.outcomes)
    outcomes = tuple(plan if isinstance(plan, SourceOutcome) else next(done) for plan in plans)
    return replace(report, outcomes=outcomes, loading_seconds=loading_seconds)


def processors(settings: Settings) -> int:
    """Processors to use: as the settings say, else all that this process may run on."""
    return settings.threads or len(os.sched_getaffinity(0))


def _plan(request: SourceRequest, database: Database) -> PlannedSource | SourceOutcome:
    """What to do for a source, or its outcome where nothing can or need be done."""
    try:
        planned = plan_source(request, database)
    except InputError as error:
        return SourceOutcome(request, SourceState.FAILED, failure=error)
    if planned.stored is None or not planned.is_finished:
        return planned
    with database.read() as session:
        count = TrackletRepository(session).count(Where(source_id=planned.stored.source_id))
    problems = (planned.remark,) if planned.remark else ()
    return SourceOutcome(request, SourceState.FINISHED_BEFORE, tracklets_before=count, problems=problems)


def _register(site: Site, database: Database) -> None:
    with database.write() as session:
        cameras = CameraRepository(session)
        for camera in site.cameras:
            cameras.ensure(camera)
        cameras.ensure_links(site.links)


def _collect_orphans(database: Database, blobs: BlobStore) -> None:
    """Remove what a killed ingest wrote but did not commit; nobody else is writing now."""
    with database.read() as session:
        known = TrackletRepository(session).blob_keys()
    blobs.collect_orphans(known, min_age_s=0.0, now=time.time())


def _load_networks(settings: Settings, database: Database, observer: Observer) -> tuple[Networks, float]:
    """Detector and embedders, and how long it took to have them."""
    observer.say("loading the networks (the first time on a machine they are converted, which takes a little longer)")
    started_s = time.perf_counter()
    lanes = processors(settings)
    detector = bootstrap.make_detector(settings, threads=lanes, lanes=lanes)

    def embedder_of(model_id: str) -> Embedder:
        return bootstrap.make_embedder_for(settings, database, model_id, threads=1)

    current = _current_model_id(database)
    embedder = bootstrap.make_embedder(settings, threads=1) if current is None else embedder_of(current)
    return Networks(detector, embedder, lanes, embedder_of), time.perf_counter() - started_s


def _current_model_id(database: Database) -> str | None:
    """The model of the generation that answers, ``None`` before the first ingest."""
    with database.read() as session:
        try:
            return GenerationRepository(session).current().model_id
        except NoGenerationError:
            return None


def _total(planned: Sequence[PlannedSource]) -> int | None:
    """Frames to work on, ``None`` where a source does not say."""
    counts = [plan.frames_left for plan in planned]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
