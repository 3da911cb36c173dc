"""A closer look at rankings than their figures: similarities, precision by recall, camera pairs, the lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from reid_core.evaluation.camera_pairs import CameraPairs, CameraPairSums
from reid_core.metrics.ranked_matches import ranks_at, rectangle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from reid_core.metrics.junk import JunkRule
    from reid_core.types import FloatArray

    Rows: TypeAlias = Callable[[int, int], FloatArray]

__all__ = ["Answer", "Inspection", "Searches", "ShownQuery", "Similarities", "inspect_searches", "queries_to_inspect"]

RECALLS = np.linspace(0, 1, 101)
_ANSWERS = 10
_BLOCK = 64
_VALUES_OF_A_QUERY = 500
_MOST_TO_SORT = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Searches:
    """Queries against a gallery, in a form that can be looked into.

    Attributes:
        distances: Rows of the distance matrix from ``(start, stop)``; comparable from query to query. ``(Q, G)``.
        rule: True matches and junk of each query.
        query_rows: What the caller calls each query. Shape ``(Q,)``.
        gallery_rows: What the caller calls each gallery entry. Shape ``(G,)``.
        query_cameras: Names. Shape ``(Q,)``.
        gallery_cameras: Names. Shape ``(G,)``.
    """

    distances: Rows
    rule: JunkRule
    query_rows: NDArray[np.int64]
    gallery_rows: NDArray[np.int64]
    query_cameras: NDArray[np.str_]
    gallery_cameras: NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Answer:
    """An entry of a ranking, by the caller's name for it."""

    row: int
    distance: float
    is_right: bool


@dataclass(frozen=True, slots=True)
class ShownQuery:
    """A query with its nearest answers, junk left out.

    Attributes:
        row: The caller's name for it.
        precision: Average precision, rectangle form.
        first_rank: Rank of the first true match.
        matches: How many true matches there are.
        nearest_match: The nearest true match.
        answers: At most ten, nearest first.
    """

    row: int
    precision: float
    first_rank: int
    matches: int
    nearest_match: Answer
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Similarities:
    """Distances from queries to gallery entries of the same person, and of others.

    Others are thinned evenly by rank, so that each query gives no more than a few hundred. Shapes ``(S,)``, ``(D,)``.
    """

    same: FloatArray
    different: FloatArray

    @property
    def auc(self) -> float:
        """Chance that a true match is nearer than somebody else, in ``[0, 1]``; ties count half."""
        order = np.sort(self.different)
        farther = len(order) - np.searchsorted(order, self.same, side="right")
        alike = np.searchsorted(order, self.same, side="right") - np.searchsorted(order, self.same, side="left")
        return float(np.mean(farther + alike / 2) / max(1, len(order)))


@dataclass(frozen=True, slots=True, eq=False)
class Inspection:
    """What was found.

    Attributes:
        queries: By the caller's name, in the order of the searches.
        similarities: Same and different people.
        precision: Mean over queries of the best precision at each of 101 recalls or beyond it. Shape ``(101,)``.
        pairs: Figures by camera pair; ``None`` where there are too many cameras to show.
    """

    queries: tuple[ShownQuery, ...]
    similarities: Similarities
    precision: NDArray[np.float64]
    pairs: CameraPairs | None


def queries_to_inspect(scored: NDArray[np.int64], *, at_most: int) -> NDArray[np.int64]:
    """Evenly chosen entries of a list, all of them where they are few.

    Example:
        >>> queries_to_inspect(np.arange(10), at_most=3).tolist()
        [0, 4, 9]
    """
    if len(scored) <= at_most:
        return scored
    return scored[np.linspace(0, len(scored) - 1, at_most).astype(np.int64)]


def inspect_searches(searches: Searches, *, most_cameras: int = 40) -> Inspection:
    """Look at every query once; each must have a true match.

    Args:
        searches: What to look into.
        most_cameras: Above so many cameras no camera pairs are told apart.

    Raises:
        ValueError: If there is no query, or one has no true match.
    """
    asking, answering = searches.query_cameras, searches.gallery_cameras
    cameras = len(np.unique(np.concatenate([asking, answering])))
    pairs = CameraPairSums(asking, answering) if cameras <= most_cameras else None
    looks = [_look(searches, query, values, pairs) for query, values in _rows(searches)]
    if not looks:
        raise ValueError("there is no query to look into")
    return Inspection(
        queries=tuple(look.shown for look in looks),
        similarities=Similarities(
            np.concatenate([look.same for look in looks]), np.concatenate([look.different for look in looks])
        ),
        precision=np.mean([look.precision for look in looks], axis=0),
        pairs=pairs.means() if pairs else None,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    shown: ShownQuery
    same: FloatArray
    different: FloatArray
    precision: NDArray[np.float64]


def _rows(searches: Searches) -> Iterable[tuple[int, FloatArray]]:
    for start in range(0, len(searches.query_rows), _BLOCK):
        stop = min(start + _BLOCK, len(searches.query_rows))
        yield from enumerate(searches.distances(start, stop), start)


def _look(searches: Searches, query: int, values: FloatArray, pairs: CameraPairSums | None) -> _Look:
    matches, junk = searches.rule.matches_and_junk(query)
    if not len(matches):
        raise ValueError(f"query {searches.query_rows[query]} has no true match")
    kept = np.ones(len(values), np.bool_)
    kept[junk] = False
    entries = np.flatnonzero(kept)
    right = np.zeros(len(values), np.bool_)
    right[matches] = True
    ranks = ranks_at(values[entries], np.searchsorted(entries, matches))
    if pairs is not None:
        pairs.add(query, values, entries=entries, matches=matches)
    nearest = entries[_nearest(values[entries])]
    best, *answers = (
        Answer(int(searches.gallery_rows[at]), float(values[at]), bool(right[at]))
        for at in (matches[np.argmin(values[matches])], *nearest)
    )
    row = int(searches.query_rows[query])
    return _Look(
        ShownQuery(row, rectangle(ranks), int(ranks[0]), len(ranks), best, tuple(answers)),
        values[matches],
        _thinned(values[entries[~right[entries]]]),
        _precision_at_recalls(ranks),
    )


def _nearest(values: FloatArray) -> NDArray[np.intp]:
    """Positions of the nearest few in order; equal distances by position."""
    if len(values) > 10 * _ANSWERS:
        few = np.flatnonzero(values <= np.partition(values, _ANSWERS)[_ANSWERS])
    else:
        few = np.arange(len(values))
    return few[np.argsort(values[few], kind="stable")][:_ANSWERS]


def _thinned(values: FloatArray) -> FloatArray:
    if len(values) <= _VALUES_OF_A_QUERY:
        return values
    ranked = np.sort(values[:: 1 + len(values) // _MOST_TO_SORT])
    return ranked[np.linspace(0, len(ranked) - 1, _VALUES_OF_A_QUERY).astype(np.int64)]


def _precision_at_recalls(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Best precision at each recall or beyond it."""
    found = np.arange(1, len(ranks) + 1)
    best = np.maximum.accumulate((found / ranks)[::-1])[::-1]
    wanted = np.ceil(RECALLS * len(ranks) - 1e-9).astype(np.int64)
    return np.asarray(best[np.maximum(wanted, 1) - 1], np.float64)
