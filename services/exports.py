"""What is stored, in the forms of others: MOTChallenge rows of a camera's tracks, Market-1501 named crops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.errors import ExportError
from reid_core.metrics.mot_boxes import MotBoxes
from services.storage.cameras import CameraRepository
from services.storage.listing import Where
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from uuid import UUID

    from sqlalchemy.orm import Session

    from services.storage.blobs import BlobStore
    from services.storage.sources import StoredSource

__all__ = ["camera_boxes", "choose_source", "write_market"]


def choose_source(session: Session, camera_id: str, *, uri_part: str | None = None) -> StoredSource:
    """The one source of a camera whose frames are to be numbered.

    Args:
        session: A reading transaction.
        camera_id: The camera.
        uri_part: Text that the source's place must hold, for a camera of several sources.

    Raises:
        UnknownCameraError: If there is no such camera.
        ExportError: If no source or more than one fits; names them.
    """
    CameraRepository(session).by_id(camera_id)
    sources = [s for s in SourceRepository(session).list(camera_id=camera_id) if uri_part is None or uri_part in s.uri]
    if len(sources) != 1:
        places = ", ".join(source.uri for source in sources) or "none"
        raise ExportError(f"camera {camera_id!r} needs exactly one source to number frames by, it has: {places}")
    return sources[0]


def camera_boxes(session: Session, source_id: UUID) -> MotBoxes:
    """Every stored observation of a source as it was tracked online: no box is added or moved afterwards.

    Returns:
        Frames from 1; the id is the tracklet's number within its source. Tracks too short to be stored are missing.
    """
    paths = [
        (stored.track_no, path)
        for stored, path in TrackletRepository(session).iter_paths(Where(source_id=source_id))
        if len(path)
    ]
    if not paths:
        return MotBoxes.none()
    return MotBoxes.of(
        np.concatenate([path.frame_indices + 1 for _, path in paths]),
        np.concatenate([np.full(len(path), track_no) for track_no, path in paths]),
        np.concatenate([path.boxes_px for _, path in paths]),
        confidences=np.concatenate([path.confidences for _, path in paths]),
    )


def write_market(
    session: Session,
    blobs: BlobStore,
    folder: Path,
    *,
    at_most: int,
    on_tracklet: Callable[[], None] = lambda: None,
) -> int:
    """Write crops of every stored tracklet under Market-1501's file names, the tracklet standing for the person.

    A name reads ``0007_c2s1_000123_04.jpg``: tracklet number, camera by its place among the ids in order, source by its
    place among the camera's, frame from 1, crop. Identities are not known: crops of one person in two tracklets carry
    two numbers.

    Args:
        session: A reading transaction.
        blobs: Where the crops lie.
        folder: Made if missing; files of the same names are replaced.
        at_most: Crops a tracklet, the best first.
        on_tracklet: Called after each tracklet.

    Returns:
        Files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cameras = {camera.camera_id: place for place, camera in enumerate(CameraRepository(session).list(), start=1)}
    sources = {
        source.source_id: place
        for camera_id in cameras
        for place, source in enumerate(SourceRepository(session).list(camera_id=camera_id), start=1)
    }
    tracklets = TrackletRepository(session)
    written = 0
    for stored, _ in tracklets.iter_paths():
        crops = tracklets.crops(stored.tracklet_no)
        for no in stored.display_order[:at_most]:
            place = f"c{cameras[stored.camera_id]}s{sources[stored.source_id]}"
            name = f"{stored.tracklet_no:04d}_{place}_{crops[no].frame_index + 1:06d}_{no:02d}.jpg"
            (folder / name).write_bytes(blobs.read_crop(stored.blob_key, no))
            written += 1
        on_tracklet()
    return written
