"""How well rankings find the true matches: CMC, mean average precision in both definitions, mINP.

Everything follows from the ranks at which the true matches stand, after junk has been taken out. A query without a
true match is skipped and counted, never scored 0. Equal distances rank by gallery position.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from reid_core.metrics.ranked_matches import (
    average_precision,
    average_precision_trapezoid,
    cmc,
    inverse_negative_penalty,
    match_ranks,
    rectangle,
    trapezoid,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = [
    "JUNK_ID",
    "RankingScores",
    "SameCamera",
    "average_precision",
    "average_precision_trapezoid",
    "cmc",
    "evaluate_ranking",
]

JUNK_ID = -1
_BLOCK = 64

Distances: TypeAlias = "NDArray[np.floating] | Callable[[int, int], NDArray[np.floating]]"


class SameCamera(Enum):
    """Which gallery entries of the query's own camera are junk."""

    OWN_PERSON = "own person"
    EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True, eq=False)
class RankingScores:
    """Scores of a set of queries.

    Attributes:
        curve: CMC; entry k-1 is rank-k in ``[0, 1]``. Shape ``(max_rank,)``.
        map_rectangle: Mean of `average_precision`.
        map_trapezoid: Mean of `average_precision_trapezoid`.
        minp: Mean of `inverse_negative_penalty`.
        queries: Positions of the queries that were scored. Shape ``(Q',)``.
        precisions: Rectangle average precision of each of them. Shape ``(Q',)``.
        first_ranks: Rank of the first true match of each of them. Shape ``(Q',)``.
        skipped: Queries without a true match.
    """

    curve: NDArray[np.float64]
    map_rectangle: float
    map_trapezoid: float
    minp: float
    queries: NDArray[np.int64]
    precisions: NDArray[np.float64]
    first_ranks: NDArray[np.int64]
    skipped: int

    def rank(self, k: int) -> float:
        """Share of queries with a true match among the first k, in ``[0, 1]``; beyond the curve its last value."""
        return float(self.curve[min(k, len(self.curve)) - 1])


def evaluate_ranking(
    distances: Distances,
    *,
    query_ids: NDArray[np.int64],
    gallery_ids: NDArray[np.int64],
    query_cameras: NDArray[np.generic],
    gallery_cameras: NDArray[np.generic],
    same_camera: SameCamera = SameCamera.OWN_PERSON,
    max_rank: int = 50,
) -> RankingScores:
    """Score rankings given as distances.

    Args:
        distances: Shape ``(Q, G)``, or a function of ``(start, stop)`` that makes those rows, so that the whole
            matrix never has to exist.
        query_ids: Person of each query, positive. Shape ``(Q,)``.
        gallery_ids: Person of each gallery entry; ``JUNK_ID`` is removed, any other id that no query has (0 by custom)
            is a distractor and stays. Shape ``(G,)``.
        query_cameras: Shape ``(Q,)``.
        gallery_cameras: Shape ``(G,)``.
        same_camera: What of the query's own camera is removed: its own person (Market-1501), or everybody.
        max_rank: Length of the CMC curve.

    Returns:
        The scores over all queries that have a true match left.

    Raises:
        ValueError: If shapes differ, a distance is not a number, a query's id is not positive, or no query has a match.
    """
    _check_ids(query_ids, gallery_ids, query_cameras, gallery_cameras)
    ranks: dict[int, NDArray[np.int64]] = {}
    for start in range(0, len(query_ids), _BLOCK):
        stop = min(start + _BLOCK, len(query_ids))
        for row, values in enumerate(_block(distances, start, stop, (len(query_ids), len(gallery_ids))), start):
            matches = gallery_ids == query_ids[row]
            own = gallery_cameras == query_cameras[row]
            kept = gallery_ids != JUNK_ID
            kept &= ~(own & matches) if same_camera is SameCamera.OWN_PERSON else ~own
            if (matches & kept).any():
                ranks[row] = match_ranks(values, matches=matches, kept=kept)
    return _scores(ranks, len(query_ids), max_rank)


def _scores(ranks: dict[int, NDArray[np.int64]], query_count: int, max_rank: int) -> RankingScores:
    if not ranks:
        raise ValueError(f"none of {query_count} queries has a true match in the gallery")
    precisions = np.array([rectangle(row) for row in ranks.values()])
    first_ranks = np.array([row[0] for row in ranks.values()], np.int64)
    return RankingScores(
        curve=cmc(first_ranks, max_rank=max_rank),
        map_rectangle=float(precisions.mean()),
        map_trapezoid=float(np.mean([trapezoid(row) for row in ranks.values()])),
        minp=float(np.mean([inverse_negative_penalty(row) for row in ranks.values()])),
        queries=np.array(list(ranks), np.int64),
        precisions=precisions,
        first_ranks=first_ranks,
        skipped=query_count - len(ranks),
    )


def _check_ids(
    query_ids: NDArray[np.int64],
    gallery_ids: NDArray[np.int64],
    query_cameras: NDArray[np.generic],
    gallery_cameras: NDArray[np.generic],
) -> None:
    if query_ids.shape != query_cameras.shape or gallery_ids.shape != gallery_cameras.shape:
        raise ValueError(
            f"ids and cameras differ in length: queries {query_ids.shape} and {query_cameras.shape}, "
            f"gallery {gallery_ids.shape} and {gallery_cameras.shape}"
        )
    if len(query_ids) and query_ids.min() <= 0:
        raise ValueError(f"a query's person id must be positive, got {query_ids.min()}")


def _block(distances: Distances, start: int, stop: int, shape: tuple[int, int]) -> NDArray[np.floating]:
    if callable(distances):
        block = distances(start, stop)
    elif distances.shape == shape:
        block = distances[start:stop]
    else:
        raise ValueError(f"distances must have shape {shape}, got {distances.shape}")
    if block.shape != (stop - start, shape[1]):
        raise ValueError(f"distances of rows {start} to {stop} must have {shape[1]} columns, got {block.shape}")
    if np.isnan(block).any():
        raise ValueError(f"distances of rows {start} to {stop} hold values that are not numbers")
    return block
