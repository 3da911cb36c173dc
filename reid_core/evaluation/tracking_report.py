"""Tracking scores of several sequences, each for itself and all together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reid_core.evaluation.mot_files import read_tracks, require_people
from reid_core.metrics.tracking import TrackingScores, combine, evaluate_tracking

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reid_core.evaluation.sequence_pairs import SequencePair
    from reid_core.metrics.mot_boxes import MotBoxes

__all__ = ["COMBINED", "TrackingReport", "report_tracking"]

COMBINED = "COMBINED"


@dataclass(frozen=True, slots=True)
class TrackingReport:
    """Scores by sequence name, and combined by adding counts."""

    sequences: dict[str, TrackingScores]
    combined: TrackingScores

    @staticmethod
    def of(sequences: dict[str, TrackingScores]) -> TrackingReport:
        """The report of these sequences.

        Raises:
            ValueError: If there is none.
        """
        return TrackingReport(sequences, combine(list(sequences.values())))

    def as_dict(self) -> dict[str, object]:
        """The combined figures under their customary names, and the same for each of ``sequences``."""
        each = {name: scores.as_dict() for name, scores in self.sequences.items()}
        return {**self.combined.as_dict(), "sequences": each}

    def rows(self) -> list[dict[str, str | float | int]]:
        """One for each sequence and one of all together, named ``COMBINED``; every row has the same columns."""
        named = [*self.sequences.items(), (COMBINED, self.combined)]
        return [{"sequence": name, **scores.as_dict()} for name, scores in named]


def report_tracking(pairs: Iterable[SequencePair]) -> TrackingReport:
    """Read and score every pair; nothing is scored unless every file can be read.

    Raises:
        MotFileError: If a file cannot be used, nobody is to be found in the ground truth, or there is no pair.
    """
    chosen = list(pairs)
    read = [(pair.name, read_tracks(pair.ground_truth), read_tracks(pair.result)) for pair in chosen]
    require_people({str(pair.ground_truth): truth for pair, (_, truth, _) in zip(chosen, read, strict=True)})
    scores = {_unique(name, number, read): evaluate_tracking(t, r) for number, (name, t, r) in enumerate(read)}
    return TrackingReport.of(scores)


def _unique(name: str, number: int, read: list[tuple[str, MotBoxes, MotBoxes]]) -> str:
    """The name, with its number where several sequences are called the same."""
    return name if sum(other == name for other, _, _ in read) == 1 else f"{name}#{number + 1}"
