"""The stored tracklets as a learning cycle reads them: one state of the database, written to the job's folder.

Rows stand by camera, time and track, never by number: which tracklet got which number depends on how cameras were
ingested side by side, and must not change what is learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog

from reid_core.association.verdicts import Believed, as_rows, believed
from reid_core.errors import NotAnImageError, StorageError, TooLittleToLearnError, UnknownCropError
from reid_core.learning.files import written_whole
from reid_core.learning.tracklet_set import PICTURES, TrackletSet, save_arrays, save_description
from reid_core.models.pictures import fitted_picture
from reid_core.spatio_temporal.bodies import body_marks
from reid_core.spatio_temporal.sightings import Sightings, foot_points
from reid_core.types import ClockQuality
from reid_core.vision.crops import decode_crop
from services.storage.cameras import CameraRepository
from services.storage.feedback import FeedbackRepository
from services.storage.feedback_records import Verdict
from services.storage.tracklets import TrackletRepository
from services.trainer.evidence import FEWEST_TO_HOLD_OUT, is_held_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from uuid import UUID

    from numpy.typing import NDArray

    from reid_core.learning.recipes import Recipe
    from reid_core.types import CameraLink, ImageBGR, TrackPath
    from services.storage.blobs import BlobStore
    from services.storage.records import StoredTracklet
    from services.storage.session import Database

__all__ = ["take_snapshot"]

_PROBLEMS_NAMED = 5


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """One stored tracklet without its crops; ``feet`` at first and last sight, in shares of the picture, ``(2, 2)``.

    ``body`` is what `body_marks` makes of its path.
    """

    tracklet: StoredTracklet
    feet: NDArray[np.float64]
    body: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Site:
    """The site's cameras, the walking paths between them, and what people said of its tracklets."""

    camera_ids: tuple[str, ...]
    links: tuple[CameraLink, ...]
    said: Believed[UUID]


def take_snapshot(
    database: Database, blobs: BlobStore, folder: Path, *, recipe: Recipe, on_tracklet: Callable[[int, int], None]
) -> dict[str, Any]:
    """Write all stored tracklets to a folder, as `TrackletSet.load` reads them.

    A crop that is lost or damaged is passed over, and so is a tracklet that is left without any. A large site keeps
    some tracklets back, by which models are judged (`is_held_out`). What people said of pairs becomes links, without
    whatever contradicts itself; it names no in-camera identities, because these would also say who is somebody else.

    Args:
        database: Of the installation.
        blobs: Its crops.
        folder: Where to; what is there is replaced.
        recipe: What the pictures are for.
        on_tracklet: Is told after each how many of how many are done.

    Returns:
        What was taken: counts, the window of time, and what was passed over; JSON.

    Raises:
        TooLittleToLearnError: If no tracklet has a crop that can be read.
        StorageFullError: If there is no space left.
        StorageError: If the database cannot be read or the folder cannot be written.
    """
    stored, site = _read(database)
    offered = [one for one in stored if len(stored) < FEWEST_TO_HOLD_OUT or not is_held_out(one.tracklet.blob_key)]
    size_px = (recipe.network.width_px, recipe.network.height_px)
    kept: list[_Seen] = []
    counts: list[int] = []
    problems: list[str] = []
    folder.mkdir(parents=True, exist_ok=True)
    with written_whole(folder / PICTURES) as file:
        for number, one in enumerate(offered, start=1):
            crops = _crops(blobs, one.tracklet, recipe.sampling.crops_at_most, problems)
            pictures = [fitted_picture(crop, size_px).tobytes() for crop in crops]
            if pictures:
                kept.append(one)
                counts.append(len(pictures))
                file.write(b"".join(pictures))
            on_tracklet(number, len(offered))
    if not kept:
        raise TooLittleToLearnError(f"{len(stored)} tracklets are stored, and none of them has a crop that can be read")
    taken = _as_set(kept, counts, site, size_px=size_px)
    save_arrays(folder, taken)
    save_description(folder, taken)
    return {
        **_told(taken),
        "confirmed": len(site.said.same),
        "rejected": len(site.said.different),
        "contradictions": len(site.said.contradictions),
        "tracklets_passed_over": len(offered) - len(kept),
        "crops_passed_over": len(problems),
        "problems": problems[:_PROBLEMS_NAMED],
        "held_out": len(stored) - len(offered),
    }


def _read(database: Database) -> tuple[list[_Seen], _Site]:
    """Everything but the crops, in one state of the database."""
    with database.read() as session:
        seen = [_seen(tracklet, path) for tracklet, path in TrackletRepository(session).iter_paths()]
        cameras = CameraRepository(session)
        verdicts = FeedbackRepository(session).verdicts()
        site = _Site(tuple(camera.camera_id for camera in cameras.list()), cameras.links(), _believed(verdicts))
    return sorted(seen, key=_place), site


def _believed(verdicts: Mapping[tuple[UUID, UUID], Verdict]) -> Believed[UUID]:
    """What can be learned from; each contradiction is told."""
    same = [pair for pair, verdict in verdicts.items() if verdict is Verdict.SAME]
    different = [pair for pair, verdict in verdicts.items() if verdict is Verdict.DIFFERENT]
    said = believed(same, different)
    for chain in said.contradictions:
        names = [str(tracklet_id) for tracklet_id in chain]
        structlog.get_logger().warning("snapshot.contradiction", chain=names)
    return said


def _place(one: _Seen) -> tuple[str, float, float, int]:
    stored = one.tracklet
    return (stored.camera_id, stored.start_s, stored.end_s, stored.track_no)


def _seen(tracklet: StoredTracklet, path: TrackPath) -> _Seen:
    feet = foot_points(path.boxes_px[[0, -1]], np.array(tracklet.frame_size_px))
    return _Seen(tracklet, feet, body_marks(path.boxes_px, path.times_s, tracklet.frame_size_px))


def _crops(blobs: BlobStore, stored: StoredTracklet, most: int, problems: list[str]) -> Iterator[ImageBGR]:
    """At most so many of a tracklet's crops, evenly spaced, in order of time; what cannot be read is noted."""
    spread = np.linspace(0, stored.crop_count - 1, min(most, stored.crop_count)).round().astype(int)
    for crop_no in spread.tolist():
        try:
            yield decode_crop(blobs.read_crop(stored.blob_key, crop_no))
        except (StorageError, UnknownCropError, NotAnImageError) as error:
            problems.append(f"crop {crop_no} of tracklet {stored.tracklet_id}: {error}")


def _as_set(kept: Sequence[_Seen], counts: Sequence[int], site: _Site, *, size_px: tuple[int, int]) -> TrackletSet:
    stored = [one.tracklet for one in kept]
    no_clock = np.array([one.clock_quality is ClockQuality.UNKNOWN for one in stored])
    feet = np.stack([one.feet for one in kept])
    sightings = Sightings(
        site.camera_ids,
        np.array([site.camera_ids.index(one.camera_id) for one in stored], np.int64),
        np.where(no_clock, np.nan, [one.start_s for one in stored]),
        np.where(no_clock, np.nan, [one.end_s for one in stored]),
        feet[:, 0],
        feet[:, 1],
        np.stack([one.body for one in kept]),
    )
    first_crop = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    width, height = size_px
    pictures = np.broadcast_to(np.zeros(3, np.uint8), (int(first_crop[-1]), height, width, 3))  # they are on disk
    numbers = np.array([one.tracklet_no for one in stored], np.int64)
    must, cannot = as_rows(site.said, {one.tracklet_id: row for row, one in enumerate(stored)})
    return TrackletSet(
        numbers, sightings, first_crop, pictures, must_link=must, cannot_link=cannot, map_links=site.links
    )


def _told(taken: TrackletSet) -> dict[str, Any]:
    seen = taken.sightings
    known = seen.clock_known()
    return {
        "tracklets": len(taken),
        "crops": int(taken.first_crop[-1]),
        "cameras": len(np.unique(seen.cameras)),
        "data_from_s": float(seen.starts_s[known].min()) if known.any() else None,
        "data_to_s": float(seen.ends_s[known].max()) if known.any() else None,
    }
