"""A stored site's scores as a story for the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.errors import StorageError, UnknownCropError
from reid_core.evaluation.inspection import Searches, inspect_searches
from reid_core.evaluation.ranking_page import RankingStory
from reid_core.evaluation.report_page import Table
from reid_core.evaluation.report_searches import Portraits
from reid_core.evaluation.transit_gaps import Visits, transit_gaps
from reid_core.metrics.junk import JunkRule, SameCamera
from services.showcase import clock_time
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from reid_core.evaluation.inspection import Inspection
    from reid_core.metrics.ranking import RankingScores
    from reid_core.types import FloatArray
    from services.scoring import SiteScores
    from services.storage.blobs import BlobStore
    from services.storage.records import StoredTracklet

__all__ = ["site_story"]

_COLUMNS = ("HOTA", "DetA", "AssA", "IDF1", "MOTA", "IDSW", "FP", "FN", "GT")
_FOOTER = (
    (
        "A tracklet shows the person on whose true boxes most of its boxes lie; one that shows nobody in particular is "
        "a distractor. Every tracklet whose person also has a tracklet at another camera asks; whatever its own camera "
        "saw is left out, everything else answers."
    ),
    (
        "Average precision by rectangles is the mean of the precisions at the true matches; by trapezoids it is never "
        "higher. mINP is the mean of true matches over the rank of the last one. Tracking figures are percent, as "
        "TrackEval has them."
    ),
)


def site_story(session: Session, blobs: BlobStore, scores: SiteScores, *, title: str) -> RankingStory | None:
    """Tell what was scored, and look into every query.

    Args:
        session: A reading transaction.
        blobs: Where the crops lie.
        scores: Of the same state of the database.
        title: The page's headline.

    Returns:
        The story; ``None`` where nobody was seen by two cameras.
    """
    ranking, retrieval = scores.retrieval.ranking, scores.retrieval
    if ranking is None:
        return None
    stored = _Stored.read(session, scores)
    return RankingStory(
        title=title,
        facts=[
            ("model", scores.model_id),
            ("cameras", str(len(scores.camera_tracking))),
            ("people", str(retrieval.people)),
        ],
        figures={name: value for name, value in retrieval.as_dict().items() if isinstance(value, float)},
        spreads=None,
        counts=[
            ("queries", f"{len(ranking.queries):,}", f"{retrieval.skipped:,} skipped"),
            ("tracklets", f"{retrieval.tracklets:,}", f"{retrieval.distractors:,} distractors"),
        ],
        curves={"all queries": ranking.curve[: max(2, min(len(ranking.curve), retrieval.tracklets))]},
        inspection=_inspect(scores, ranking, stored),
        inspected=f"all {len(ranking.queries):,} queries",
        portraits=_portraits(stored, blobs, scores),
        gaps=transit_gaps(stored.visits(scores.person_ids)),
        gap_unit="seconds",
        tables=[("Tracking, camera by camera", _tracking_table(scores))],
        footer=_FOOTER,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Stored:
    """Vectors and descriptions of the tracklets that were scored, in their order."""

    vectors: FloatArray
    tracklets: tuple[StoredTracklet, ...]
    clock_known: NDArray[np.bool_]

    @staticmethod
    def read(session: Session, scores: SiteScores) -> _Stored:
        repository = TrackletRepository(session)
        batches = list(repository.iter_vectors(scores.model_id))
        found = repository.by_nos(scores.tracklet_nos.tolist())
        return _Stored(
            np.concatenate([batch.vectors for batch in batches]),
            tuple(found[number] for number in scores.tracklet_nos.tolist()),
            np.concatenate([batch.clock_known for batch in batches]),
        )

    @property
    def cameras(self) -> NDArray[np.str_]:
        return np.array([tracklet.camera_id for tracklet in self.tracklets], np.str_)

    def visits(self, person_ids: NDArray[np.int64]) -> Visits:
        """Of the tracklets whose clock is known."""
        timed = [self.tracklets[row] for row in np.flatnonzero(self.clock_known)]
        return Visits(
            person_ids[self.clock_known],
            [tracklet.camera_id for tracklet in timed],
            np.array([tracklet.start_s for tracklet in timed], np.float64),
            np.array([tracklet.end_s for tracklet in timed], np.float64),
            np.zeros(len(timed), np.int64),
        )


def _inspect(scores: SiteScores, ranking: RankingScores, stored: _Stored) -> Inspection:
    queries, people, cameras = ranking.queries, scores.person_ids, stored.cameras
    return inspect_searches(
        Searches(
            distances=lambda start, stop: 1 - stored.vectors[queries[start:stop]] @ stored.vectors.T,
            rule=JunkRule(people[queries], people, cameras[queries], cameras, SameCamera.EVERYBODY),
            query_rows=queries,
            gallery_rows=np.arange(len(people)),
            query_cameras=cameras[queries],
            gallery_cameras=cameras,
        )
    )


def _portraits(stored: _Stored, blobs: BlobStore, scores: SiteScores) -> Portraits:
    def picture(row: int) -> bytes | None:
        tracklet = stored.tracklets[row]
        try:
            return blobs.read_crop(tracklet.blob_key, tracklet.display_order[0])
        except (StorageError, UnknownCropError):
            return None  # a page that lacks one picture is worth more than no page

    def lines(row: int) -> tuple[str, ...]:
        return (stored.tracklets[row].camera_id, clock_time(stored.tracklets[row]))

    return Portraits(lambda row: int(scores.person_ids[row]), lines, picture)


def _tracking_table(scores: SiteScores) -> Table:
    rows = []
    for name, figures in [*scores.camera_tracking.items(), ("all together", scores.tracking)]:
        values = figures.as_dict()
        cells = [f"{values[c]:.1f}" if isinstance(values[c], float) else f"{values[c]:,}" for c in _COLUMNS]
        rows.append((name, *cells))
    return Table(("camera", *_COLUMNS), rows)
