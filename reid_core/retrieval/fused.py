"""Search by looks and times together: ranked by probability, exactly, without judging all tracklets of a large site."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from reid_core.retrieval.reference import ReferenceShelf
from reid_core.retrieval.rows import Hits
from reid_core.retrieval.search import matches_of, not_itself
from reid_core.spatio_temporal.fusion import Judgement, Yardsticks, judge, longest_prefix
from reid_core.spatio_temporal.sightings import Sightings
from reid_core.spatio_temporal.windows import WindowTable
from reid_core.types import SearchFilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.retrieval.index import FlatIndex
    from reid_core.retrieval.reference import Reference
    from reid_core.retrieval.search import CropVectorsOf, Query
    from reid_core.spatio_temporal.calibration_model import Calibration
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
    """

    matches: list[Match]
    prior_log_odds: float
    uses_time: bool


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
        """Whether it matters where in the picture people come and go."""
        return self.transit is not None and any(len(zones) > 1 for zones in self.transit.zones.values())

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

        Raises:
            ValueError: If ``k`` is below 1, the rate lies outside ``[0, 1]`` or the query does not fit the index.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        case = self._case(index, query, use_time=use_time)
        found = self._best(index, case, k, not_itself(where, query))
        if max_error_rate is not None:
            found = found.take(np.arange(longest_prefix(found.judgement.probabilities, max_error_rate)))
        matches = matches_of(found.hits, query, crop_vectors_of)
        return FusedAnswer(found.explained(matches), case.prior_log_odds, case.uses_time)

    def _case(self, index: FlatIndex, query: Query, *, use_time: bool) -> _Case:
        reference = self._references.of(index)
        has_place_and_time = query.camera_id is not None and query.start_s is not None and query.end_s is not None
        return _Case(
            query=query,
            yardsticks=reference.yardsticks(query, prior=self.calibration.curve.yardstick),
            prior_log_odds=self.calibration.prior_of(_candidates(index, query, reference, self.calibration.span_s)),
            uses_time=use_time and has_place_and_time and self.transit is not None,
        )

    def _best(self, index: FlatIndex, case: _Case, k: int, where: SearchFilter) -> _Found:
        """The best ``k`` that pass, in order."""
        size = max(_SHORTLIST, _SHORTLIST_FOR_EACH * k)
        while True:
            hits, visual_ranks, bound = self._shortlist(index, case, where, size)
            found = _Found(hits, visual_ranks, self._judged(hits, case)).in_order(k)
            if bound is None or float(found.judgement.log_odds[-1]) >= bound:
                return found
            size *= _GROWTH

    def _shortlist(
        self, index: FlatIndex, case: _Case, where: SearchFilter, size: int
    ) -> tuple[Hits, NDArray[np.int64], float | None]:
        """Who may be among the best, their ranks by looks (0: far behind), and what nobody else's log-odds exceed."""
        near = index.nearest(case.query.vector, size, where=where)
        ranks = np.arange(1, len(near) + 1)
        if len(near) < size:
            return near, ranks, None
        bound, weight = self._most(case, float(near.distances[-1])), self.calibration.time_weight
        if not case.uses_time or self._windows is None:
            return near, ranks, bound
        bound += weight * self._windows.outside_llr
        cameras = tuple(sorted({a for a, _ in self._windows.ways} | {str(case.query.camera_id)}))
        windows = self._windows.of(_sighting(case.query, cameras))
        timely = index.nearest(case.query.vector, size, where=where, windows=windows)
        if len(timely) == size:
            most = self._most(case, float(timely.distances[-1])) + weight * self._windows.most_llr
            bound = max(bound, most)
        behind = timely.take(np.flatnonzero(~np.isin(timely.tracklet_nos, near.tracklet_nos)))
        return Hits.join(near, behind), np.concatenate([ranks, np.zeros(len(behind), np.int64)]), bound

    def _most(self, case: _Case, distance: float) -> float:
        """Log-odds that looks alone cannot exceed at this distance or beyond."""
        at = np.array([distance])
        sides = (case.yardsticks.elsewhere, case.yardsticks.own_camera)
        return case.prior_log_odds + max(float(self.calibration.visual_llr(at, side)[0]) for side in sides)

    def _judged(self, hits: Hits, case: _Case) -> Judgement:
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
            query=_sighting(query, cameras) if case.uses_time else None,
            candidates=Sightings(cameras, hits.cameras, hits.starts_s, hits.ends_s, hits.entries, hits.exits),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    """One search: the query, how it is measured, and whether its place and time count."""

    query: Query
    yardsticks: Yardsticks
    prior_log_odds: float
    uses_time: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Tracklets, their ranks by looks alone (0: far behind), and what speaks for them."""

    hits: Hits
    visual_ranks: NDArray[np.int64]
    judgement: Judgement

    def take(self, rows: NDArray[np.int64]) -> _Found:
        judged = self.judgement
        return _Found(
            self.hits.take(rows),
            self.visual_ranks[rows],
            Judgement(judged.visual[rows], judged.time[rows], judged.prior_log_odds),
        )

    def in_order(self, k: int) -> _Found:
        """The best ``k``: by log-odds, equal ones by distance, then by number."""
        keys = (self.hits.tracklet_nos, self.hits.distances, -self.judgement.log_odds)
        return self.take(np.lexsort(keys)[:k])

    def explained(self, matches: list[Match]) -> list[Match]:
        """The matches of all rows, each with what moved it."""
        parts = (self.judgement.visual, self.judgement.time, self.judgement.probabilities, self.visual_ranks)
        return [
            replace(
                match,
                evidence=replace(
                    match.evidence,
                    visual_log_odds=visual,
                    time_log_odds=None if np.isnan(time) else time,
                    probability=probability,
                    visual_rank=rank or None,
                ),
            )
            for match, visual, time, probability, rank in zip(matches, *(part.tolist() for part in parts), strict=True)
        ]


def _candidates(index: FlatIndex, query: Query, reference: Reference, span_s: float | None) -> int:
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


def _sighting(query: Query, cameras: tuple[str, ...]) -> Sightings:
    """Where and when the query was seen, as one sighting."""
    return Sightings(
        cameras,
        np.array([cameras.index(str(query.camera_id))]),
        np.array([np.nan if query.start_s is None else query.start_s]),
        np.array([np.nan if query.end_s is None else query.end_s]),
        np.array([(np.nan, np.nan) if query.entry is None else query.entry]),
        np.array([(np.nan, np.nan) if query.exit is None else query.exit]),
    )
