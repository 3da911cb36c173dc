"""What is stored of a site, scored against the site's ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.errors import GroundTruthError
from reid_core.evaluation.mot_files import read_tracks
from reid_core.evaluation.stored_site import SiteRetrieval, identify, score_retrieval, trackable_truth
from reid_core.metrics.tracking import TrackingScores, combine, evaluate_tracking
from services.exports import camera_boxes
from services.storage.generations import GenerationRepository
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from reid_core.metrics.mot_boxes import MotBoxes

__all__ = ["SiteScores", "people_of_tracklets", "read_site_truth", "score_site"]


@dataclass(frozen=True, slots=True, eq=False)
class SiteScores:
    """Scores of one generation on a stored site.

    Attributes:
        model_id: Whose vectors were compared.
        retrieval: Over all tracklets that have a vector; rows as in the two arrays below.
        tracklet_nos: By rising number. Shape ``(N,)``.
        person_ids: Who each tracklet shows, 0 for a distractor. Shape ``(N,)``.
        tracking: Over all cameras, counts added.
        camera_tracking: The same, camera by camera.
    """

    model_id: str
    retrieval: SiteRetrieval
    tracklet_nos: NDArray[np.int64]
    person_ids: NDArray[np.int64]
    tracking: TrackingScores
    camera_tracking: Mapping[str, TrackingScores]


def read_site_truth(folder: Path) -> dict[str, MotBoxes]:
    """True boxes by camera, sorted by frame, from ``folder/CAMERA.txt``.

    Raises:
        MotFileError: If a file is broken.
        GroundTruthError: If there is no file, or a person is numbered below 1.
    """
    truth: dict[str, MotBoxes] = {}
    for path in sorted(folder.glob("*.txt")):
        boxes = read_tracks(path)
        if len(boxes) and boxes.ids.min() < 1:
            raise GroundTruthError(f"{path}: people are numbered from 1, found {boxes.ids.min()}")
        truth[path.stem] = boxes.take(np.argsort(boxes.frames, kind="stable"))
    if not truth:
        raise GroundTruthError(f"{folder} holds no CAMERA.txt")
    return truth


def score_site(session: Session, truth: Mapping[str, MotBoxes], *, model_id: str | None = None) -> SiteScores:
    """Score a generation's vectors, and the tracks behind them.

    Args:
        session: A reading transaction.
        truth: True boxes of every camera, as `read_site_truth` has them.
        model_id: Whose vectors; default: the current generation's.

    Raises:
        NoGenerationError: If nothing was ingested yet.
        GroundTruthError: If a camera has no ground truth, or more than one video.
    """
    model_id = model_id or GenerationRepository(session).current().model_id
    camera_tracking = {camera_id: _track_score(session, camera_id, truth) for camera_id in _cameras(session, truth)}
    people = people_of_tracklets(session, truth)
    batches = list(TrackletRepository(session).iter_vectors(model_id))
    numbers = np.concatenate([batch.tracklet_nos for batch in batches] or [np.zeros(0, np.int64)])
    vectors = np.concatenate([batch.vectors for batch in batches] or [np.zeros((0, 1), np.float32)])
    person_ids = np.array([people[number] for number in numbers.tolist()], np.int64)
    camera_ids = [camera_id for batch in batches for camera_id in batch.camera_ids]
    return SiteScores(
        model_id=model_id,
        retrieval=score_retrieval(vectors, person_ids, camera_ids),
        tracklet_nos=numbers,
        person_ids=person_ids,
        tracking=combine(list(camera_tracking.values())),
        camera_tracking=camera_tracking,
    )


def people_of_tracklets(session: Session, truth: Mapping[str, MotBoxes]) -> dict[int, int]:
    """Who each stored tracklet shows, by its number; 0 for a distractor.

    Args:
        session: A reading transaction.
        truth: True boxes of every camera, as `read_site_truth` has them.

    Raises:
        GroundTruthError: If a camera has no ground truth.
    """
    people = {}
    for stored, path in TrackletRepository(session).iter_paths():
        if stored.camera_id not in truth:
            raise GroundTruthError(f"there is none for camera {stored.camera_id!r}")
        shown = identify(path.frame_indices + 1, path.boxes_px, truth[stored.camera_id])
        people[stored.tracklet_no] = shown.person_id
    return people


def _cameras(session: Session, truth: Mapping[str, MotBoxes]) -> list[str]:
    """Cameras of the truth; each must have been ingested from one video, and no other camera may be stored."""
    stored = [source.camera_id for source in SourceRepository(session).list()]
    for camera_id in sorted({*stored, *truth}):
        if camera_id not in truth:
            raise GroundTruthError(f"there is none for camera {camera_id!r}")
        if stored.count(camera_id) != 1:
            raise GroundTruthError(f"camera {camera_id!r} must have one video, it has {stored.count(camera_id)}")
    return sorted(truth)


def _track_score(session: Session, camera_id: str, truth: Mapping[str, MotBoxes]) -> TrackingScores:
    source = SourceRepository(session).list(camera_id=camera_id)[0]
    return evaluate_tracking(trackable_truth(truth[camera_id]), camera_boxes(session, source.source_id))
