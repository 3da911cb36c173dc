"""Ingests sources side by side in one process: a thread for each camera, detector lanes and a writer for all."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from threading import Event, Lock
from typing import TYPE_CHECKING

from reid_core.errors import InputError, NotAVideoError, ReknitError, StorageError, StorageFullError
from reid_core.types import Camera, Frame
from reid_core.vision.threads import one_thread_each
from services.ingest.camera import CameraPipeline, Cursor
from services.ingest.embedders import LiveEmbedders
from services.ingest.lanes import DetectorLanes
from services.ingest.locks import source_lock
from services.ingest.report import IngestReport, SourceOutcome, SourceState
from services.ingest.stages import Stage, StageClock
from services.ingest.writer import TrackletWriter, WriterStoppedError
from services.storage.cameras import CameraRepository
from services.storage.generations import GenerationRepository
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from reid_core.ports import Detector, Embedder, FrameSource
    from services.ingest.plan import PlannedSource
    from services.storage.blobs import BlobStore
    from services.storage.session import Database
    from services.storage.sources import StoredSource

__all__ = ["ModelMismatchError", "Networks", "SourceWorker", "ingest_sources", "lock_name"]


class ModelMismatchError(InputError):
    """Vectors of this embedder cannot be compared with those that are stored."""


def _no_other(model_id: str) -> Embedder:
    raise ModelMismatchError(f"a generation has model {model_id}, which is not at hand")


@dataclass(frozen=True, slots=True)
class Networks:
    """What an ingest computes with.

    Attributes:
        detector: Can be asked by ``lanes`` threads at once.
        embedder: Asked by one thread at a time; of the generation that answers, or of the cold start where none does.
        lanes: Pictures under way at once.
        embedder_of: Makes the embedder of another model, by its id, once a generation names one.
    """

    detector: Detector
    embedder: Embedder
    lanes: int
    embedder_of: Callable[[str], Embedder] = _no_other


def ingest_sources(
    planned: Sequence[PlannedSource],
    networks: Networks,
    *,
    database: Database,
    blobs: BlobStore,
    locks_dir: Path,
    workers: int,
    on_frame: Callable[[], None],
) -> IngestReport:
    """Ingest sources, each from where an earlier run left it.

    What is stored of a source depends on nothing but the source: not on the other sources, on the number of workers or
    lanes, nor on where an earlier run was killed.

    Args:
        planned: Sources that are not finished.
        networks: What to compute with.
        database: Holds rows.
        blobs: Holds crops.
        locks_dir: See `source_lock`.
        workers: Sources to work on at once.
        on_frame: Called after each frame, by several threads but by one at a time.

    Returns:
        What came of each source, in the order given. A source that fails does not keep the others from being ingested.

    Raises:
        ModelMismatchError: If searches are answered with another embedder, which is not to be had.
        StorageError: If storing fails; what has been committed stays, and the next run goes on from there.
        StorageFullError: The same, where the disk is full.
    """
    embedders = _join_generation(database, networks)
    clock = StageClock()
    stop = Event()
    started_s = time.perf_counter()
    with one_thread_each(), DetectorLanes(networks.detector, networks.lanes, clock) as lanes:
        with TrackletWriter(database, blobs, embedders, clock) as writer:
            worker = SourceWorker(lanes, writer, database, clock, locks_dir=locks_dir, stop=stop, on_frame=on_frame)
            outcomes = _side_by_side(planned, worker.ingest, workers=workers, stop=stop)
        seconds = time.perf_counter() - started_s
    return IngestReport(tuple(outcomes), seconds, 0.0, clock.seconds().seconds)


def _join_generation(database: Database, networks: Networks) -> LiveEmbedders:
    """Make the first generation if there is none, and have the embedders of all that are current or candidates."""
    embedder = networks.embedder
    with database.write() as session:
        generations = GenerationRepository(session)
        generations.ensure_cold_start(embedder.model_id, dim=embedder.dim)
        live = generations.live_model_ids()
    embedders = LiveEmbedders(embedder, networks.embedder_of)
    embedders.follow(live)
    return embedders


def _side_by_side(
    planned: Sequence[PlannedSource],
    ingest: Callable[[PlannedSource], SourceOutcome],
    *,
    workers: int,
    stop: Event,
) -> list[SourceOutcome]:
    """Run one source a thread; an exception of one, and an interrupt, make the others stop at their next frame."""
    with ThreadPoolExecutor(max(workers, 1), thread_name_prefix="camera") as threads:
        running = [threads.submit(ingest, source) for source in planned]
        try:
            for done in as_completed(running):
                done.result()
        except BaseException:
            stop.set()
            threads.shutdown(wait=True, cancel_futures=True)
            raise
        return [done.result() for done in running]


def lock_name(planned: PlannedSource) -> str:
    """What other processes know a source's lock by."""
    return hashlib.sha256(f"{planned.content_hash} {planned.request.camera_id}".encode()).hexdigest()[:32]


class _StoppedError(ReknitError):
    """The ingest was stopped."""


class SourceWorker:
    """Takes sources through a pipeline and hands what comes out to the writer; several threads may share it."""

    def __init__(
        self,
        lanes: DetectorLanes,
        writer: TrackletWriter,
        database: Database,
        clock: StageClock,
        *,
        locks_dir: Path,
        stop: Event,
        on_frame: Callable[[], None],
    ) -> None:
        self._lanes = lanes
        self._writer = writer
        self._database = database
        self._clock = clock
        self._locks_dir = locks_dir
        self._stop = stop
        self._on_frame = on_frame
        self._counting = Lock()

    def ingest(self, planned: PlannedSource) -> SourceOutcome:
        """Ingest one source; its own failure is part of the outcome, one of the storage is raised."""
        request = planned.request
        try:
            with source_lock(self._locks_dir, lock_name(planned), says=str(request.path)):
                fresh = planned.refreshed(self._database)
                if fresh.is_finished:
                    return SourceOutcome(request, SourceState.FINISHED_BEFORE)
                with closing(fresh.open()) as source:
                    return self._ingest_frames(fresh, source)
        except (StorageError, StorageFullError, WriterStoppedError, _StoppedError):
            raise
        except ReknitError as error:
            return SourceOutcome(request, SourceState.FAILED, failure=error)

    def _ingest_frames(self, planned: PlannedSource, source: FrameSource) -> SourceOutcome:
        frames = iter(source.frames(first_index=planned.first_frame))
        first = next(frames, None)
        if first is None and planned.stored is None:
            raise NotAVideoError(f"{planned.request.path}: none of its frames can be decoded")
        stored, done = self._open_row(planned, source, first)
        cursor = Cursor(stored.cursor_frame, stored.next_track_no, stored.next_track_id)
        pipeline = CameraPipeline(self._lanes, self._clock, cursor=cursor, fps=source.info.fps)
        frame_count = tracklet_count = 0
        for event in pipeline.follow(self._timed(chain([first] if first else [], frames))):
            if isinstance(event, Frame):
                frame_count += 1
                self._count_frame()
            elif isinstance(event, Cursor):
                self._writer.advance(stored, event)
            elif event.track_no not in done:
                tracklet_count += 1
                self._writer.store(stored, event)
        problems = tuple(source.problems)
        self._writer.finish(stored, problems)
        return SourceOutcome(
            planned.request, SourceState.INGESTED, frame_count, tracklet_count, len(done), problems=problems
        )

    def _open_row(
        self, planned: PlannedSource, source: FrameSource, first: Frame | None
    ) -> tuple[StoredSource, set[int]]:
        """The source's row, made now if it is new, and the numbers of the tracklets that are stored already."""
        request, info = planned.request, source.info
        size_px = (info.width, info.height) if first is None else (first.image.shape[1], first.image.shape[0])
        with self._database.write() as session:
            CameraRepository(session).ensure(Camera(request.camera_id))
            sources = SourceRepository(session)
            stored = sources.open_source(
                request.camera_id,
                planned.content_hash,
                str(request.path),
                start_s=info.start_time_s,
                clock_quality=info.clock_quality,
                frame_size_px=size_px,
                fps=info.fps,
            )
            return stored, TrackletRepository(session).stored_track_nos(stored.source_id)

    def _timed(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """The frames, with the time that decoding takes counted; ends early when the ingest is to stop."""
        iterator = iter(frames)
        while True:
            if self._stop.is_set():
                raise _StoppedError
            with self._clock.measure(Stage.DECODE):
                frame = next(iterator, None)
            if frame is None:
                return
            yield frame

    def _count_frame(self) -> None:
        with self._counting:
            self._on_frame()
