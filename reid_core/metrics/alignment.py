"""Ground truth and result laid side by side, frame by frame, as MOTChallenge scores them.

Rules (those of TrackEval's ``MotChallenge2DBox``): a result box that matches a distractor of the ground truth (a
person on a vehicle, a static person, a reflection ...) at IoU 0.5 is dropped, neither right nor wrong; then all ground
truth is dropped that is not a pedestrian or is marked with confidence 0. Where the ground truth has no classes (MOT15)
only the mark counts, and a result on a marked box is a false positive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from reid_core.geometry import iou_matrix
from reid_core.metrics.mot_boxes import DISTRACTOR, PEDESTRIAN

if TYPE_CHECKING:
    from reid_core.metrics.mot_boxes import MotBoxes

__all__ = ["AlignedFrame", "AlignedSequence", "align", "refuse_twins"]

EPS = float(np.finfo(np.float64).eps)
_PERSON_ON_VEHICLE, _STATIC_PERSON, _REFLECTION = 2, 7, 12
_DISTRACTORS = (_PERSON_ON_VEHICLE, _STATIC_PERSON, DISTRACTOR, _REFLECTION)
_DROP_IOU = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class AlignedFrame:
    """One frame.

    Attributes:
        true_ids: Contiguous numbers of the true people. Shape ``(n,)``.
        result_ids: Contiguous numbers of the result's tracks. Shape ``(m,)``.
        iou: Overlaps. Shape ``(n, m)``.
    """

    true_ids: NDArray[np.intp]
    result_ids: NDArray[np.intp]
    iou: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class AlignedSequence:
    """A sequence ready for scoring; ``true_counts[i]`` and ``result_counts[j]`` are boxes of one person or track."""

    frames: tuple[AlignedFrame, ...]
    true_counts: NDArray[np.int64]
    result_counts: NDArray[np.int64]


def align(ground_truth: MotBoxes, result: MotBoxes) -> AlignedSequence:
    """Lay result over ground truth.

    Args:
        ground_truth: Boxes with person ids.
        result: Boxes with track ids; frames in which the ground truth has nobody count as well.

    Returns:
        Every frame that holds a box of either side, in order.

    Raises:
        ValueError: If one id appears twice in a frame.
    """
    refuse_twins(ground_truth, "ground truth")
    refuse_twins(result, "result")
    truth_rows = _rows_by_frame(ground_truth)
    result_rows = _rows_by_frame(result)
    nothing = np.zeros(0, np.intp)
    pieces = []
    for frame in sorted(truth_rows.keys() | result_rows.keys()):
        rows_t, rows_r = truth_rows.get(frame, nothing), result_rows.get(frame, nothing)
        iou = np.asarray(iou_matrix(ground_truth.boxes_px[rows_t], result.boxes_px[rows_r]), np.float64)
        pieces.append(_scored_rows(ground_truth, rows_t, rows_r, iou))
    return _renumbered(ground_truth, result, pieces)


def refuse_twins(boxes: MotBoxes, what: str) -> None:
    """Refuse boxes of which two have one id in one frame; ``what`` names them.

    Raises:
        ValueError: If an id appears twice in a frame.
    """
    order = np.lexsort((boxes.ids, boxes.frames))
    frames, ids = boxes.frames[order], boxes.ids[order]
    twins = np.flatnonzero((np.diff(frames) == 0) & (np.diff(ids) == 0))
    if len(twins):
        raise ValueError(f"{what}: id {ids[twins[0]]} appears twice in frame {frames[twins[0]]}")


def _rows_by_frame(boxes: MotBoxes) -> dict[int, NDArray[np.intp]]:
    if not len(boxes):
        return {}
    order = np.argsort(boxes.frames, kind="stable")
    frames, starts = np.unique(boxes.frames[order], return_index=True)
    return dict(zip(frames.tolist(), np.split(order, starts[1:]), strict=True))


_Piece = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]


def _scored_rows(
    truth: MotBoxes, rows_t: NDArray[np.intp], rows_r: NDArray[np.intp], iou: NDArray[np.float64]
) -> _Piece:
    distractor = np.isin(truth.classes[rows_t], _DISTRACTORS)
    keep_r = np.ones(len(rows_r), np.bool_)
    if distractor.any() and len(rows_r):
        score = np.where(iou < _DROP_IOU - EPS, 0.0, iou)
        matched_t, matched_r = linear_sum_assignment(-score)
        keep_r[matched_r[(score[matched_t, matched_r] > EPS) & distractor[matched_t]]] = False
    keep_t = (truth.classes[rows_t] == PEDESTRIAN) & (truth.confidences[rows_t].astype(np.int64) != 0)
    return rows_t[keep_t], rows_r[keep_r], iou[np.ix_(keep_t, keep_r)]


def _renumbered(truth: MotBoxes, result: MotBoxes, pieces: list[_Piece]) -> AlignedSequence:
    true_numbers, true_counts = _contiguous(truth.ids, [rows for rows, _, _ in pieces])
    result_numbers, result_counts = _contiguous(result.ids, [rows for _, rows, _ in pieces])
    frames = tuple(
        AlignedFrame(true_ids, result_ids, iou)
        for true_ids, result_ids, (_, _, iou) in zip(true_numbers, result_numbers, pieces, strict=True)
    )
    return AlignedSequence(frames, true_counts, result_counts)


def _contiguous(
    ids: NDArray[np.int64], rows: list[NDArray[np.intp]]
) -> tuple[list[NDArray[np.intp]], NDArray[np.int64]]:
    if not rows:
        return [], np.zeros(0, np.int64)
    _, numbers, counts = np.unique(ids[np.concatenate(rows)], return_inverse=True, return_counts=True)
    ends = np.cumsum([len(part) for part in rows])[:-1]
    return np.split(numbers.astype(np.intp), ends), counts.astype(np.int64)
