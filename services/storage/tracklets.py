"""Tracklets: what is stored of each, and how it is added, found, listed and removed."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete, func, select

from reid_core.errors import AlreadyStoredError, StorageError, UnknownTrackletError
from services.identifiers import new_uuid7
from services.storage.codec import pack_path, unpack_path
from services.storage.embeddings import EmbeddingRepository
from services.storage.listing import Page, Where, decode_cursor, encode_cursor, narrowed
from services.storage.outbox import TRACKLET_ADDED, TRACKLET_REMOVED, Outbox
from services.storage.records import CropRecord, StoredTracklet, crop_record, crop_to_json, stored_tracklet
from services.storage.statements import insert_into
from services.storage.tables import SourceRow, TrackletRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.orm import Session

    from reid_core.ports import Clock
    from reid_core.types import Embedding, Tracklet, TrackPath
    from services.storage.embeddings import StoredEmbedding, VectorRows

_MAX_PAGE = 1000
_IN_ONE_QUESTION = 500  # values in one IN (...): SQLite allows 32766, planners like fewer


class TrackletRepository:
    """Tracklets of all cameras.

    Args:
        session: The transaction; it must be a writing one for `add` and `delete`.
        clock: UTC epoch seconds.
    """

    def __init__(self, session: Session, *, clock: Clock = time.time) -> None:
        self._session = session
        self._clock = clock
        self._embeddings = EmbeddingRepository(session)

    def add(
        self,
        source_id: UUID,
        camera_id: str,
        tracklet: Tracklet,
        blob_key: str,
        embedding: Embedding | Sequence[Embedding],
        *,
        crop_nos: Sequence[int] | None = None,
    ) -> int:
        """Store a tracklet, its vectors and the news of it; all or nothing with the caller's transaction.

        Args:
            source_id: Where it was seen; must be a source of the camera.
            camera_id: The camera.
            tracklet: A tracklet of at least one observation.
            blob_key: Where its crops lie already.
            embedding: Its vectors, of one model or of several.
            crop_nos: Which crops the crop vectors belong to, in their order; default: the first in display order.

        Returns:
            The tracklet's number, which is never used again.

        Raises:
            AlreadyStoredError: If the source has a tracklet of this number; the transaction can go on.
            ValueError: If source and camera, or crops and vectors, do not belong together.
        """
        source = self._source(source_id, camera_id)
        embeddings = (embedding,) if not isinstance(embedding, (tuple, list)) else tuple(embedding)
        statement = insert_into(self._session, TrackletRow).values(self._columns(source, tracklet, blob_key))
        statement = statement.on_conflict_do_nothing(index_elements=["source_id", "track_no"])
        made = self._session.execute(statement.returning(TrackletRow.tracklet_no, TrackletRow.tracklet_id)).first()
        if made is None:
            raise AlreadyStoredError(f"track {tracklet.track_no} of source {source_id}")
        tracklet_no, tracklet_id = made
        for one in embeddings:
            self._embeddings.add(tracklet_no, tracklet, one, crop_nos=crop_nos)
        payload = _identity(tracklet_no, tracklet_id, camera_id)
        payload["model_ids"] = [one.model_id for one in embeddings]
        Outbox(self._session, clock=self._clock).append(TRACKLET_ADDED, payload)
        return tracklet_no

    def delete(self, tracklet_no: int) -> str:
        """Remove a tracklet and its vectors, and tell of it.

        Returns:
            Its blob's key: delete the blob after the commit.

        Raises:
            UnknownTrackletError: If there is no such tracklet.
        """
        row = self._row(tracklet_no)
        payload, blob_key = _identity(row.tracklet_no, row.tracklet_id, row.camera_id), row.blob_key
        self._session.execute(delete(TrackletRow).where(TrackletRow.tracklet_no == tracklet_no))
        self._session.expunge(row)
        Outbox(self._session, clock=self._clock).append(TRACKLET_REMOVED, payload)
        return blob_key

    def by_no(self, tracklet_no: int) -> StoredTracklet:
        """One tracklet by number.

        Raises:
            UnknownTrackletError: If there is no such tracklet.
        """
        return stored_tracklet(self._row(tracklet_no))

    def by_nos(self, tracklet_nos: Iterable[int]) -> dict[int, StoredTracklet]:
        """Tracklets by number; numbers that are not stored are left out."""
        wanted = sorted({int(number) for number in tracklet_nos})
        found: dict[int, StoredTracklet] = {}
        for first in range(0, len(wanted), _IN_ONE_QUESTION):
            some = wanted[first : first + _IN_ONE_QUESTION]
            rows = self._session.scalars(select(TrackletRow).where(TrackletRow.tracklet_no.in_(some)))
            found.update((row.tracklet_no, stored_tracklet(row)) for row in rows)
        return found

    def by_id(self, tracklet_id: UUID | str) -> StoredTracklet:
        """One tracklet by id.

        Raises:
            UnknownTrackletError: If there is no such tracklet, or the text is no id at all.
        """
        try:
            wanted = tracklet_id if isinstance(tracklet_id, UUID) else UUID(tracklet_id)
        except ValueError as error:
            raise UnknownTrackletError(str(tracklet_id)) from error
        row = self._session.scalars(select(TrackletRow).where(TrackletRow.tracklet_id == wanted)).one_or_none()
        if row is None:
            raise UnknownTrackletError(str(tracklet_id))
        return stored_tracklet(row)

    def path(self, tracklet_no: int) -> TrackPath:
        """Where a tracklet was, frame by frame.

        Raises:
            UnknownTrackletError: If there is no such tracklet.
        """
        packed = self._session.scalar(select(TrackletRow.path).where(TrackletRow.tracklet_no == tracklet_no))
        if packed is None:
            raise UnknownTrackletError(str(tracklet_no))
        return unpack_path(packed)

    def crops(self, tracklet_no: int) -> tuple[CropRecord, ...]:
        """What is known of each crop, in order of time; the pictures lie in the blob.

        Raises:
            UnknownTrackletError: If there is no such tracklet.
        """
        crops = self._session.scalar(select(TrackletRow.crops).where(TrackletRow.tracklet_no == tracklet_no))
        if crops is None:
            raise UnknownTrackletError(str(tracklet_no))
        return tuple(crop_record(no, crop) for no, crop in enumerate(crops))

    def list(self, where: Where = Where(), *, limit: int = 50, cursor: str | None = None) -> Page:  # noqa: B008 - frozen
        """One page of tracklets by start, then number.

        Args:
            where: Which tracklets.
            limit: Tracklets a page, 1 to 1000.
            cursor: ``next_cursor`` of the page before; none = from the first.

        Raises:
            InputError: If the cursor is not one that a page gave out.
            ValueError: If the limit is out of range.
        """
        if not 1 <= limit <= _MAX_PAGE:
            raise ValueError(f"limit must lie in [1, {_MAX_PAGE}], got {limit}")
        after = None if cursor is None else decode_cursor(cursor)
        statement = narrowed(select(TrackletRow), where, after=after)
        statement = statement.order_by(TrackletRow.start_s, TrackletRow.tracklet_no).limit(limit + 1)
        rows = self._session.scalars(statement).all()
        items = tuple(stored_tracklet(row) for row in rows[:limit])
        more = len(rows) > limit
        return Page(items, encode_cursor(items[-1].start_s, items[-1].tracklet_no) if more else None)

    def newest_nos(self, limit: int) -> Sequence[int]:
        """Numbers of the tracklets that began last, rising."""
        newest = select(TrackletRow.tracklet_no).order_by(TrackletRow.start_s.desc(), TrackletRow.tracklet_no.desc())
        return sorted(self._session.scalars(newest.limit(limit)))

    def iter_paths(self, where: Where = Where()) -> Iterator[tuple[StoredTracklet, TrackPath]]:  # noqa: B008 - frozen
        """All chosen tracklets with their paths, by start, then number; memory stays flat."""
        statement = narrowed(select(TrackletRow, TrackletRow.path), where)
        statement = statement.order_by(TrackletRow.start_s, TrackletRow.tracklet_no)
        for row, packed in self._session.execute(statement.execution_options(yield_per=200)):
            yield stored_tracklet(row), unpack_path(packed)

    def count(self, where: Where = Where()) -> int:  # noqa: B008 - frozen
        """How many tracklets are stored."""
        return self._session.scalar(narrowed(select(func.count(TrackletRow.tracklet_no)), where)) or 0

    def stored_track_nos(self, source_id: UUID) -> set[int]:
        """Which tracklets of a source are stored already, by their number in it."""
        return set(self._session.scalars(select(TrackletRow.track_no).where(TrackletRow.source_id == source_id)))

    def blob_keys(self) -> set[str]:
        """The key of every blob that a tracklet refers to."""
        return set(self._session.scalars(select(TrackletRow.blob_key)))

    def embedding(self, tracklet_no: int, model_id: str) -> StoredEmbedding:
        """A tracklet's vectors in one model's space; see `EmbeddingRepository.by_no`."""
        return self._embeddings.by_no(tracklet_no, model_id)

    def embeddings(self, tracklet_nos: Iterable[int], model_id: str) -> dict[int, StoredEmbedding]:
        """Several tracklets' vectors; those without a vector of the model are left out."""
        return self._embeddings.by_nos(tracklet_nos, model_id)

    def iter_vectors(self, model_id: str, *, after_no: int = 0, batch: int = 10_000) -> Iterator[VectorRows]:
        """Rows for the index, by number; see `EmbeddingRepository.iter_vectors`."""
        return self._embeddings.iter_vectors(model_id, after_no=after_no, batch=batch)

    def _row(self, tracklet_no: int) -> TrackletRow:
        row = self._session.get(TrackletRow, int(tracklet_no))
        if row is None:
            raise UnknownTrackletError(str(tracklet_no))
        return row

    def _source(self, source_id: UUID, camera_id: str) -> SourceRow:
        source = self._session.get(SourceRow, source_id)
        if source is None:
            raise StorageError(f"there is no source {source_id}")
        if source.camera_id != camera_id:
            raise ValueError(f"source {source_id} belongs to camera {source.camera_id}, not {camera_id}")
        return source

    def _columns(self, source: SourceRow, tracklet: Tracklet, blob_key: str) -> dict[str, object]:
        if len(tracklet.path) == 0:
            raise ValueError(f"track {tracklet.track_no} of source {source.source_id} has no observation")
        if not -math.inf < tracklet.start_s <= tracklet.end_s < math.inf:
            raise ValueError(f"a tracklet must end after its start, got {tracklet.start_s} to {tracklet.end_s} s")
        width, height = tracklet.frame_size_px
        return {
            "tracklet_id": new_uuid7(clock=self._clock),
            "source_id": source.source_id,
            "camera_id": source.camera_id,
            "track_no": tracklet.track_no,
            "start_s": tracklet.start_s,
            "end_s": tracklet.end_s,
            "clock_quality": source.clock_quality,
            "quality": tracklet.quality,
            "frame_width": width,
            "frame_height": height,
            "blob_key": blob_key,
            "crop_count": len(tracklet.crops),
            "display_order": list(tracklet.display_order),
            "created_at_s": self._clock(),
            "crops": [crop_to_json(crop) for crop in tracklet.crops],
            "path": pack_path(tracklet.path),
        }


def _identity(tracklet_no: int, tracklet_id: UUID, camera_id: str) -> dict[str, object]:
    return {"tracklet_no": tracklet_no, "tracklet_id": str(tracklet_id), "camera_id": camera_id}
