"""One search's query, how it is measured, and what was found for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from reid_core.spatio_temporal.bodies import MARKS
from reid_core.spatio_temporal.fusion import Judgement
from reid_core.spatio_temporal.sightings import Sightings
from reid_core.types import SearchFilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.retrieval.index import FlatIndex
    from reid_core.retrieval.reference import Reference
    from reid_core.retrieval.rows import Hits
    from reid_core.retrieval.search import Query
    from reid_core.retrieval.second_look import Refinement
    from reid_core.spatio_temporal.fusion import Yardsticks
    from reid_core.types import FloatArray, Match

__all__ = ["Case", "Found", "candidates_of", "sighting_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One search: the query, how it is measured, and whether its place and time count."""

    query: Query
    yardsticks: Yardsticks
    prior_log_odds: float
    uses_time: bool
    refinement: Refinement | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Tracklets and what speaks for them.

    Attributes:
        hits: The tracklets.
        visual_ranks: By looks alone, 0: far behind. Shape ``(n,)``.
        judgement: Their probabilities.
        gains: By how much the second look moves each in the order, in nats; 0 without one. Shape ``(n,)``.
        refined: Distances of the second look, NaN without one. Shape ``(n,)``.
        plain_ranks: In the order of probability alone. Shape ``(n,)``.
    """

    hits: Hits
    visual_ranks: NDArray[np.int64]
    judgement: Judgement
    gains: NDArray[np.float64]
    refined: FloatArray
    plain_ranks: NDArray[np.int64]

    @staticmethod
    def of(case: Case, hits: Hits, visual_ranks: NDArray[np.int64], judgement: Judgement) -> Found:
        """What was found, with what a second look says of it."""
        plain_ranks = np.empty(len(hits), np.int64)
        plain_ranks[_order(hits, judgement.log_odds)] = np.arange(1, len(hits) + 1)
        if case.refinement is None:
            nothing = np.full(len(hits), np.nan, np.float32)
            return Found(hits, visual_ranks, judgement, np.zeros(len(hits)), nothing, plain_ranks)
        gains, refined = case.refinement.gains(hits, judgement.visual)
        return Found(hits, visual_ranks, judgement, gains, refined, plain_ranks)

    @property
    def scores(self) -> NDArray[np.float64]:
        """By which the answers are put in order, in nats. Shape ``(n,)``."""
        scores: NDArray[np.float64] = self.judgement.log_odds + self.gains
        return scores

    def take(self, rows: NDArray[np.int64]) -> Found:
        """Some of them, in the order given."""
        judged = self.judgement
        return Found(
            self.hits.take(rows),
            self.visual_ranks[rows],
            Judgement(judged.visual[rows], judged.time[rows], judged.prior_log_odds),
            self.gains[rows],
            self.refined[rows],
            self.plain_ranks[rows],
        )

    def in_order(self, k: int) -> Found:
        """The best ``k``: by score, equal ones by distance, then by number."""
        return self.take(_order(self.hits, self.scores)[:k])

    def explained(self, matches: list[Match]) -> list[Match]:
        """The matches of all rows, each with what moved it."""
        judged = self.judgement
        parts = (judged.visual, judged.time, judged.probabilities, self.visual_ranks, self.refined, self.plain_ranks)
        return [
            replace(
                match,
                evidence=replace(
                    match.evidence,
                    visual_log_odds=visual,
                    time_log_odds=None if np.isnan(time) else time,
                    probability=probability,
                    visual_rank=rank or None,
                    refined_distance=None if np.isnan(refined) else refined,
                    plain_rank=None if np.isnan(refined) else plain,
                ),
            )
            for match, visual, time, probability, rank, refined, plain in zip(
                matches, *(part.tolist() for part in parts), strict=True
            )
        ]


def _order(hits: Hits, scores: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.lexsort((hits.tracklet_nos, hits.distances, -scores))


def candidates_of(index: FlatIndex, query: Query, reference: Reference, span_s: float | None) -> int:
    """Tracklets at other cameras; where times are known, only those within as long a span as the fit had.

    The span lies around the query, or as near to it as what is stored reaches.
    """
    own = frozenset() if query.camera_id is None else frozenset({query.camera_id})
    where = SearchFilter(exclude_camera_ids=own)
    if span_s is None or query.start_s is None or query.end_s is None or np.isnan(reference.first_s):
        return index.count(where)
    latest_s = max(reference.first_s, reference.last_s - span_s)
    from_s = min(max((query.start_s + query.end_s - span_s) / 2, reference.first_s), latest_s)
    return index.count(replace(where, start_s=from_s, end_s=from_s + span_s))


def sighting_of(query: Query, cameras: tuple[str, ...]) -> Sightings:
    """Where and when the query was seen, as one sighting."""
    return Sightings(
        cameras,
        np.array([cameras.index(str(query.camera_id))]),
        np.array([np.nan if query.start_s is None else query.start_s]),
        np.array([np.nan if query.end_s is None else query.end_s]),
        np.array([(np.nan, np.nan) if query.entry is None else query.entry]),
        np.array([(np.nan, np.nan) if query.exit is None else query.exit]),
        np.full((1, MARKS), np.nan) if query.body is None else query.body[None],
    )
