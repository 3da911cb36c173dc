"""A site's stored journeys against its ground truth."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from reid_core.errors import GroundTruthError
from reid_core.evaluation.journeys_report import JourneysReport
from reid_core.evaluation.stored_site import NOBODY, identify, trackable_truth
from reid_core.evaluation.tracking_report import TrackingReport
from reid_core.metrics.mot_boxes import MotBoxes
from reid_core.metrics.multi_camera import evaluate_multi_camera
from reid_core.metrics.tracking import evaluate_tracking
from reid_core.metrics.tracklet_pairs import count_pairs
from services.scoring import people_of_tracklets
from services.storage.journeys import JourneyRepository
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from reid_core.types import TrackPath
    from services.storage.records import StoredTracklet
    from services.storage.sources import StoredSource

__all__ = ["best_identities", "score_identities", "score_journeys"]

_TICKS_A_SECOND = 1000


def score_journeys(session: Session, truth: Mapping[str, MotBoxes]) -> JourneysReport:
    """Score what is stored: a tracklet's identity is its journey; one without a journey is alone.

    Args:
        session: A reading transaction.
        truth: True boxes of every camera, as `services.scoring.read_site_truth` has them.

    Raises:
        GroundTruthError: If a camera has no ground truth, or not exactly one video.
    """
    membership = JourneyRepository(session).membership()
    numbers = {journey: place for place, journey in enumerate(sorted(set(membership.values())), start=1)}
    return score_identities(session, truth, {number: numbers[journey] for number, journey in membership.items()})


def score_identities(session: Session, truth: Mapping[str, MotBoxes], identities: Mapping[int, int]) -> JourneysReport:
    """Score any identities of the stored tracklets.

    True boxes that are mostly hidden or tiny count for nobody, as in the tracking figures of a stored site. Cameras of
    different frame rates are brought to one clock, that of their videos' starts.

    Args:
        session: A reading transaction.
        truth: As above.
        identities: From tracklet numbers to people, above 0; those that are missing are alone.

    Raises:
        GroundTruthError: As above.
    """
    sources = {camera: _only_source(session, camera) for camera in sorted(truth)}
    paths = list(TrackletRepository(session).iter_paths())
    people = people_of_tracklets(session, truth)
    last = max(identities.values(), default=0)
    named = {one.tracklet_no: identities.get(one.tracklet_no, last + one.tracklet_no) for one, _ in paths}
    result = {camera: _boxes(camera, paths, named) for camera in sources}
    trackable = {camera: trackable_truth(boxes) for camera, boxes in truth.items()}
    shown = np.array([people[one.tracklet_no] for one, _ in paths], np.int64)
    return JourneysReport(
        scores=evaluate_multi_camera(_on_one_clock(trackable, sources), _on_one_clock(result, sources)),
        pairs=count_pairs(
            shown,
            np.array([named[one.tracklet_no] for one, _ in paths], np.int64),
            camera_ids=[one.camera_id for one, _ in paths],
        ),
        cameras=len(sources),
        tracklets=len(paths),
        distractors=int(np.count_nonzero(shown == NOBODY)),
        tracking=TrackingReport.of(
            {camera: evaluate_tracking(trackable[camera], result[camera]) for camera in sources}
        ),
    )


def best_identities(session: Session, truth: Mapping[str, MotBoxes]) -> dict[int, int]:
    """Every tracklet given to whom it shows most: about the best that can be done with tracks that mix people.

    Of two tracklets of one camera at one time only the longer one is that person's; the other is left out.

    Args:
        session: A reading transaction.
        truth: As above.
    """
    found: dict[int, int] = {}
    taken: dict[tuple[str, int], list[tuple[int, int]]] = {}
    paths = [(one, path) for one, path in TrackletRepository(session).iter_paths() if len(path)]
    for one, path in sorted(paths, key=lambda both: (-len(both[1]), both[0].tracklet_no)):
        person = identify(path.frame_indices + 1, path.boxes_px, truth[one.camera_id]).mostly
        first, last = int(path.frame_indices[0]), int(path.frame_indices[-1])
        others = taken.setdefault((one.camera_id, person), [])
        if person != NOBODY and not any(first <= end and start <= last for start, end in others):
            others.append((first, last))
            found[one.tracklet_no] = person
    return found


def _only_source(session: Session, camera_id: str) -> StoredSource:
    sources = SourceRepository(session).list(camera_id=camera_id)
    if len(sources) != 1:
        raise GroundTruthError(f"camera {camera_id!r} must have one video, it has {len(sources)}")
    return sources[0]


def _boxes(camera_id: str, paths: list[tuple[StoredTracklet, TrackPath]], named: Mapping[int, int]) -> MotBoxes:
    """Every stored observation of a camera under its identity; frames from 1."""
    own = [(named[one.tracklet_no], path) for one, path in paths if one.camera_id == camera_id and len(path)]
    if not own:
        return MotBoxes.none()
    return MotBoxes.of(
        np.concatenate([path.frame_indices + 1 for _, path in own]),
        np.concatenate([np.full(len(path), identity) for identity, path in own]),
        np.concatenate([path.boxes_px for _, path in own]),
        confidences=np.concatenate([path.confidences for _, path in own]),
    )


def _on_one_clock(cameras: Mapping[str, MotBoxes], sources: Mapping[str, StoredSource]) -> dict[str, MotBoxes]:
    """Frames as milliseconds since the first video's start, from 1."""
    first_s = min((source.start_s for source in sources.values()), default=0.0)
    clocked = {}
    for camera, boxes in cameras.items():
        source = sources[camera]
        times_s = source.start_s - first_s + (boxes.frames - 1) / source.fps
        clocked[camera] = replace(boxes, frames=1 + np.round(_TICKS_A_SECOND * times_s).astype(np.int64))
    return clocked
