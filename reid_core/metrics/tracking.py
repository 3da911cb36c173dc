"""Scores of one camera's tracks against its ground truth: HOTA, CLEAR MOT and identity measures, as in TrackEval."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from reid_core.metrics.alignment import align
from reid_core.metrics.clear import ClearCounts, count_clear
from reid_core.metrics.hota import HotaCounts, count_hota
from reid_core.metrics.identity import IdentityCounts, count_identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reid_core.metrics.mot_boxes import MotBoxes

__all__ = ["TrackingScores", "combine", "evaluate_tracking"]


@dataclass(frozen=True, slots=True, eq=False)
class TrackingScores:
    """Scores of one sequence or of several together, kept as counts so that they can be combined without loss."""

    hota_counts: HotaCounts
    clear_counts: ClearCounts
    identity_counts: IdentityCounts

    @property
    def hota(self) -> float:
        """Percent, mean over the thresholds."""
        return 100 * float(self.hota_counts.hota.mean())

    @property
    def deta(self) -> float:
        """Percent, mean over the thresholds."""
        return 100 * float(self.hota_counts.deta.mean())

    @property
    def assa(self) -> float:
        """Percent, mean over the thresholds."""
        return 100 * float(self.hota_counts.assa.mean())

    @property
    def loca(self) -> float:
        """Percent, mean over the thresholds."""
        return 100 * float(self.hota_counts.loca.mean())

    @property
    def mota(self) -> float:
        """Percent; negative where errors outnumber the true boxes."""
        return 100 * self.clear_counts.mota

    @property
    def idf1(self) -> float:
        """Percent."""
        return 100 * self.identity_counts.f1

    @property
    def idsw(self) -> int:
        """Identity switches."""
        return self.clear_counts.idsw

    def as_dict(self) -> dict[str, float | int]:
        """Every figure under its customary name: percent, except for the counts."""
        clear, identity = self.clear_counts, self.identity_counts
        return {
            "HOTA": self.hota,
            "DetA": self.deta,
            "AssA": self.assa,
            "LocA": self.loca,
            "IDF1": self.idf1,
            "IDP": 100 * identity.precision,
            "IDR": 100 * identity.recall,
            "MOTA": self.mota,
            "MOTP": 100 * clear.motp,
            "IDSW": clear.idsw,
            "FP": clear.fp,
            "FN": clear.fn,
            "Frag": clear.frag,
            "MT": clear.mostly_tracked,
            "ML": clear.mostly_lost,
            "GT": clear.tp + clear.fn,
        }


def evaluate_tracking(ground_truth: MotBoxes, result: MotBoxes) -> TrackingScores:
    """Score one sequence by the rules that `reid_core.metrics.alignment` states.

    Args:
        ground_truth: Boxes with person ids.
        result: Boxes with track ids.

    Returns:
        The scores; an empty result is all misses, an empty ground truth all false alarms.

    Raises:
        ValueError: If one id appears twice in a frame.

    Example:
        >>> from reid_core.metrics.mot_boxes import MotBoxes
        >>> truth = MotBoxes.of([1, 2], [5, 5], [[0, 0, 10, 20], [2, 0, 12, 20]])
        >>> round(evaluate_tracking(truth, truth).hota, 6)
        100.0
    """
    sequence = align(ground_truth, result)
    return TrackingScores(count_hota(sequence), count_clear(sequence), count_identity(sequence))


def combine(scores: Sequence[TrackingScores]) -> TrackingScores:
    """Score of several sequences together: counts added, as TrackEval's COMBINED row (not a mean of percentages).

    Raises:
        ValueError: If there is nothing to combine.
    """
    if not scores:
        raise ValueError("no scores to combine")
    return TrackingScores(
        reduce(add, (score.hota_counts for score in scores)),
        reduce(add, (score.clear_counts for score in scores)),
        reduce(add, (score.identity_counts for score in scores)),
    )
