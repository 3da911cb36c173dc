"""What is stored of a tracklet and of its crops, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reid_core.types import ClockQuality, CropQuality

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from reid_core.types import Crop
    from services.storage.tables import TrackletRow


@dataclass(frozen=True, slots=True)
class StoredTracklet:
    """A tracklet without its path, crops and vectors, which are read when they are needed.

    Attributes:
        tracklet_no: Its number in the vector index.
        tracklet_id: Its name to the world.
        track_no: Its number within its source.
        start_s: UTC epoch seconds (since the first frame where the clock is unknown).
        end_s: As ``start_s``.
        quality: Of the best crop, in ``[0, 1]``.
        frame_size_px: ``(width, height)``.
        display_order: Crop numbers, best first.
    """

    tracklet_no: int
    tracklet_id: UUID
    source_id: UUID
    camera_id: str
    track_no: int
    start_s: float
    end_s: float
    clock_quality: ClockQuality
    quality: float
    frame_size_px: tuple[int, int]
    blob_key: str
    crop_count: int
    display_order: tuple[int, ...]
    created_at_s: float


@dataclass(frozen=True, slots=True)
class CropRecord:
    """What is known of one crop without its picture; ``crop_no`` counts in order of time from 0."""

    crop_no: int
    frame_index: int
    time_s: float
    box_px: tuple[float, float, float, float]
    width_px: int
    height_px: int
    quality: CropQuality


def stored_tracklet(row: TrackletRow) -> StoredTracklet:
    """The value of a row."""
    return StoredTracklet(
        tracklet_no=row.tracklet_no,
        tracklet_id=row.tracklet_id,
        source_id=row.source_id,
        camera_id=row.camera_id,
        track_no=row.track_no,
        start_s=row.start_s,
        end_s=row.end_s,
        clock_quality=ClockQuality(row.clock_quality),
        quality=row.quality,
        frame_size_px=(row.frame_width, row.frame_height),
        blob_key=row.blob_key,
        crop_count=row.crop_count,
        display_order=tuple(row.display_order),
        created_at_s=row.created_at_s,
    )


def crop_to_json(crop: Crop) -> dict[str, Any]:
    """A crop without its picture, for the database and for the blob's manifest."""
    quality = crop.quality
    return {
        "frame_index": int(crop.frame_index),
        "time_s": float(crop.time_s),
        "box_px": [float(edge) for edge in crop.box_px],
        "width_px": int(crop.width_px),
        "height_px": int(crop.height_px),
        "quality": {
            "size": float(quality.size),
            "sharpness": float(quality.sharpness),
            "visibility": float(quality.visibility),
            "completeness": float(quality.completeness),
        },
    }


def crop_record(crop_no: int, crop: Mapping[str, Any]) -> CropRecord:
    """The value of what `crop_to_json` wrote."""
    left, top, right, bottom = crop["box_px"]
    return CropRecord(
        crop_no=crop_no,
        frame_index=crop["frame_index"],
        time_s=crop["time_s"],
        box_px=(left, top, right, bottom),
        width_px=crop["width_px"],
        height_px=crop["height_px"],
        quality=CropQuality(**crop["quality"]),
    )
