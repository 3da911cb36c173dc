"""Identities over all cameras of a site, read from one MOTChallenge file a camera."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from reid_core.errors import MotFileError
from reid_core.evaluation.mot_files import read_tracks, require_people
from reid_core.evaluation.stored_site import identify
from reid_core.evaluation.tracking_report import TrackingReport
from reid_core.metrics.mot_boxes import PEDESTRIAN, MotBoxes
from reid_core.metrics.multi_camera import MultiCameraScores, evaluate_multi_camera
from reid_core.metrics.tracking import evaluate_tracking
from reid_core.metrics.tracklet_pairs import NOBODY, PairCounts, count_pairs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from reid_core.evaluation.sequence_pairs import SequencePair

__all__ = ["JourneysReport", "report_journeys"]


@dataclass(frozen=True, slots=True)
class JourneysReport:
    """Scores of identities that hold over all cameras.

    Attributes:
        scores: Box by box.
        pairs: Of tracklets, a tracklet being what one camera calls by one id; only pairs of different cameras.
        cameras: How many.
        tracklets: How many.
        distractors: Tracklets that show nobody in particular.
        tracking: Each camera for itself, by its name.
    """

    scores: MultiCameraScores
    pairs: PairCounts
    cameras: int
    tracklets: int
    distractors: int
    tracking: TrackingReport

    def as_dict(self) -> dict[str, float | int]:
        """Every figure: percent, except for the counts."""
        return {
            **self.scores.as_dict(),
            "pair_precision": 100 * self.pairs.precision,
            "pair_recall": 100 * self.pairs.recall,
            "pair_F1": 100 * self.pairs.f1,
            "true_pairs": self.pairs.true,
            "joined_pairs": self.pairs.joined,
            "right_pairs": self.pairs.right,
            "cameras": self.cameras,
            "tracklets": self.tracklets,
            "distractors": self.distractors,
        }

    def rows(self) -> list[dict[str, str | float | int]]:
        """One for each camera and one of all together; only the last one has the figures over all cameras.

        Columns are the camera's tracking figures; those over all cameras are named as in the JSON, after ``site_``.
        """
        overall = {f"site_{name}": value for name, value in self.as_dict().items()}
        rows = [
            {"camera": row["sequence"], **{name: value for name, value in row.items() if name != "sequence"}}
            for row in self.tracking.rows()
        ]
        return [*({**row, **dict.fromkeys(overall, "")} for row in rows[:-1]), {**rows[-1], **overall}]


def report_journeys(pairs: Iterable[SequencePair], *, offsets: Mapping[str, int] | None = None) -> JourneysReport:
    """Read and score all cameras together; nothing is scored unless every file can be read.

    Args:
        pairs: One for each camera, named as the camera.
        offsets: How many frames later than others a camera began, for those that did.

    Raises:
        MotFileError: If a file cannot be used, a camera is there twice, an offset is of no camera, or nobody is to be
            found in the ground truth.
    """
    truth: dict[str, MotBoxes] = {}
    result: dict[str, MotBoxes] = {}
    for pair in pairs:
        if pair.name in truth:
            raise MotFileError(f"camera {pair.name} is there twice")
        truth[pair.name], result[pair.name] = _read_truth(pair.ground_truth), read_tracks(pair.result)
    require_people(truth)
    for camera in offsets or {}:
        if camera not in truth:
            raise MotFileError(
                f"there is no camera {camera}, but an offset of it; there are {', '.join(sorted(truth))}"
            )
    people, identities, cameras = _tracklets(truth, result)
    return JourneysReport(
        scores=evaluate_multi_camera(_on_one_clock(truth, offsets), _on_one_clock(result, offsets)),
        pairs=count_pairs(people, identities, camera_ids=cameras),
        cameras=len(truth),
        tracklets=len(people),
        distractors=int(np.count_nonzero(people == NOBODY)),
        tracking=TrackingReport.of({camera: evaluate_tracking(truth[camera], result[camera]) for camera in truth}),
    )


def _on_one_clock(cameras: Mapping[str, MotBoxes], offsets: Mapping[str, int] | None) -> dict[str, MotBoxes]:
    if not offsets:
        return dict(cameras)
    earliest = min(offsets.get(camera, 0) for camera in cameras)
    return {
        camera: replace(boxes, frames=boxes.frames + offsets.get(camera, 0) - earliest)
        for camera, boxes in cameras.items()
    }


def _read_truth(path: Path) -> MotBoxes:
    boxes = read_tracks(path)
    if len(boxes) and boxes.ids.min() < 1:
        raise MotFileError(f"{path}: people are numbered from 1, found {boxes.ids.min()}")
    return boxes.take(np.argsort(boxes.frames, kind="stable"))


def _tracklets(
    truth: Mapping[str, MotBoxes], result: Mapping[str, MotBoxes]
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[str]]:
    """Person, identity and camera of what each camera calls by one id."""
    people, identities, cameras = [], [], []
    for camera, tracks in result.items():
        shown = truth[camera].take((truth[camera].classes == PEDESTRIAN) & (truth[camera].confidences != 0))
        boxes = tracks.take(np.argsort(tracks.frames, kind="stable"))
        for identity in np.unique(boxes.ids).tolist():
            own = boxes.ids == identity
            people.append(identify(boxes.frames[own], boxes.boxes_px[own], shown).person_id)
            identities.append(identity)
            cameras.append(camera)
    return np.array(people, np.int64), np.array(identities, np.int64), cameras
