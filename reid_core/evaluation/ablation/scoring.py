"""The figures of one row: retrieval after each round, association of each round, re-match of the last model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.errors import GroundTruthError
from reid_core.evaluation.ablation.results import RoundResult, RowResult
from reid_core.evaluation.stored_site import score_retrieval
from reid_core.learning.rematch import rematch
from reid_core.metrics.association import score_association

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from reid_core.learning.crop_vectors import CropVectors
    from reid_core.metrics.ranking import RankingScores

__all__ = ["Learned", "LearnedRound", "score_row"]


@dataclass(frozen=True, slots=True, eq=False)
class LearnedRound:
    """Where a row stood after a round.

    Attributes:
        round_no: 0 after learning within cameras.
        vectors: Of all tracklets. Shape ``(N, d)``.
        rows_a: Pairs that the round trained on, one side; ``None`` for round 0. Shape ``(P,)``.
        rows_b: The other side.
    """

    round_no: int
    vectors: NDArray[np.floating]
    rows_a: NDArray[np.int64] | None = None
    rows_b: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What came of a row's training.

    Attributes:
        rounds: At least one, in order.
        crops: The last model's vectors of all crops.
        iterations: Training steps in all.
        seconds: What it took.
    """

    rounds: Sequence[LearnedRound]
    crops: CropVectors
    iterations: int
    seconds: float


def score_row(
    key: str,
    learned: Learned,
    *,
    person_ids: NDArray[np.int64],
    cameras: NDArray[np.int64],
    camera_ids: Sequence[str],
) -> RowResult:
    """Compare a row with the truth.

    Args:
        key: The row's.
        learned: What came of it.
        person_ids: Whom each tracklet shows. Shape ``(N,)``.
        cameras: Who saw it, as numbers. Shape ``(N,)``.
        camera_ids: The cameras' names.

    Raises:
        GroundTruthError: If nobody was seen by two cameras.
    """
    rankings = [_ranking(one.vectors, person_ids, cameras) for one in learned.rounds]
    rounds = [_round(one, ranking, person_ids, cameras) for one, ranking in zip(learned.rounds, rankings, strict=True)]
    last, found = rankings[-1], rematch(learned.crops).by_camera()
    return RowResult(
        key=key,
        rank1=last.rank(1),
        rank5=last.rank(5),
        rank10=last.rank(10),
        rank20=last.rank(20),
        map=last.map_rectangle,
        rounds=tuple(rounds),
        rematch={camera_ids[camera]: share for camera, share in found.items()},
        iterations=learned.iterations,
        seconds=round(learned.seconds, 1),
    )


def _ranking(vectors: NDArray[np.floating], person_ids: NDArray[np.int64], cameras: NDArray[np.int64]) -> RankingScores:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    ranking = score_retrieval(unit, person_ids, cameras.astype(str)).ranking
    if ranking is None:
        raise GroundTruthError("nobody was seen by two cameras, so there is nothing to rank")
    return ranking


def _round(
    one: LearnedRound, ranking: RankingScores, person_ids: NDArray[np.int64], cameras: NDArray[np.int64]
) -> RoundResult:
    rank1, mean_ap = ranking.rank(1), ranking.map_rectangle
    if one.rows_a is None or one.rows_b is None:
        return RoundResult(one.round_no, rank1, mean_ap)
    scores = score_association(one.rows_a, one.rows_b, person_ids=person_ids, cameras=cameras)
    pairs = scores.pairs
    return RoundResult(one.round_no, rank1, mean_ap, pairs.joined, pairs.precision, pairs.recall, scores.link_recall)
