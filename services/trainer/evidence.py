"""What two generations are judged by: the same stored tracklets, with the crop vectors of each one's model."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.learning.crop_vectors import CropVectors
from reid_core.spatio_temporal.bodies import MARKS, body_marks
from reid_core.spatio_temporal.sightings import Sightings, foot_points
from reid_core.types import ClockQuality
from services.storage.cameras import CameraRepository
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from services.storage.embeddings import StoredEmbedding
    from services.storage.records import StoredTracklet

__all__ = ["FEWEST_TO_HOLD_OUT", "Judged", "choose_judged", "is_held_out", "load_judged"]

FEWEST_TO_HOLD_OUT = 1000
_HELD_OUT_OF_256 = 26  # a tenth
_MOST = 2000
_FEWEST_HELD_OUT = 100


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Tracklets to judge by, row by row.

    Attributes:
        tracklet_nos: Shape ``(N,)``, int64.
        sightings: Where and when they were.
        candidate: Their crops' vectors under the candidate's model.
        current: The same under the current generation's.
        counts: Whose trials count: those that the candidate's model did not learn from, or all where these are too few.
            Shape ``(N,)``.
        held_out: How many tracklets it did not learn from.
    """

    tracklet_nos: NDArray[np.int64]
    sightings: Sightings
    candidate: CropVectors
    current: CropVectors
    counts: NDArray[np.bool_]
    held_out: int


def is_held_out(blob_key: str) -> bool:
    """Whether a large site keeps a tracklet back from learning, so that models can be judged by it; always the same.

    Example:
        >>> sum(is_held_out(f"source-{number:06d}") for number in range(1000))
        99
    """
    return hashlib.sha256(blob_key.encode()).digest()[0] < _HELD_OUT_OF_256


def choose_judged(session: Session, *, most: int = _MOST) -> Sequence[int]:
    """Numbers of the newest tracklets: associations can be judged only where matches lie among them too.

    Args:
        session: The transaction.
        most: At most this many.
    """
    return TrackletRepository(session).newest_nos(most)


def load_judged(
    session: Session,
    tracklet_nos: Sequence[int],
    *,
    candidate: str,
    current: str,
    learned_from: Collection[int],
) -> Judged:
    """Read what is stored of tracklets under two models; those without a vector of either are left out.

    Args:
        session: The transaction.
        tracklet_nos: Of `choose_judged`.
        candidate: Model id of the candidate.
        current: Model id of the current generation.
        learned_from: Numbers of the tracklets that the candidate's model learned from.
    """
    tracklets = TrackletRepository(session)
    ours, theirs = (tracklets.embeddings(tracklet_nos, model_id) for model_id in (candidate, current))
    stored = [one for no, one in sorted(tracklets.by_nos(tracklet_nos).items()) if no in ours and no in theirs]
    sightings = _sightings(session, stored)
    times_s = {one.tracklet_no: [crop.time_s for crop in tracklets.crops(one.tracklet_no)] for one in stored}
    numbers = np.array([one.tracklet_no for one in stored], np.int64)
    unseen = np.array([no not in learned_from for no in numbers.tolist()], np.bool_)
    enough = int(unseen.sum()) >= _FEWEST_HELD_OUT
    return Judged(
        numbers,
        sightings,
        _crop_vectors(stored, ours, times_s, sightings.cameras),
        _crop_vectors(stored, theirs, times_s, sightings.cameras),
        unseen if enough else np.ones(len(numbers), np.bool_),
        int(unseen.sum()),
    )


def _sightings(session: Session, stored: Sequence[StoredTracklet]) -> Sightings:
    tracklets = TrackletRepository(session)
    camera_ids = tuple(camera.camera_id for camera in CameraRepository(session).list())
    no_clock = np.array([one.clock_quality is ClockQuality.UNKNOWN for one in stored], np.bool_)
    feet, bodies = np.zeros((len(stored), 2, 2)), np.zeros((len(stored), MARKS))
    for row, one in enumerate(stored):
        path = tracklets.path(one.tracklet_no)
        feet[row] = foot_points(path.boxes_px[[0, -1]], np.array(one.frame_size_px))
        bodies[row] = body_marks(path.boxes_px, path.times_s, one.frame_size_px)
    return Sightings(
        camera_ids,
        np.array([camera_ids.index(one.camera_id) for one in stored], np.int64),
        np.where(no_clock, np.nan, np.array([one.start_s for one in stored], np.float64)),
        np.where(no_clock, np.nan, np.array([one.end_s for one in stored], np.float64)),
        feet[:, 0],
        feet[:, 1],
        bodies,
    )


def _crop_vectors(
    stored: Sequence[StoredTracklet],
    embeddings: dict[int, StoredEmbedding],
    times_s: dict[int, list[float]],
    cameras: NDArray[np.int64],
) -> CropVectors:
    """Crops in order of time, tracklet by tracklet."""
    vectors, times, first_crop = [], [], [0]
    for one in stored:
        embedding = embeddings[one.tracklet_no]
        at = np.array([times_s[one.tracklet_no][no] for no in embedding.crop_nos], np.float64)
        order = np.argsort(at, kind="stable")
        vectors.append(embedding.crop_vectors[order])
        times.append(at[order])
        first_crop.append(first_crop[-1] + len(at))
    return CropVectors(
        np.concatenate(vectors) if vectors else np.zeros((0, 1), np.float32),
        np.concatenate(times) if times else np.zeros(0),
        np.array(first_crop, np.int64),
        cameras,
    )
