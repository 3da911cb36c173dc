"""How well rankings find the true matches: CMC, mean average precision in both definitions, mINP.

Everything follows from the ranks at which the true matches stand, after junk has been taken out. A query without a
true match is skipped and counted, never scored 0. Equal distances rank by gallery position.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from reid_core.metrics.junk import JUNK_ID, Clothes, JunkRule, SameCamera
from reid_core.metrics.ranked_matches import (
    average_precision,
    average_precision_trapezoid,
    cmc,
    inverse_negative_penalty,
    ranks_at,
    rectangle,
    trapezoid,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

__all__ = [
    "JUNK_ID",
    "Clothes",
    "RankingScores",
    "SameCamera",
    "average_precision",
    "average_precision_trapezoid",
    "cmc",
    "evaluate_ranking",
]

_BLOCK_VALUES = 1 << 24
_MAX_BLOCK = 256

Distances: TypeAlias = "NDArray[np.floating] | Callable[[int, int], NDArray[np.floating]]"


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
        precisions_trapezoid: The same with trapezoids. Shape ``(Q',)``.
        inverse_penalties: `inverse_negative_penalty` of each of them. Shape ``(Q',)``.
        first_ranks: Rank of the first true match of each of them. Shape ``(Q',)``.
        skipped: Queries without a true match.
    """

    curve: NDArray[np.float64]
    map_rectangle: float
    map_trapezoid: float
    minp: float
    queries: NDArray[np.int64]
    precisions: NDArray[np.float64]
    precisions_trapezoid: NDArray[np.float64]
    inverse_penalties: NDArray[np.float64]
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
    query_clothes: NDArray[np.generic] | None = None,
    gallery_clothes: NDArray[np.generic] | None = None,
    clothes: Clothes = Clothes.ANY,
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
        query_clothes: Outfit of each query; needed unless ``clothes`` is ``ANY``. Shape ``(Q,)``.
        gallery_clothes: Outfit of each gallery entry. Shape ``(G,)``.
        clothes: Which outfits of the query's own person are removed.
        max_rank: Length of the CMC curve.

    Returns:
        The scores over all queries that have a true match left.

    Raises:
        ValueError: If shapes differ, clothes are missing, a distance is not a number, a query's id is not positive, or
            no query has a match.
    """
    rule = JunkRule(
        query_ids, gallery_ids, query_cameras, gallery_cameras, same_camera, query_clothes, gallery_clothes, clothes
    )
    ranks: dict[int, NDArray[np.int64]] = {}
    for row, values in _rows(distances, (len(query_ids), len(gallery_ids))):
        matches, junk = rule.matches_and_junk(row)
        if len(matches):
            ranks[row] = _ranks_without(values, matches, junk)
    return _scores(ranks, len(query_ids), max_rank)


def _ranks_without(
    values: NDArray[np.floating], matches: NDArray[np.intp], junk: NDArray[np.intp]
) -> NDArray[np.int64]:
    """Ranks of the matches once the junk is taken out; both are rising positions."""
    if not len(junk):
        return ranks_at(values, matches)
    return ranks_at(np.delete(values, junk), matches - np.searchsorted(junk, matches))


def _scores(ranks: dict[int, NDArray[np.int64]], query_count: int, max_rank: int) -> RankingScores:
    if not ranks:
        raise ValueError(f"none of {query_count} queries has a true match in the gallery")
    precisions = np.array([rectangle(row) for row in ranks.values()])
    trapezoids = np.array([trapezoid(row) for row in ranks.values()])
    penalties = np.array([inverse_negative_penalty(row) for row in ranks.values()])
    first_ranks = np.array([row[0] for row in ranks.values()], np.int64)
    return RankingScores(
        curve=cmc(first_ranks, max_rank=max_rank),
        map_rectangle=float(precisions.mean()),
        map_trapezoid=float(trapezoids.mean()),
        minp=float(penalties.mean()),
        queries=np.array(list(ranks), np.int64),
        precisions=precisions,
        precisions_trapezoid=trapezoids,
        inverse_penalties=penalties,
        first_ranks=first_ranks,
        skipped=query_count - len(ranks),
    )


def _rows(distances: Distances, shape: tuple[int, int]) -> Iterator[tuple[int, NDArray[np.floating]]]:
    step = max(1, min(_MAX_BLOCK, _BLOCK_VALUES // max(shape[1], 1)))
    for start in range(0, shape[0], step):
        stop = min(start + step, shape[0])
        yield from enumerate(_block(distances, start, stop, shape), start)


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
