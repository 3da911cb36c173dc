"""Search by looks and times together: ranked by probability, exactly, without judging all tracklets of a large site."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from reid_core.retrieval.cases import Case, Found, candidates_of, sighting_of
from reid_core.retrieval.reference import ReferenceShelf
from reid_core.retrieval.rows import Hits
from reid_core.retrieval.search import matches_of, not_itself
from reid_core.retrieval.second_look import Refinement
from reid_core.spatio_temporal.fusion import judge, longest_prefix
from reid_core.spatio_temporal.sightings import Sightings
from reid_core.spatio_temporal.windows import WindowTable
from reid_core.types import SearchFilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.retrieval.index import FlatIndex
    from reid_core.retrieval.search import CropVectorsOf, Query
    from reid_core.retrieval.second_look import SecondLook
    from reid_core.spatio_temporal.calibration_model import Calibration
    from reid_core.spatio_temporal.fusion import Judgement
    from reid_core.spatio_temporal.transit_model import TransitModel
    from reid_core.types import Match

__all__ = ["FusedAnswer", "FusedSearch"]

_SHORTLIST = 256
_SHORTLIST_FOR_EACH = 4
_GROWTH = 4


@dataclass(frozen=True, slots=True, eq=False)
class FusedAnswer:
    """Answers by falling probability.

    Attributes:
        matches: With both parts of their evidence.
        prior_log_odds: Of any candidate of this search, before anything was known of it.
        uses_time: Whether the query's place and time were weighed.
        reranked: Whether a second look put them in order.
    """

    matches: list[Match]
    prior_log_odds: float
    uses_time: bool
    reranked: bool = False


class FusedSearch:
    """Ranks one generation's index by calibrated probability; safe to share between threads.

    A visual shortlist is judged together with all tracklets whose times could speak for the query. What is outside of
    both looks less alike than the whole shortlist and has little or no time in its favour: the order is proved as soon
    as the last answer beats the best that such a tracklet could reach. Until then the shortlist grows fourfold.

    Args:
        calibration: Of the generation's model.
        transit: Of the generation, ``None`` where it has none.
    """

    def __init__(self, calibration: Calibration, transit: TransitModel | None = None) -> None:
        self.calibration = calibration
        self.transit = transit
        self._windows = None if transit is None else WindowTable(transit)
        self._references = ReferenceShelf()

    @property
    def knows_places(self) -> bool:
        """Whether it matters what paths tell: where in the picture people come and go, how tall and fast they are."""
        if self.transit is None:
            return False
        return self.transit.physique is not None or any(len(zones) > 1 for zones in self.transit.zones.values())

    def search(
        self,
        index: FlatIndex,
        query: Query,
        *,
        k: int,
        where: SearchFilter,
        use_time: bool = True,
        max_error_rate: float | None = None,
        crop_vectors_of: CropVectorsOf | None = None,
        second: SecondLook | None = None,
    ) -> FusedAnswer:
        """The tracklets most probably of the query's person.

        Args:
            index: Holds vectors of the calibration's model.
            query: Who is looked for; its own tracklets are never returned.
            k: At most this many answers.
            where: Which tracklets may be returned.
            use_time: Weigh the query's place and time, if it has them.
            max_error_rate: Return only so many answers that this share of them is expected to be false.
            crop_vectors_of: Fetches the embedded crops of the answers.
            second: A second look by which they are re-ranked; it changes their order and no probability.

        Raises:
            ValueError: If ``k`` is below 1, the rate lies outside ``[0, 1]`` or the query does not fit the index.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        near = None
        if second is not None:
            near = index.nearest(query.vector, _shortest(k), where=not_itself(SearchFilter(), query))
            second.hear(near)
        case = self._case(index, query, use_time=use_time, second=second)
        found = self._best(index, case, k, not_itself(where, query), None if where != SearchFilter() else near)
        if max_error_rate is not None:
            found = found.take(np.arange(longest_prefix(found.judgement.probabilities, max_error_rate)))
        matches = matches_of(found.hits, query, crop_vectors_of)
        return FusedAnswer(
            found.explained(matches), case.prior_log_odds, case.uses_time, reranked=case.refinement is not None
        )

    def _case(self, index: FlatIndex, query: Query, *, use_time: bool, second: SecondLook | None) -> Case:
        reference = self._references.of(index)
        has_place_and_time = query.camera_id is not None and query.start_s is not None and query.end_s is not None
        return Case(
            query=query,
            yardsticks=reference.yardsticks(query, prior=self.calibration.curve.yardstick),
            prior_log_odds=self.calibration.prior_of(candidates_of(index, query, reference, self.calibration.span_s)),
            uses_time=use_time and has_place_and_time and self.transit is not None,
            refinement=None if second is None else Refinement.of(second, self.calibration, query, reference),
        )

    def _best(self, index: FlatIndex, case: Case, k: int, where: SearchFilter, near: Hits | None) -> Found:
        """The best ``k`` that pass, in order; ``near`` is the first shortlist by looks, if it is known."""
        size = _shortest(k)
        while True:
            if near is None:
                near = index.nearest(case.query.vector, size, where=where)
            hits, visual_ranks, bound = self._shortlist(index, case, where, size, near)
            found = Found.of(case, hits, visual_ranks, self._judged(hits, case)).in_order(k)
            if bound is None or float(found.scores[-1]) >= bound:
                return found
            size, near = size * _GROWTH, None

    def _shortlist(
        self, index: FlatIndex, case: Case, where: SearchFilter, size: int, near: Hits
    ) -> tuple[Hits, NDArray[np.int64], float | None]:
        """Who may be among the best, their ranks by looks (0: far behind), and what nobody else's score exceeds."""
        ranks = np.arange(1, len(near) + 1)
        if len(near) < size:
            return near, ranks, None
        parts, refined = [near], np.inf
        if case.refinement is not None:
            nearest, refined_distances = case.refinement.look.nearest(size // _SHORTLIST_FOR_EACH, where)
            refined = float(refined_distances[-1]) if len(nearest) else 0.0
            behind = nearest[~np.isin(nearest, near.tracklet_nos)]
            parts += [index.among(case.query.vector, behind)] if len(behind) else []
        bound, weight = self._most(case, float(near.distances[-1]), refined), self.calibration.time_weight
        if case.uses_time and self._windows is not None:
            bound += weight * self._windows.outside_llr
            cameras = tuple(sorted({a for a, _ in self._windows.ways} | {str(case.query.camera_id)}))
            windows = self._windows.of(sighting_of(case.query, cameras))
            timely = index.nearest(case.query.vector, size, where=where, windows=windows)
            if len(timely) == size:
                most = self._most(case, float(timely.distances[-1]), refined) + weight * self._windows.most_llr
                bound = max(bound, most)
            known = np.concatenate([part.tracklet_nos for part in parts])
            parts.append(timely.take(np.flatnonzero(~np.isin(timely.tracklet_nos, known))))
        hits = reduce(Hits.join, parts)
        return hits, np.concatenate([ranks, np.zeros(len(hits) - len(near), np.int64)]), bound

    def _most(self, case: Case, distance: float, refined: float) -> float:
        """What no score exceeds, but for times, of who is no nearer than this on either look."""
        at = np.array([distance])
        sides = (case.yardsticks.elsewhere, case.yardsticks.own_camera)
        visual = max(float(self.calibration.visual_llr(at, side)[0]) for side in sides)
        return case.prior_log_odds + (visual if case.refinement is None else case.refinement.most(refined, visual))

    def _judged(self, hits: Hits, case: Case) -> Judgement:
        query, cameras = case.query, hits.camera_names
        if query.camera_id is not None and query.camera_id not in cameras:
            cameras = (*cameras, query.camera_id)
        is_own = np.zeros(len(hits), np.bool_)
        if query.camera_id is not None:
            is_own = hits.cameras == cameras.index(query.camera_id)
        return judge(
            self.calibration,
            hits.distances,
            yardsticks=case.yardsticks,
            is_own_camera=is_own,
            prior_log_odds=case.prior_log_odds,
            transit=self.transit if case.uses_time else None,
            query=sighting_of(query, cameras) if case.uses_time else None,
            candidates=Sightings(
                cameras, hits.cameras, hits.starts_s, hits.ends_s, hits.entries, hits.exits, hits.bodies
            ),
        )


def _shortest(k: int) -> int:
    return max(_SHORTLIST, _SHORTLIST_FOR_EACH * k)
