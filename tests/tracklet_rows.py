"""Sources and tracklets in a database, for tests of what is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from factories import make_embedding, make_tracklet

from reid_core.types import Camera, ClockQuality
from services.storage.cameras import CameraRepository
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from uuid import UUID

    from services.storage.session import Database


def open_source(
    database: Database,
    camera_id: str = "cam1",
    content_hash: str = "hash",
    clock_quality: ClockQuality = ClockQuality.STATED,
) -> UUID:
    """A source of a camera, the camera with it."""
    with database.write() as session:
        CameraRepository(session).ensure(Camera(camera_id))
        source = SourceRepository(session).open_source(
            camera_id,
            content_hash,
            "video.mp4",
            start_s=100.0,
            clock_quality=clock_quality,
            frame_size_px=(640, 480),
            fps=10.0,
        )
    return source.source_id


def add_tracklet(database: Database, source_id: UUID, track_no: int = 1, *, camera_id: str = "cam1", **tracklet) -> int:
    """Store a tracklet of five observations; answers its number."""
    with database.write() as session:
        return TrackletRepository(session).add(
            source_id,
            camera_id,
            make_tracklet(track_no, **tracklet),
            f"blob-{track_no}",
            make_embedding(track_no),
        )
