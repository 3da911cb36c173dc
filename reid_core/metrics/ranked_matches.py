"""Figures of one ranking, from the ranks at which its true matches stand: both average precisions, CMC, mINP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "average_precision",
    "average_precision_trapezoid",
    "cmc",
    "inverse_negative_penalty",
    "ranks_at",
    "rectangle",
    "trapezoid",
]


def average_precision(ranked_pids: NDArray[np.int64], query_pid: int, *, junk: NDArray[np.bool_]) -> float:
    """Average precision of one query, step-wise: precision at each true match, averaged.

    Junk entries (same person, same camera) are removed, not counted as misses: they say nothing about recognition
    across cameras.

    Args:
        ranked_pids: Gallery person ids, nearest first. Shape ``(G,)``.
        query_pid: Person id of the query.
        junk: True where the gallery entry is ignored. Shape ``(G,)``.

    Returns:
        Average precision in ``(0, 1]``.

    Raises:
        ValueError: If the shapes differ, or no true match remains.

    Example:
        >>> average_precision(np.array([7, 3, 7, 7]), 7, junk=np.array([True, False, False, False]))
        0.5833333333333333

    Source:
        The rectangle rule, as in torchreid and fast-reid; see `average_precision_trapezoid` for the other one.
    """
    return rectangle(_ranks_in_list(ranked_pids, query_pid, junk))


def average_precision_trapezoid(ranked_pids: NDArray[np.int64], query_pid: int, *, junk: NDArray[np.bool_]) -> float:
    """Average precision of one query, with trapezoids: the mean of the precision at and just before each true match.

    Never higher than `average_precision`, of which arguments and errors are the same.

    Example:
        >>> junk = np.array([True, False, False, False])
        >>> round(average_precision_trapezoid(np.array([7, 3, 7, 7]), 7, junk=junk), 4)
        0.4167

    Source:
        Zheng et al., "Scalable Person Re-identification: A Benchmark", ICCV 2015, ``compute_AP.m``.
    """
    return trapezoid(_ranks_in_list(ranked_pids, query_pid, junk))


def inverse_negative_penalty(ranks: NDArray[np.int64]) -> float:
    """True matches over the rank of the last one, in ``(0, 1]``: the cost of finding them all.

    Source:
        Ye et al., "Deep Learning for Person Re-identification: A Survey and Outlook", TPAMI 2021.

    Example:
        >>> inverse_negative_penalty(np.array([1, 4]))
        0.5
    """
    return len(ranks) / int(ranks[-1])


def cmc(first_ranks: NDArray[np.int64], *, max_rank: int) -> NDArray[np.float64]:
    """Cumulative match characteristic: share of queries whose first true match stands at rank k or better.

    Args:
        first_ranks: Rank of each query's first true match, from 1. Shape ``(Q,)``.
        max_rank: Length of the curve.

    Returns:
        Shape ``(max_rank,)``, rising; entry 0 is rank-1.

    Raises:
        ValueError: If there is no query or no rank.

    Example:
        >>> cmc(np.array([1, 3]), max_rank=3).tolist()
        [0.5, 0.5, 1.0]
    """
    if not len(first_ranks) or max_rank < 1:
        raise ValueError(f"a curve needs queries and ranks, got {len(first_ranks)} queries and max_rank {max_rank}")
    curve: NDArray[np.float64] = np.mean(first_ranks[:, None] <= np.arange(1, max_rank + 1)[None, :], axis=0)
    return curve


def ranks_at(values: NDArray[np.floating], positions: NDArray[np.intp]) -> NDArray[np.int64]:
    """Ranks of some entries of a list of distances; only what is as near as the farthest of them is sorted.

    Args:
        values: Distances, smaller is nearer. Shape ``(G,)``.
        positions: The entries asked for. Shape ``(M,)``, not empty.

    Returns:
        Ranks from 1, rising; equal distances rank by position. Shape ``(M,)``.

    Example:
        >>> ranks_at(np.array([0.5, 0.2, 0.9, 0.5]), np.array([0, 3])).tolist()
        [2, 3]
    """
    wanted = values[positions]
    ordered = np.sort(values[values <= wanted.max()])
    nearer = np.searchsorted(ordered, wanted, side="left")
    alike = np.searchsorted(ordered, wanted, side="right") - nearer
    before = [
        np.count_nonzero(values[:at] == values[at]) if many > 1 else 0
        for at, many in zip(positions, alike, strict=True)
    ]
    return np.sort(nearer + np.asarray(before, np.int64) + 1)


def rectangle(ranks: NDArray[np.int64]) -> float:
    """Average precision by rectangles, from rising ranks of the true matches, from 1. ``(M,)``, not empty."""
    return float(np.mean(np.arange(1, len(ranks) + 1) / ranks))


def trapezoid(ranks: NDArray[np.int64]) -> float:
    """Average precision by trapezoids, from rising ranks of the true matches, from 1. ``(M,)``, not empty."""
    found = np.arange(1, len(ranks) + 1)
    before = np.where(ranks > 1, (found - 1) / np.maximum(ranks - 1, 1), 1.0)
    return float(np.mean((before + found / ranks) / 2))


def _ranks_in_list(ranked_pids: NDArray[np.int64], query_pid: int, junk: NDArray[np.bool_]) -> NDArray[np.int64]:
    if ranked_pids.shape != junk.shape or ranked_pids.ndim != 1:
        raise ValueError(f"ranked_pids {ranked_pids.shape} and junk {junk.shape} must be lists of one length")
    ranks = np.flatnonzero(ranked_pids[~junk] == query_pid).astype(np.int64) + 1
    if not len(ranks):
        raise ValueError(f"person {query_pid} has no true match in the ranking")
    return ranks
