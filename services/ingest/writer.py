"""The one place where an ingest commits: embeds tracklets and stores them, in the order in which they came."""

from __future__ import annotations

from queue import Queue
from threading import Event, Thread
from typing import TYPE_CHECKING, Self

from reid_core.errors import ReknitError
from reid_core.models.embedder import pick_crops_to_embed
from reid_core.vision.crops import decode_crop
from services.ingest.stages import Stage
from services.storage.blobs import blob_key
from services.storage.generations import GenerationRepository
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reid_core.types import Embedding, ImageBGR, Tracklet
    from services.ingest.camera import Cursor
    from services.ingest.embedders import LiveEmbedders
    from services.ingest.stages import StageClock
    from services.storage.blobs import BlobStore
    from services.storage.session import Database
    from services.storage.sources import StoredSource

__all__ = ["TrackletWriter", "WriterStoppedError"]

_WAITING_AT_MOST = 64


class WriterStoppedError(ReknitError):
    """Storing has failed, so there is no point in going on."""


class _ModelsChangedError(ReknitError):
    """A generation came up whose model the tracklet has no vector of."""

    def __init__(self, live: tuple[str, ...]) -> None:
        super().__init__()
        self.live = live


class TrackletWriter:
    """Embeds and stores what the cameras hand over, in a thread of its own and one thing at a time.

    A tracklet's blob is written and flushed before its row, vectors and outbox entry are committed in one transaction.
    A crash in between leaves a blob that no row names; the next run writes it again under the same key. A tracklet is
    committed with a vector of every model that a current or candidate generation names at that moment, so that a
    promotion that found no vector missing stays true.

    After the first failure nothing more is stored: cameras learn of it when they hand over the next thing, and `close`
    raises what happened.
    """

    def __init__(self, database: Database, blobs: BlobStore, embedders: LiveEmbedders, clock: StageClock) -> None:
        self._database = database
        self._blobs = blobs
        self._embedders = embedders
        self._clock = clock
        self._waiting: Queue[Callable[[], None] | None] = Queue(_WAITING_AT_MOST)
        self._failure: BaseException | None = None
        self._failed = Event()
        self._thread = Thread(target=self._work, name="writer")
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def store(self, source: StoredSource, tracklet: Tracklet) -> None:
        """Hand over a tracklet; waits while too many are waiting.

        Raises:
            WriterStoppedError: If storing has failed before.
        """
        self._put(lambda: self._store(source, tracklet))

    def advance(self, source: StoredSource, cursor: Cursor) -> None:
        """Note that everything before a cursor has been handed over.

        Raises:
            WriterStoppedError: If storing has failed before.
        """
        self._put(lambda: self._advance(source, cursor))

    def finish(self, source: StoredSource, problems: Sequence[str]) -> None:
        """Note that a source has been read to its end.

        Raises:
            WriterStoppedError: If storing has failed before.
        """
        self._put(lambda: self._finish(source, problems))

    def close(self) -> None:
        """Store what is waiting, then stop.

        Raises:
            ReknitError: What went wrong while storing.
        """
        self._waiting.put(None)
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _put(self, job: Callable[[], None]) -> None:
        if self._failed.is_set():
            raise WriterStoppedError
        self._waiting.put(job)

    def _work(self) -> None:
        while (job := self._waiting.get()) is not None:
            if self._failed.is_set():
                continue
            try:
                job()
            except BaseException as error:  # noqa: BLE001 - raised again by close, in the thread that asked
                self._failure = error
                self._failed.set()

    def _store(self, source: StoredSource, tracklet: Tracklet) -> None:
        with self._clock.measure(Stage.EMBED):
            crop_nos = pick_crops_to_embed(tracklet)
            crops = [decode_crop(tracklet.crops[number].jpeg) for number in crop_nos]
        with self._clock.measure(Stage.STORE):
            key = blob_key(source.source_id, tracklet.track_no)
            self._blobs.put_tracklet(key, tracklet)
        embeddings: dict[str, Embedding] = {}
        while True:
            self._embed(crops, embeddings)
            try:
                live = self._commit(source, tracklet, key, list(embeddings.values()), crop_nos)
            except _ModelsChangedError as change:
                self._embedders.follow(change.live)
                continue
            self._embedders.follow(live)
            return

    def _embed(self, crops: Sequence[ImageBGR], embeddings: dict[str, Embedding]) -> None:
        """Complete a tracklet's vectors: of every model in use, and of no other."""
        with self._clock.measure(Stage.EMBED):
            in_use = {embedder.model_id: embedder for embedder in self._embedders.in_use}
            for model_id in embeddings.keys() - in_use.keys():
                del embeddings[model_id]
            for model_id, embedder in in_use.items():
                if model_id not in embeddings:
                    embeddings[model_id] = embedder.embed(crops)

    def _commit(
        self,
        source: StoredSource,
        tracklet: Tracklet,
        key: str,
        embeddings: Sequence[Embedding],
        crop_nos: Sequence[int],
    ) -> tuple[str, ...]:
        """Store it all; returns the models that generations name at this moment.

        Raises:
            _ModelsChangedError: If a vector of one of them is still to be made; nothing is stored then.
        """
        with self._clock.measure(Stage.STORE), self._database.write() as session:
            TrackletRepository(session).add(
                source.source_id, source.camera_id, tracklet, key, list(embeddings), crop_nos=crop_nos
            )
            live = GenerationRepository(session).live_model_ids()  # after `add`, whose turn no promotion can interrupt
            if self._embedders.lack(live):
                raise _ModelsChangedError(live)
        return live

    def _advance(self, source: StoredSource, cursor: Cursor) -> None:
        with self._clock.measure(Stage.STORE), self._database.write() as session:
            SourceRepository(session).advance(
                source.source_id,
                cursor_frame=cursor.frame,
                next_track_no=cursor.track_no,
                next_track_id=cursor.track_id,
            )

    def _finish(self, source: StoredSource, problems: Sequence[str]) -> None:
        with self._clock.measure(Stage.STORE), self._database.write() as session:
            SourceRepository(session).finish(source.source_id, problems)
