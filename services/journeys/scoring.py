"""A site's stored journeys against its ground truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
from reid_core.types import TrackPath
from services.scoring import people_of_tracklets
from services.storage.journeys import JourneyRepository
from services.storage.journeys_records import Part
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.orm import Session

    from services.storage.records import StoredTracklet
    from services.storage.sources import StoredSource

__all__ = ["Named", "best_identities", "score_identities", "score_journeys"]

_TICKS_A_SECOND = 1000


@dataclass(frozen=True, slots=True)
class Named:
    """What is called by one identity: a tracklet, or a part of one.

    Attributes:
        part: Which.
        identity: Above 0.
    """

    part: Part
    identity: int


def score_journeys(session: Session, truth: Mapping[str, MotBoxes]) -> JourneysReport:
    """Score what is stored: a tracklet's identity is its journey; one without a journey is alone.

    Args:
        session: A reading transaction.
        truth: True boxes of every camera, as `services.scoring.read_site_truth` has them.

    Raises:
        GroundTruthError: If a camera has no ground truth, or not exactly one video.
    """
    placed = JourneyRepository(session).placed().values()
    numbers = {name: place for place, name in enumerate(sorted({one.journey_id for one in placed}), start=1)}
    return score_identities(session, truth, [Named(one.part, numbers[one.journey_id]) for one in placed])


def score_identities(session: Session, truth: Mapping[str, MotBoxes], named: Iterable[Named]) -> JourneysReport:
    """Score any identities of stored tracklets and their parts.

    True boxes that are mostly hidden or tiny count for nobody, as in the tracking figures of a stored site. Cameras of
    different frame rates are brought to one clock, that of their videos' starts. In figures over pairs of tracklets,
    one of several parts has the identity of its longest.

    Args:
        session: A reading transaction.
        truth: As above.
        named: Parts that do not overlap; tracklets that are missing are alone.

    Raises:
        GroundTruthError: As above.
    """
    sources = {camera: _only_source(session, camera) for camera in sorted(truth)}
    paths = list(TrackletRepository(session).iter_paths())
    people = people_of_tracklets(session, truth)
    parts = _by_tracklet([one for one, _ in paths], named)
    result = {camera: _boxes(camera, paths, parts) for camera in sources}
    trackable = {camera: trackable_truth(boxes) for camera, boxes in truth.items()}
    shown = np.array([people[one.tracklet_no] for one, _ in paths], np.int64)
    longest = [max(parts[one.tracklet_no], key=lambda own: own.part.end_s - own.part.start_s) for one, _ in paths]
    return JourneysReport(
        scores=evaluate_multi_camera(_on_one_clock(trackable, sources), _on_one_clock(result, sources)),
        pairs=count_pairs(
            shown,
            np.array([one.identity for one in longest], np.int64),
            camera_ids=[one.camera_id for one, _ in paths],
        ),
        cameras=len(sources),
        tracklets=len(paths),
        distractors=int(np.count_nonzero(shown == NOBODY)),
        tracking=TrackingReport.of(
            {camera: evaluate_tracking(trackable[camera], result[camera]) for camera in sources}
        ),
    )


def best_identities(session: Session, truth: Mapping[str, MotBoxes], *, cut: bool) -> list[Named]:
    """Everything given to whom it shows most: about the best that can be done with tracks that mix people.

    Of two parts of one camera at one time only the longer one is that person's; the other is left out.

    Args:
        session: A reading transaction.
        truth: As above.
        cut: Give parts of tracklets, as the journeys have them, instead of whole ones.
    """
    stored = JourneyRepository(session).placed().values()
    own: dict[int, list[Part]] = {}
    for place in stored if cut else ():
        own.setdefault(place.part.tracklet_no, []).append(place.part)
    found: list[Named] = []
    taken: dict[tuple[str, int], list[tuple[int, int]]] = {}
    seen = [
        (one, rows, part)
        for one, path in TrackletRepository(session).iter_paths()
        for part in own.get(one.tracklet_no, [_whole(one)])
        if len(rows := _rows_of(path, part))
    ]
    for one, rows, part in sorted(seen, key=lambda all_: (-len(all_[1]), all_[2])):
        person = identify(rows.frame_indices + 1, rows.boxes_px, truth[one.camera_id]).mostly
        first, last = int(rows.frame_indices[0]), int(rows.frame_indices[-1])
        others = taken.setdefault((one.camera_id, person), [])
        if person != NOBODY and not any(first <= end and start <= last for start, end in others):
            others.append((first, last))
            found.append(Named(part, person))
    return found


def _whole(stored: StoredTracklet) -> Part:
    return Part(stored.tracklet_no, 0, stored.start_s, stored.end_s)


def _rows_of(path: TrackPath, part: Part) -> TrackPath:
    """The part's own observations."""
    rows = (path.times_s >= part.start_s) & (path.times_s <= part.end_s)
    return TrackPath(path.frame_indices[rows], path.times_s[rows], path.boxes_px[rows], path.confidences[rows])


def _by_tracklet(stored: Iterable[StoredTracklet], named: Iterable[Named]) -> dict[int, list[Named]]:
    """What each tracklet is called; one that is missing by a number of its own."""
    found: dict[int, list[Named]] = {}
    for one in named:
        found.setdefault(one.part.tracklet_no, []).append(one)
    fresh = 1 + max((one.identity for own in found.values() for one in own), default=0)
    for place, alone in enumerate(own for own in stored if own.tracklet_no not in found):
        found[alone.tracklet_no] = [Named(_whole(alone), fresh + place)]
    return found


def _only_source(session: Session, camera_id: str) -> StoredSource:
    sources = SourceRepository(session).list(camera_id=camera_id)
    if len(sources) != 1:
        raise GroundTruthError(f"camera {camera_id!r} must have one video, it has {len(sources)}")
    return sources[0]


def _boxes(
    camera_id: str, paths: Iterable[tuple[StoredTracklet, TrackPath]], parts: Mapping[int, Iterable[Named]]
) -> MotBoxes:
    """Every stored observation of a camera under its identity; frames from 1."""
    own = [
        (one.identity, _rows_of(path, one.part))
        for stored, path in paths
        if stored.camera_id == camera_id and len(path)
        for one in parts[stored.tracklet_no]
    ]
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
