"""A stored site's answers, as a search ranks them, against its ground truth: places and probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from reid_core.evaluation.stored_site import NOBODY, SiteRetrieval, score_ranked
from reid_core.metrics.calibration import expected_calibration_error
from reid_core.types import SearchFilter
from services.query.look_again import second_look
from services.query.stored_queries import stored_queries
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from reid_core.retrieval.fused import FusedSearch
    from reid_core.retrieval.index import FlatIndex
    from reid_core.retrieval.search import Query
    from services.query.live_index import LoadedGeneration

__all__ = ["AnswerScores", "score_answers", "score_reranked"]

_SHOWN = 10


@dataclass(frozen=True, slots=True, eq=False)
class AnswerScores:
    """What every search of a site by one of its tracklets came to.

    Attributes:
        retrieval: Places of the right answers.
        tracklet_nos: By rising number. Shape ``(N,)``.
        person_ids: Who each tracklet shows, 0 for a distractor. Shape ``(N,)``.
        log_odds: Of each pair of tracklets of different cameras, the query's row; NaN within one camera.
            Shape ``(N, N)``.
        truths: Whether both show one person. Shape ``(N, N)``.
    """

    retrieval: SiteRetrieval
    tracklet_nos: NDArray[np.int64]
    person_ids: NDArray[np.int64]
    log_odds: NDArray[np.float64]
    truths: NDArray[np.bool_]

    def shown(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Probabilities of the first ten answers of each search, and whether each was right."""
        order = np.argsort(-np.nan_to_num(self.log_odds, nan=-np.inf), axis=1, kind="stable")[:, :_SHOWN]
        odds = np.take_along_axis(self.log_odds, order, axis=1)
        rights = np.take_along_axis(self.truths, order, axis=1)
        told = np.isfinite(odds)
        return expit(odds[told]), rights[told]

    def calibration(self) -> dict[str, float]:
        """Expected calibration error of the answers that people see, and of all pairs."""
        told = np.isfinite(self.log_odds)
        probabilities, rights = self.shown()
        return {
            "ece": expected_calibration_error(probabilities, rights),
            "ece_all_pairs": expected_calibration_error(expit(self.log_odds[told]), self.truths[told]),
        }


def score_answers(session: Session, loaded: LoadedGeneration, people: Mapping[int, int]) -> AnswerScores | None:
    """Search for every tracklet among the other cameras' tracklets, as the service does without re-ranking.

    Args:
        session: A reading transaction.
        loaded: Who answers.
        people: Who each tracklet shows by its number, 0 for a distractor.

    Returns:
        ``None`` where the generation has no calibration or no vector.
    """
    if loaded.index is None or loaded.fused is None:
        return None
    asked = _Asked.of(session, loaded, people)
    rows = [_log_odds(loaded.index, loaded.fused, query, asked.numbers) for query in asked.queries]
    log_odds = np.stack(rows) if rows else np.zeros((0, 0))
    distances = np.where(np.isnan(log_odds), np.inf, -log_odds)
    return AnswerScores(
        asked.score(distances),
        asked.numbers,
        asked.person_ids,
        log_odds,
        (asked.person_ids[:, None] == asked.person_ids[None, :]) & (asked.person_ids[:, None] != NOBODY),
    )


def score_reranked(session: Session, loaded: LoadedGeneration, people: Mapping[int, int]) -> SiteRetrieval | None:
    """The same with re-ranking: places only, since it changes no probability.

    Returns:
        ``None`` where the generation has no calibration, no vector or no graph.
    """
    if loaded.index is None or loaded.fused is None or loaded.graph is None:
        return None
    asked = _Asked.of(session, loaded, people)
    ranks = np.full((len(asked.queries), len(asked.numbers)), np.inf)
    for row, query in enumerate(asked.queries):
        look, _ = second_look(loaded, query)
        found = loaded.fused.search(loaded.index, query, k=len(loaded.index), where=_elsewhere(query), second=look)
        ranks[row, np.searchsorted(asked.numbers, [match.tracklet_no for match in found.matches])] = [
            match.rank for match in found.matches
        ]
    return asked.score(ranks)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """Every tracklet as a query, by rising number."""

    queries: list[Query]
    numbers: NDArray[np.int64]
    person_ids: NDArray[np.int64]
    camera_ids: list[str]

    @staticmethod
    def of(session: Session, loaded: LoadedGeneration, people: Mapping[int, int]) -> _Asked:
        held = loaded.index or ()
        stored = [one for one in TrackletRepository(session).by_nos(people).values() if one.tracklet_no in held]
        stored.sort(key=lambda one: one.tracklet_no)
        numbers = np.array([one.tracklet_no for one in stored], np.int64)
        person_ids = np.array([people[number] for number in numbers.tolist()], np.int64)
        queries, _ = stored_queries(session, stored, loaded)
        return _Asked(queries, numbers, person_ids, [one.camera_id for one in stored])

    def score(self, distances: NDArray[np.float64]) -> SiteRetrieval:
        """Places of the right answers by distances of each query's row."""
        return score_ranked(lambda asked: distances[asked], self.person_ids, self.camera_ids)


def _elsewhere(query: Query) -> SearchFilter:
    return SearchFilter(exclude_camera_ids=frozenset({str(query.camera_id)}))


def _log_odds(index: FlatIndex, fused: FusedSearch, query: Query, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of each tracklet, NaN at the query's own camera. Shape ``(N,)``."""
    answer = fused.search(index, query, k=len(index), where=_elsewhere(query))
    odds = np.full(len(numbers), np.nan)
    for match in answer.matches:
        evidence = match.evidence
        total = answer.prior_log_odds + (evidence.visual_log_odds or 0.0) + (evidence.time_log_odds or 0.0)
        odds[np.searchsorted(numbers, match.tracklet_no)] = total
    return odds
