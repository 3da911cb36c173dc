"""What became of an ablation's rows: figures as stored, one JSON file a row."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reid_core.evaluation.ablation.rows import Row

__all__ = ["Ablation", "RoundResult", "RowResult"]


@dataclass(frozen=True, slots=True)
class RoundResult:
    """How things stood after one round.

    Attributes:
        round_no: 0 is the model that learned within cameras only.
        rank1: Retrieval across cameras after the round's training, in ``[0, 1]``.
        map: The same, mean average precision by rectangles.
        pairs: Associated pairs of the round; ``None`` for round 0, as the next three.
        precision: Of the pairs, in ``[0, 1]``.
        recall: Over all true pairs of tracklets of different cameras.
        link_recall: Over people and pairs of cameras.
    """

    round_no: int
    rank1: float
    map: float
    pairs: int | None = None
    precision: float | None = None
    recall: float | None = None
    link_recall: float | None = None


@dataclass(frozen=True, slots=True)
class RowResult:
    """The figures of one row; shares in ``[0, 1]``.

    Attributes:
        key: Which row.
        rank1: Retrieval across cameras by looks alone.
        rank5: The same.
        rank10: The same.
        rank20: The same.
        map: Mean average precision by rectangles.
        rounds: Round by round, from 0 where the row starts there.
        rematch: Within-camera rank-1 of tracklets cut in two, by camera.
        iterations: Training steps in all.
        seconds: What it took, without stages that it shares with another row.
    """

    key: str
    rank1: float
    rank5: float
    rank10: float
    rank20: float
    map: float
    rounds: tuple[RoundResult, ...]
    rematch: Mapping[str, float | None]
    iterations: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @staticmethod
    def from_dict(stored: Mapping[str, Any]) -> RowResult:
        """Inverse of `as_dict`.

        Raises:
            TypeError: If fields are missing or unknown.
        """
        return RowResult(**{**stored, "rounds": tuple(RoundResult(**one) for one in stored["rounds"])})


@dataclass(frozen=True, slots=True)
class Ablation:
    """All rows that were run.

    Attributes:
        title: The page's headline.
        facts: What was run on what, as names and values.
        rows: In the order of the tables.
        results: By key; a row may be missing.
        caution: What keeps these figures from being a result, such as a shortened training; empty for none.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    rows: Sequence[Row]
    results: Mapping[str, RowResult]
    caution: str = ""

    def finished(self) -> list[tuple[Row, RowResult]]:
        """Rows that have figures, in order."""
        return [(row, self.results[row.key]) for row in self.rows if row.key in self.results]
