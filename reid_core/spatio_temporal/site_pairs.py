"""Pairs of a site's tracklets at different cameras, with how alike they look and how likely their times are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.spatio_temporal.constraints import impossible
from reid_core.spatio_temporal.yardstick import Yardstick

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from reid_core.spatio_temporal.sightings import Sightings

__all__ = ["SitePairs", "mutual_pairs", "site_pairs"]

_NEAREST = 256
_DRAWN = 512


@dataclass(frozen=True, slots=True, eq=False)
class SitePairs:
    """Pairs as searches see them: a query, and a candidate at another camera.

    Attributes:
        queries: Rows of the site's tracklets. Shape ``(P,)``, int64.
        answers: Rows of the candidates. Shape ``(P,)``, int64.
        standard: Standardised distances, each on its query's own yardstick. Shape ``(P,)``.
        weights: How many pairs each stands for: 1, more where only some of a query's far candidates were drawn.
            Shape ``(P,)``.
        forbidden: Whether times rule out one person. Shape ``(P,)``.
        yardstick: Of the site: the mean of the queries'.
        candidates: How many a query had on average.
    """

    queries: NDArray[np.int64]
    answers: NDArray[np.int64]
    standard: NDArray[np.float64]
    weights: NDArray[np.float64]
    forbidden: NDArray[np.bool_]
    yardstick: Yardstick
    candidates: float

    def folds(self, count: int) -> NDArray[np.int64]:
        """Parts the pairs in so many; a pair and its reverse go together. Shape ``(P,)``, from 0."""
        low, high = np.minimum(self.queries, self.answers), np.maximum(self.queries, self.answers)
        mixed: NDArray[np.int64] = (low * 1_000_003 + high * 7_919) % 104_729 % count
        return mixed


def site_pairs(
    vectors: NDArray[np.floating],
    sightings: Sightings,
    *,
    rng: np.random.Generator,
    most_queries: int = 2000,
    clock_uncertainty_s: float | NDArray[np.float64] = 2.0,
    overlapping_views: Collection[tuple[str, str]] = (),
) -> SitePairs:
    """What a calibration is fitted to.

    Of each query the nearest candidates are taken, and of the others some that are drawn and stand for all of them.

    Args:
        vectors: L2-normalised. Shape ``(N, d)``.
        sightings: Of the N tracklets, by corrected clocks.
        rng: Draws queries where there are too many, and far candidates.
        most_queries: At most so many.
        clock_uncertainty_s: As `impossible` has it.
        overlapping_views: As `impossible` has it.

    Raises:
        ValueError: If the lengths differ, or no query has two candidates at other cameras.
    """
    if len(vectors) != len(sightings):
        raise ValueError(f"{len(vectors)} vectors and {len(sightings)} sightings do not fit")
    rows = np.arange(len(vectors))
    if len(rows) > most_queries:
        rows = np.sort(rng.choice(rows, most_queries, replace=False))
    parts = [part for row in rows.tolist() if (part := _of_query(row, vectors, sightings.cameras, rng)) is not None]
    if not parts:
        raise ValueError("no tracklet has two others at other cameras to be compared with")
    queries = np.concatenate([np.full(len(one.answers), one.query) for one in parts])
    answers = np.concatenate([one.answers for one in parts])
    forbidden = np.concatenate(
        [
            impossible(
                sightings.take(np.array([one.query])),
                sightings.take(one.answers),
                clock_uncertainty_s=clock_uncertainty_s,
                overlapping_views=overlapping_views,
            )[0]
            for one in parts
        ]
    )
    return SitePairs(
        queries=queries,
        answers=answers,
        standard=np.concatenate([one.standard for one in parts]),
        weights=np.concatenate([one.weights for one in parts]),
        forbidden=forbidden,
        yardstick=Yardstick(
            float(np.mean([one.yardstick.mean_log for one in parts])),
            float(np.mean([one.yardstick.spread_log for one in parts])),
        ),
        candidates=float(np.mean([one.candidates for one in parts])),
    )


def mutual_pairs(pairs: SitePairs, cameras: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places of the pairs whose sides are each other's nearest among the tracklets of the other's camera.

    Only rows that were queries have a nearest one. Each pair is named once, by the smaller row as query.

    Args:
        pairs: Of a site.
        cameras: Of the site's tracklets. Shape ``(N,)``.
    """
    order = np.lexsort((pairs.standard, cameras[pairs.answers], pairs.queries))
    _, first = np.unique(np.stack([pairs.queries, cameras[pairs.answers]])[:, order], axis=1, return_index=True)
    best = order[first]
    named = set(zip(pairs.queries[best].tolist(), pairs.answers[best].tolist(), strict=True))
    mutual = [
        query < answer and (answer, query) in named
        for query, answer in zip(pairs.queries[best].tolist(), pairs.answers[best].tolist(), strict=True)
    ]
    return np.sort(best[np.array(mutual, np.bool_)])


@dataclass(frozen=True, slots=True, eq=False)
class _QueryPairs:
    query: int
    answers: NDArray[np.int64]
    standard: NDArray[np.float64]
    weights: NDArray[np.float64]
    yardstick: Yardstick
    candidates: int


def _of_query(
    row: int, vectors: NDArray[np.floating], cameras: NDArray[np.int64], rng: np.random.Generator
) -> _QueryPairs | None:
    elsewhere = np.flatnonzero(cameras != cameras[row])
    if len(elsewhere) < 2:
        return None
    distances = 1.0 - np.asarray(vectors[elsewhere] @ vectors[row], np.float64)
    yardstick = Yardstick.of(distances)
    weights = np.ones(len(elsewhere))
    if len(elsewhere) > _NEAREST + _DRAWN:
        order = np.argsort(distances, kind="stable")
        drawn = rng.choice(order[_NEAREST:], _DRAWN, replace=False)
        weights[drawn] = (len(elsewhere) - _NEAREST) / _DRAWN
        chosen = np.sort(np.concatenate([order[:_NEAREST], drawn]))
        candidates, elsewhere, distances, weights = (
            len(elsewhere),
            elsewhere[chosen],
            distances[chosen],
            weights[chosen],
        )
    else:
        candidates = len(elsewhere)
    return _QueryPairs(row, elsewhere, yardstick.standardise(distances), weights, yardstick, candidates)
