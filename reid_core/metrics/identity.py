"""Identity measures: one track for one person over the whole sequence, at IoU 0.5.

Source:
    Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking", ECCV-W 2016;
    TrackEval's `Identity`. There the square problem with dummy rows is solved; the plain rectangular problem that
    maximises the shared boxes has the same optimum, since every box that is not shared is one miss or one false alarm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

if TYPE_CHECKING:
    from reid_core.metrics.alignment import AlignedSequence

__all__ = ["IdentityCounts", "count_identity"]

_MATCH_IOU = 0.5


@dataclass(frozen=True, slots=True)
class IdentityCounts:
    """Boxes that the best one-to-one assignment of tracks to people explains (``tp``), misses and invents."""

    tp: int
    fn: int
    fp: int

    def __add__(self, other: IdentityCounts) -> IdentityCounts:
        return IdentityCounts(self.tp + other.tp, self.fn + other.fn, self.fp + other.fp)

    @property
    def precision(self) -> float:
        """IDP in ``[0, 1]``."""
        return self.tp / max(1, self.tp + self.fp)

    @property
    def recall(self) -> float:
        """IDR in ``[0, 1]``."""
        return self.tp / max(1, self.tp + self.fn)

    @property
    def f1(self) -> float:
        """IDF1 in ``[0, 1]``."""
        return self.tp / max(1.0, self.tp + 0.5 * self.fp + 0.5 * self.fn)


def count_identity(sequence: AlignedSequence) -> IdentityCounts:
    """Assign tracks to people once for the whole sequence."""
    shared = np.zeros((len(sequence.true_counts), len(sequence.result_counts)))
    for frame in sequence.frames:
        rows, columns = np.nonzero(frame.iou >= _MATCH_IOU)
        shared[frame.true_ids[rows], frame.result_ids[columns]] += 1
    tp = int(shared[linear_sum_assignment(-shared)].sum())
    return IdentityCounts(tp, int(sequence.true_counts.sum()) - tp, int(sequence.result_counts.sum()) - tp)
