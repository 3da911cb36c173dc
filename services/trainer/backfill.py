"""Gives stored tracklets their vectors under a model that came after them, while searches go on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from reid_core.errors import BackfillError, BackfillStoppedError, NotAnImageError, StorageError, UnknownCropError
from reid_core.models.embedder import choose_crops
from reid_core.vision.crops import decode_crop
from services.storage.embeddings import EmbeddingRepository
from services.storage.gaps import VectorGaps
from services.storage.generations import GenerationRepository
from services.storage.outbox import VECTORS_ADDED, Outbox
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from reid_core.ports import Embedder
    from reid_core.types import Embedding, ImageBGR
    from services.storage.blobs import BlobStore
    from services.storage.records import StoredTracklet
    from services.storage.session import Database

__all__ = ["BackfillReport", "backfill"]

_BATCH = 32
_UNUSABLE_SHARE = 0.1
_UNUSABLE_AT_LEAST = 3


@dataclass(frozen=True, slots=True)
class BackfillReport:
    """What a backfill did.

    Attributes:
        embedded: Tracklets that got a vector.
        unusable: Tracklets that the model could not embed, all in all: none of their crops can be read.
        seconds: How long it took.
    """

    model_id: str
    embedded: int
    unusable: int
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """A tracklet's vectors, or why there are none."""

    tracklet: StoredTracklet
    embedding: Embedding | None
    crop_nos: tuple[int, ...] = ()
    reason: str = ""


def backfill(
    database: Database,
    blobs: BlobStore,
    embedder: Embedder,
    *,
    among: Sequence[int] | None = None,
    batch: int = _BATCH,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> BackfillReport:
    """Embed every stored tracklet that has no vector of a model yet, those included that arrive meanwhile.

    Vectors are committed batch by batch, so that a run that is killed or stopped goes on where it was; two runs at once
    only do some work twice. A tracklet of which no crop can be read is noted with the reason and passed over: searches
    under this model cannot find it, and the next run tries it again.

    Args:
        database: Of the installation.
        blobs: Its crops.
        embedder: Of the model.
        among: Only these tracklets, by number; default: all.
        batch: Tracklets a transaction.
        on_progress: Told after each batch how many of how many are done; the total grows with what arrives.
        should_stop: Asked before each tracklet.

    Raises:
        BackfillStoppedError: If it was told to stop; what was done is stored.
        BackfillError: If over a tenth of all tracklets cannot be read, and more than three: then the crops are out of
            reach rather than damaged, and nothing should be built on what is left.
        StorageError: If the database cannot be used.
    """
    began_s = time.perf_counter()
    run = _Run(database, blobs, embedder, among=among, batch=batch, should_stop=should_stop)
    run.begin()
    on_progress(0, run.total)
    while run.next_batch():
        on_progress(run.done, run.total)
    return BackfillReport(embedder.model_id, run.embedded, run.unusable, time.perf_counter() - began_s)


class _Run:
    """One backfill."""

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        embedder: Embedder,
        *,
        among: Sequence[int] | None,
        batch: int,
        should_stop: Callable[[], bool],
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._embedder = embedder
        self._among = None if among is None else sorted({int(number) for number in among})
        self._batch = batch
        self._should_stop = should_stop
        self._after_no = 0
        self._log: Any = structlog.get_logger()
        self.embedded = 0
        self.unusable = 0
        self.total = 0

    @property
    def done(self) -> int:
        """Tracklets that are dealt with."""
        return self.embedded + self.unusable

    def begin(self) -> None:
        """Forget what an earlier run could not read, which somebody may have restored; count what there is to do."""
        with self._database.write() as session:
            VectorGaps(session).forget_failures(self._embedder.model_id)
        self.total = self._left()

    def next_batch(self) -> bool:
        """Embed and commit the next tracklets; False when none is left."""
        todo = self._todo()
        if not todo and self._after_no:
            self._after_no = 0  # numbers may be committed out of order, so that the end is looked at from the start
            todo = self._todo()
            self.total = self.done + (self._left() if todo else 0)
        if not todo:
            return False
        made = []
        for tracklet in todo:
            if self._should_stop():
                break
            made.append(self._embed(tracklet))
        self._commit(made)
        self._after_no = todo[-1].tracklet_no
        self.total = max(self.total, self.done)
        if len(made) < len(todo):
            raise BackfillStoppedError(f"{self._left()} tracklets have no vector of {self._embedder.model_id} yet")
        return True

    def _left(self) -> int:
        """Tracklets that are still to be done."""
        with self._database.read() as session:
            gaps = VectorGaps(session)
            if self._among is None:
                return gaps.count(self._embedder.model_id)
            return len(gaps.next(self._embedder.model_id, limit=len(self._among), among=self._among))

    def _todo(self) -> list[StoredTracklet]:
        with self._database.read() as session:
            return VectorGaps(session).next(
                self._embedder.model_id, after_no=self._after_no, limit=self._batch, among=self._among
            )

    def _embed(self, tracklet: StoredTracklet) -> _Made:
        """Vectors of the crops that can be read."""
        crops, numbers, reason = self._read(tracklet)
        if not crops:
            self._log.warning("backfill.unusable", tracklet_id=str(tracklet.tracklet_id), reason=reason)
            return _Made(tracklet, None, reason=reason)
        return _Made(tracklet, self._embedder.embed(crops), numbers)

    def _read(self, tracklet: StoredTracklet) -> tuple[list[ImageBGR], tuple[int, ...], str]:
        crops, numbers, reason = [], [], "it has no crop"
        for number in choose_crops(tracklet.crop_count, tracklet.display_order):
            try:
                crops.append(decode_crop(self._blobs.read_crop(tracklet.blob_key, number)))
            except (StorageError, UnknownCropError, NotAnImageError) as error:
                reason = str(error)
            else:
                numbers.append(number)
        return crops, tuple(numbers), reason

    def _commit(self, made: Sequence[_Made]) -> None:
        """Store a batch; followers hear of it where the model is the current generation's."""
        model_id = self._embedder.model_id
        with self._database.write() as session:
            embeddings, gaps = EmbeddingRepository(session), VectorGaps(session)
            stored = []
            for one in made:
                no = one.tracklet.tracklet_no
                if one.embedding is None:
                    gaps.note_failure(model_id, no, one.reason)
                    self.unusable += 1
                elif embeddings.add_later(no, one.embedding, crop_nos=one.crop_nos, crop_count=one.tracklet.crop_count):
                    stored.append(no)
            self.embedded += len(stored)
            self._require_reach(session)
            if stored:
                outbox = Outbox(session)
                outbox.take_turn()  # from here on no promotion can come between the question and the commit
                if GenerationRepository(session).current().model_id == model_id:
                    outbox.append(VECTORS_ADDED, {"model_id": model_id, "tracklet_nos": stored})

    def _require_reach(self, session: Session) -> None:
        if self.unusable <= _UNUSABLE_AT_LEAST:
            return
        stored = TrackletRepository(session).count()
        if self.unusable > _UNUSABLE_SHARE * stored:
            raise BackfillError(
                f"the crops of {self.unusable} of {stored} tracklets cannot be read; see to the blobs and try again"
            )
