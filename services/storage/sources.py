"""Sources: which video of which camera was ingested how far, so that ingest can resume."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from reid_core.errors import StorageError
from reid_core.types import ClockQuality
from services.identifiers import new_uuid7
from services.storage.cameras import CameraRepository
from services.storage.outbox import SOURCE_FINISHED, Outbox
from services.storage.statements import insert_into
from services.storage.tables import SourceRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy.orm import Session

    from reid_core.ports import Clock

_RUNNING = "running"
_FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class StoredSource:
    """One video of one camera.

    Attributes:
        content_hash: Tells two videos of one camera apart, wherever they lie.
        start_s: UTC epoch seconds of the first frame, 0.0 where the clock is unknown.
        cursor_frame: Every tracklet that closed before this frame is stored.
        next_track_no: The number that the next tracklet will get.
        next_track_id: The id that the tracker will give out next.
        problems: What went wrong while it was read, a line each.
    """

    source_id: UUID
    camera_id: str
    content_hash: str
    uri: str
    start_s: float
    clock_quality: ClockQuality
    frame_size_px: tuple[int, int]
    fps: float
    cursor_frame: int
    next_track_no: int
    next_track_id: int
    is_finished: bool
    problems: tuple[str, ...]


class SourceRepository:
    """Sources of all cameras.

    Args:
        session: The transaction.
        clock: UTC epoch seconds.
    """

    def __init__(self, session: Session, *, clock: Clock = time.time) -> None:
        self._session = session
        self._clock = clock

    def open_source(
        self,
        camera_id: str,
        content_hash: str,
        uri: str,
        *,
        start_s: float,
        clock_quality: ClockQuality,
        frame_size_px: tuple[int, int],
        fps: float,
    ) -> StoredSource:
        """The source of this camera and content: the stored one as it stands, else a new one at frame 0.

        A stored source keeps the start that it was first opened with, because its tracklets have their times from it.

        Raises:
            UnknownCameraError: If the camera is not stored.
        """
        CameraRepository(self._session).by_id(camera_id)
        self._session.execute(
            insert_into(self._session, SourceRow)
            .values(
                source_id=new_uuid7(clock=self._clock),
                camera_id=camera_id,
                content_hash=content_hash,
                uri=_storable(uri),
                start_s=start_s,
                clock_quality=clock_quality.value,
                frame_width=frame_size_px[0],
                frame_height=frame_size_px[1],
                fps=fps,
                cursor_frame=0,
                next_track_no=1,
                next_track_id=1,
                state=_RUNNING,
                problems=[],
                created_at_s=self._clock(),
            )
            .on_conflict_do_nothing(index_elements=["camera_id", "content_hash"])
        )
        row = self._session.scalars(
            select(SourceRow).where(SourceRow.camera_id == camera_id, SourceRow.content_hash == content_hash)
        ).one()
        return _stored(row)

    def by_id(self, source_id: UUID) -> StoredSource:
        """One source.

        Raises:
            StorageError: If there is none of that id.
        """
        return _stored(self._row(source_id))

    def list(self, *, camera_id: str | None = None) -> list[StoredSource]:
        """Sources of one camera or of all, in the order in which they were first opened."""
        statement = select(SourceRow).order_by(SourceRow.source_id)
        if camera_id is not None:
            statement = statement.where(SourceRow.camera_id == camera_id)
        return [_stored(row) for row in self._session.scalars(statement)]

    def advance(self, source_id: UUID, *, cursor_frame: int, next_track_no: int, next_track_id: int) -> None:
        """Move the point from which ingest resumes; belongs into the transaction that stores what closed before it.

        Raises:
            ValueError: If a number would fall.
            StorageError: If there is no such source.
        """
        row = self._row(source_id)
        stands_at = (row.cursor_frame, row.next_track_no, row.next_track_id)
        moves_to = (cursor_frame, next_track_no, next_track_id)
        if any(new < old for new, old in zip(moves_to, stands_at, strict=True)):
            raise ValueError(f"source {source_id} stands at {stands_at} and cannot go back to {moves_to}")
        row.cursor_frame, row.next_track_no, row.next_track_id = moves_to
        self._session.flush()

    def finish(self, source_id: UUID, problems: Sequence[str] = ()) -> None:
        """Note that the source was read to its end; finishing twice changes nothing.

        Raises:
            StorageError: If there is no such source.
        """
        row = self._row(source_id)
        if row.state == _FINISHED:
            return
        row.state = _FINISHED
        row.problems = [_storable(problem) for problem in problems]
        row.finished_at_s = self._clock()
        self._session.flush()
        payload = {"source_id": str(source_id), "camera_id": row.camera_id, "problems": row.problems}
        Outbox(self._session, clock=self._clock).append(SOURCE_FINISHED, payload)

    def _row(self, source_id: UUID) -> SourceRow:
        row = self._session.get(SourceRow, source_id)
        if row is None:
            raise StorageError(f"there is no source {source_id}")
        return row


def _storable(line: str) -> str:
    """The text without what a file name may hold but a database may not: bytes that are no UTF-8, and NUL."""
    return line.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


def _stored(row: SourceRow) -> StoredSource:
    return StoredSource(
        source_id=row.source_id,
        camera_id=row.camera_id,
        content_hash=row.content_hash,
        uri=row.uri,
        start_s=row.start_s,
        clock_quality=ClockQuality(row.clock_quality),
        frame_size_px=(row.frame_width, row.frame_height),
        fps=row.fps,
        cursor_frame=row.cursor_frame,
        next_track_no=row.next_track_no,
        next_track_id=row.next_track_id,
        is_finished=row.state == _FINISHED,
        problems=tuple(row.problems),
    )
