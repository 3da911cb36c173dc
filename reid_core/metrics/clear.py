"""CLEAR MOT: misses, false alarms and identity switches at IoU 0.5.

Source:
    Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking Performance: The CLEAR MOT Metrics", EURASIP JIVP
    2008; TrackEval's `CLEAR`. As there, a match of the frame before is kept while it holds, and a frame in which either
    side has no box leaves the matches before it in force.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from reid_core.metrics.alignment import EPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.metrics.alignment import AlignedFrame, AlignedSequence

__all__ = ["ClearCounts", "count_clear", "match_frame"]

_MATCH_IOU = 0.5
_KEEP_BONUS = 1000.0
_NOBODY = -1


@dataclass(frozen=True, slots=True)
class ClearCounts:
    """Sums of one sequence or several.

    Attributes:
        tp: Matched boxes.
        fn: True boxes without a match.
        fp: Result boxes without a match.
        idsw: Identity switches: a person's match differs from the last one it had.
        frag: Times a person's matching was interrupted and came back.
        mostly_tracked: People matched in more than 80% of their frames.
        mostly_lost: People matched in less than 20% of their frames.
        people: True people in all.
        iou_sum: Sum of IoU over the matches.
    """

    tp: int
    fn: int
    fp: int
    idsw: int
    frag: int
    mostly_tracked: int
    mostly_lost: int
    people: int
    iou_sum: float

    def __add__(self, other: ClearCounts) -> ClearCounts:
        return ClearCounts(
            tp=self.tp + other.tp,
            fn=self.fn + other.fn,
            fp=self.fp + other.fp,
            idsw=self.idsw + other.idsw,
            frag=self.frag + other.frag,
            mostly_tracked=self.mostly_tracked + other.mostly_tracked,
            mostly_lost=self.mostly_lost + other.mostly_lost,
            people=self.people + other.people,
            iou_sum=self.iou_sum + other.iou_sum,
        )

    @property
    def mota(self) -> float:
        """Accuracy, at most 1 and without lower bound; 0 where there is no true box and no error."""
        return (self.tp - self.fp - self.idsw) / max(1, self.tp + self.fn)

    @property
    def motp(self) -> float:
        """Mean IoU of the matches, 0 without any."""
        return self.iou_sum / max(1, self.tp)


def count_clear(sequence: AlignedSequence) -> ClearCounts:
    """Walk the frames in order, keeping matches while they hold."""
    people = len(sequence.true_counts)
    last_track = np.full(people, _NOBODY)
    current_track = np.full(people, _NOBODY)
    matched_frames = np.zeros(people, np.int64)
    starts = np.zeros(people, np.int64)
    tp = idsw = 0
    iou_sum = 0.0
    for frame in sequence.frames:
        if not frame.iou.size:
            continue
        rows, columns = match_frame(frame, current_track)
        persons, tracks = frame.true_ids[rows], frame.result_ids[columns]
        idsw += int(np.count_nonzero((last_track[persons] != _NOBODY) & (last_track[persons] != tracks)))
        starts[persons] += current_track[persons] == _NOBODY
        last_track[persons] = tracks
        current_track[:] = _NOBODY
        current_track[persons] = tracks
        matched_frames[persons] += 1
        tp += len(persons)
        iou_sum += float(frame.iou[rows, columns].sum())
    share = matched_frames / np.maximum(1, sequence.true_counts)
    return ClearCounts(
        tp=tp,
        fn=int(sequence.true_counts.sum()) - tp,
        fp=int(sequence.result_counts.sum()) - tp,
        idsw=idsw,
        frag=int(np.maximum(starts - 1, 0).sum()),
        mostly_tracked=int(np.count_nonzero(share > 0.8)),
        mostly_lost=int(np.count_nonzero(share < 0.2)),
        people=people,
        iou_sum=iou_sum,
    )


def match_frame(frame: AlignedFrame, current_track: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Match one frame's boxes at IoU 0.5: first those that continue a match, then by overlap.

    Args:
        frame: At least one box on each side.
        current_track: The track that each person was matched with before, -1 for none. Shape ``(people,)``.

    Returns:
        Rows and columns of ``frame.iou`` that are matched.
    """
    continues = frame.result_ids[None, :] == current_track[frame.true_ids][:, None]
    score = np.where(frame.iou < _MATCH_IOU - EPS, 0.0, _KEEP_BONUS * continues + frame.iou)
    rows, columns = linear_sum_assignment(-score)
    matched = score[rows, columns] > EPS
    return rows[matched], columns[matched]
