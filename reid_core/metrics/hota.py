"""Higher order tracking accuracy: detection and association in balance, over 19 thresholds of localisation.

Source:
    Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking", IJCV 2021; TrackEval's `HOTA`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from reid_core.metrics.alignment import EPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.metrics.alignment import AlignedSequence

__all__ = ["ALPHAS", "HotaCounts", "count_hota"]

ALPHAS = np.arange(0.05, 0.99, 0.05)


@dataclass(frozen=True, slots=True, eq=False)
class HotaCounts:
    """Sums from which every HOTA figure follows; counts of several sequences add up. Each has shape ``(19,)``.

    Attributes:
        tp: Matched boxes at each threshold.
        fn: True boxes without a match.
        fp: Result boxes without a match.
        association: Sum over matches of the association accuracy of the matched pair.
        localisation: Sum over matches of IoU.
    """

    tp: NDArray[np.float64]
    fn: NDArray[np.float64]
    fp: NDArray[np.float64]
    association: NDArray[np.float64]
    localisation: NDArray[np.float64]

    def __add__(self, other: HotaCounts) -> HotaCounts:
        return HotaCounts(
            self.tp + other.tp,
            self.fn + other.fn,
            self.fp + other.fp,
            self.association + other.association,
            self.localisation + other.localisation,
        )

    @property
    def deta(self) -> NDArray[np.float64]:
        """Detection accuracy at each threshold, in ``[0, 1]``."""
        return self.tp / np.maximum(1, self.tp + self.fn + self.fp)

    @property
    def assa(self) -> NDArray[np.float64]:
        """Association accuracy at each threshold, in ``[0, 1]``."""
        return self.association / np.maximum(1, self.tp)

    @property
    def loca(self) -> NDArray[np.float64]:
        """Mean IoU of the matches at each threshold, 1 where there is none."""
        return np.maximum(1e-10, self.localisation) / np.maximum(1e-10, self.tp)

    @property
    def hota(self) -> NDArray[np.float64]:
        """Geometric mean of both accuracies at each threshold."""
        return np.sqrt(self.deta * self.assa)


def count_hota(sequence: AlignedSequence) -> HotaCounts:
    """Match once a frame, globally aligned, and count at each threshold."""
    alignment = _global_alignment(sequence)
    pairs, ious = [np.zeros(0, np.intp)], [np.zeros(0)]
    for frame in sequence.frames:
        if frame.iou.size:
            score = alignment[np.ix_(frame.true_ids, frame.result_ids)] * frame.iou
            rows, columns = linear_sum_assignment(-score)
            pairs.append(frame.true_ids[rows] * alignment.shape[1] + frame.result_ids[columns])
            ious.append(frame.iou[rows, columns])
    pair, iou = np.concatenate(pairs), np.concatenate(ious)
    true_total, result_total = sequence.true_counts.sum(), sequence.result_counts.sum()
    tp, association, localisation = (np.zeros(len(ALPHAS)) for _ in range(3))
    for number, alpha in enumerate(ALPHAS):
        kept = iou >= alpha - EPS
        tp[number] = np.count_nonzero(kept)
        localisation[number] = iou[kept].sum()
        association[number] = _association(pair[kept], sequence)
    return HotaCounts(tp, true_total - tp, result_total - tp, association, localisation)


def _global_alignment(sequence: AlignedSequence) -> NDArray[np.float64]:
    """How well each person and each track go together over the whole sequence: a soft Jaccard index. ``(I, J)``."""
    shared = np.zeros((len(sequence.true_counts), len(sequence.result_counts)))
    for frame in sequence.frames:
        if frame.iou.size:
            union = frame.iou.sum(0)[None, :] + frame.iou.sum(1)[:, None] - frame.iou
            part = np.divide(frame.iou, union, out=np.zeros_like(union), where=union > EPS)
            shared[np.ix_(frame.true_ids, frame.result_ids)] += part
    alone = sequence.true_counts[:, None] + sequence.result_counts[None, :]
    aligned: NDArray[np.float64] = shared / (alone - shared)
    return aligned


def _association(pair: NDArray[np.intp], sequence: AlignedSequence) -> float:
    """Sum over matches of |TPA| / (|TPA| + |FNA| + |FPA|)."""
    pairs, together = np.unique(pair, return_counts=True)
    person, track = np.divmod(pairs, max(1, len(sequence.result_counts)))
    either = sequence.true_counts[person] + sequence.result_counts[track] - together
    return float(np.sum(together * (together / np.maximum(1, either))))
