"""What is to be ingested: a source as it was asked for, and what is known of it before its first frame is worked on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reid_core.types import ClockQuality
from reid_core.vision.video import open_source, probe
from services.ingest.fingerprint import content_hash
from services.storage.sources import SourceRepository

if TYPE_CHECKING:
    from pathlib import Path

    from reid_core.ports import FrameSource
    from reid_core.types import VideoInfo
    from services.storage.session import Database
    from services.storage.sources import StoredSource

__all__ = ["PlannedSource", "SourceRequest", "plan_source"]


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """A video of a camera.

    Attributes:
        camera_id: The camera that took it.
        path: A file, or a folder of pictures.
        start_s: UTC epoch seconds of the first frame; ``None`` = as the file says.
    """

    camera_id: str
    path: Path
    start_s: float | None = None


@dataclass(frozen=True, slots=True)
class PlannedSource:
    """A source that can be opened.

    Attributes:
        request: What was asked for.
        content_hash: Tells it from other sources of its camera.
        info: What the file says of itself.
        stored: What an earlier run left of it.
    """

    request: SourceRequest
    content_hash: str
    info: VideoInfo
    stored: StoredSource | None

    @property
    def is_finished(self) -> bool:
        """True where an earlier run has read it to its end."""
        return self.stored is not None and self.stored.is_finished

    @property
    def first_frame(self) -> int:
        """The frame to begin with."""
        return self.stored.cursor_frame if self.stored else 0

    @property
    def frames_left(self) -> int | None:
        """Frames still to be worked on, as far as the file's own count can be believed."""
        count = self.info.frame_count
        return None if count is None else max(count - self.first_frame, 0)

    @property
    def remark(self) -> str | None:
        """What the user should know about the time of its first frame, if it is not what was asked for."""
        asked_s = self.request.start_s
        if self.stored is None or asked_s is None or abs(self.stored.start_s - asked_s) < 1e-3:
            return None
        return "it was first ingested with another start, which it keeps"

    def refreshed(self, database: Database) -> PlannedSource:
        """The same with what is stored of it by now."""
        return replace(self, stored=_stored(self.request, self.content_hash, database))

    def open(self) -> FrameSource:
        """Open it once more, with the times that it had before."""
        return open_source(self.request.path, start_time_s=_start_s(self.request, self.stored))


def plan_source(request: SourceRequest, database: Database) -> PlannedSource:
    """Look at a source without working on it.

    Raises:
        NotAVideoError: If it holds nothing that can be decoded.
        InputError: If it is not there or cannot be read.
    """
    fingerprint = content_hash(request.path)
    stored = _stored(request, fingerprint, database)
    info = probe(request.path, start_time_s=_start_s(request, stored))
    return PlannedSource(request, fingerprint, info, stored)


def _stored(request: SourceRequest, fingerprint: str, database: Database) -> StoredSource | None:
    with database.read() as session:
        of_camera = SourceRepository(session).list(camera_id=request.camera_id)
    return next((source for source in of_camera if source.content_hash == fingerprint), None)


def _start_s(request: SourceRequest, stored: StoredSource | None) -> float | None:
    if stored is None:
        return request.start_s
    return None if stored.clock_quality is ClockQuality.UNKNOWN else stored.start_s
