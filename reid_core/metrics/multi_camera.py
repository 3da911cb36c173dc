"""One identity for one person over all cameras: IDF1 across cameras and MCTA.

Cameras are named and their frames count on one clock: frame 12 of one is the moment of frame 12 of another. An id means
the same person at every camera, in the ground truth and in the result alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.metrics.alignment import align, refuse_twins
from reid_core.metrics.identity import IdentityCounts, count_identity
from reid_core.metrics.mcta import MctaCounts, count_mcta
from reid_core.metrics.mot_boxes import MotBoxes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["MultiCameraScores", "evaluate_multi_camera"]


@dataclass(frozen=True, slots=True)
class MultiCameraScores:
    """Scores of a result over all cameras together."""

    identity: IdentityCounts
    mcta_counts: MctaCounts

    def as_dict(self) -> dict[str, float | int]:
        """Every figure under its customary name: percent, except for the counts."""
        identity, counts = self.identity, self.mcta_counts
        return {
            "IDF1": 100 * identity.f1,
            "IDP": 100 * identity.precision,
            "IDR": 100 * identity.recall,
            "MCTA": 100 * counts.mcta,
            "detection": 100 * counts.detection,
            "tracking": 100 * counts.tracking,
            "handover": 100 * counts.handover,
            "within": counts.within,
            "within_mismatches": counts.within_mismatches,
            "across": counts.across,
            "across_mismatches": counts.across_mismatches,
            "GT": counts.true_boxes,
            "result": counts.result_boxes,
        }


def evaluate_multi_camera(ground_truth: Mapping[str, MotBoxes], result: Mapping[str, MotBoxes]) -> MultiCameraScores:
    """Score identities that hold over all cameras.

    IDF1 assigns tracks to people once, over the boxes of all cameras: a person who gets a new id at the next camera is
    right at one of them only. The rules for single boxes are those of `reid_core.metrics.alignment`.

    Args:
        ground_truth: Boxes with person ids, by camera.
        result: Boxes with track ids, by camera; a camera that is on one side only has no boxes on the other.

    Raises:
        ValueError: If one id appears twice in a frame of a camera.

    Example:
        >>> box = [[0, 0, 10, 20]]
        >>> truth = {"a": MotBoxes.of([1], [7], box), "b": MotBoxes.of([5], [7], box)}
        >>> result = {"a": MotBoxes.of([1], [1], box), "b": MotBoxes.of([5], [2], box)}
        >>> scores = evaluate_multi_camera(truth, result).as_dict()
        >>> scores["IDF1"], scores["MCTA"]  # one of two boxes; one of two steps across cameras
        (50.0, 50.0)

    Source:
        IDF1: Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking", ECCV
        Workshops 2016.
    """
    cameras = sorted({*ground_truth, *result})
    sides = [[side.get(camera, MotBoxes.none()) for camera in cameras] for side in (ground_truth, result)]
    for camera, truth, tracks in zip(cameras, *sides, strict=True):
        refuse_twins(truth, f"ground truth of {camera}")
        refuse_twins(tracks, f"result of {camera}")
    span = 1 + max((int(boxes.frames.max(initial=0)) for side in sides for boxes in side), default=0)
    truth, tracks = (_one_after_another(side, span) for side in sides)
    sequence = align(truth, tracks)
    views = np.union1d(truth.frames, tracks.frames)  # of all boxes, as the sequence has its frames
    return MultiCameraScores(
        count_identity(sequence), count_mcta(sequence, camera_nos=views // span, moments=views % span)
    )


def _one_after_another(cameras: Sequence[MotBoxes], span: int) -> MotBoxes:
    """All cameras' boxes as one sequence: camera c's frame f becomes ``c * span + f``."""
    if not cameras:
        return MotBoxes.none()
    return MotBoxes(
        frames=np.concatenate([boxes.frames + number * span for number, boxes in enumerate(cameras)]),
        ids=np.concatenate([boxes.ids for boxes in cameras]),
        boxes_px=np.concatenate([boxes.boxes_px for boxes in cameras]),
        confidences=np.concatenate([boxes.confidences for boxes in cameras]),
        classes=np.concatenate([boxes.classes for boxes in cameras]),
        visibility=np.concatenate([boxes.visibility for boxes in cameras]),
    )
