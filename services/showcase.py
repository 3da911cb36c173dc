"""A contact sheet of real searches in a stored site: five queries, chosen by a rule, and what was found for them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reid_core.evaluation.query_choice import spread_of_queries
from reid_core.retrieval.search import Query, search
from reid_core.types import ClockQuality, SearchFilter
from reid_core.vision.contact_sheet import SheetCell, SheetRow
from reid_core.vision.crops import decode_crop
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from reid_core.retrieval.index import FlatIndex
    from reid_core.types import ImageBGR, Match
    from services.scoring import SiteScores
    from services.storage.blobs import BlobStore
    from services.storage.records import StoredTracklet

__all__ = ["clock_time", "sheet_rows"]

_ANSWERS = 10


def sheet_rows(session: Session, blobs: BlobStore, index: FlatIndex, scores: SiteScores) -> list[SheetRow]:
    """Search for a spread of the scored queries among the other cameras' tracklets, as the service would.

    Args:
        session: A reading transaction.
        blobs: Where the crops lie.
        index: Holds the vectors that were scored.
        scores: Of the same state of the database.

    Returns:
        Rows of a contact sheet, the best query first; none where there was no query.
    """
    ranking = scores.retrieval.ranking
    if ranking is None:
        return []
    chosen = spread_of_queries(ranking.precisions, scores.person_ids[ranking.queries])
    people = dict(zip(scores.tracklet_nos.tolist(), scores.person_ids.tolist(), strict=True))
    rows = []
    for place in chosen:
        number = int(scores.tracklet_nos[ranking.queries[place]])
        title = (
            f"Average precision {ranking.precisions[place]:.2f}, "
            f"first right answer at rank {int(ranking.first_ranks[place])}"
        )
        rows.append(_Searcher(session, blobs, index, scores.model_id).row(number, people, title))
    return rows


class _Searcher:
    """Draws one query's row from the stored tracklets."""

    def __init__(self, session: Session, blobs: BlobStore, index: FlatIndex, model_id: str) -> None:
        self._tracklets = TrackletRepository(session)
        self._blobs = blobs
        self._index = index
        self._model_id = model_id

    def row(self, number: int, people: dict[int, int], title: str) -> SheetRow:
        stored = self._tracklets.by_no(number)
        embedding = self._tracklets.embedding(number, self._model_id)
        query = Query(
            vector=embedding.vector,
            crop_vectors=embedding.crop_vectors,
            camera_id=stored.camera_id,
            start_s=stored.start_s,
            end_s=stored.end_s,
            exclude_tracklet_nos=frozenset([number]),
        )
        elsewhere = SearchFilter(exclude_camera_ids=frozenset([stored.camera_id]))
        matches = search(self._index, query, k=_ANSWERS, where=elsewhere)
        answers = tuple(self._answer(match, is_right=people[match.tracklet_no] == people[number]) for match in matches)
        lines = (stored.camera_id, clock_time(stored))
        return SheetRow(title, SheetCell(self._best_crop(stored), lines), answers)

    def _answer(self, match: Match, *, is_right: bool) -> SheetCell:
        stored = self._tracklets.by_no(match.tracklet_no)
        gap = "" if match.evidence.gap_s is None else f"  {round(match.evidence.gap_s):+d} s"
        lines = (f"{stored.camera_id}  {clock_time(stored)}", f"d {match.evidence.visual_distance:.2f}{gap}")
        return SheetCell(self._best_crop(stored), lines, is_right)

    def _best_crop(self, stored: StoredTracklet) -> ImageBGR:
        return decode_crop(self._blobs.read_crop(stored.blob_key, stored.display_order[0]))


def clock_time(stored: StoredTracklet) -> str:
    """When it was first seen: the camera's time of day, or seconds of the video where the clock is unknown."""
    if stored.clock_quality is ClockQuality.UNKNOWN:
        return f"{stored.start_s:.0f} s"
    return datetime.fromtimestamp(stored.start_s, UTC).strftime("%H:%M:%S")
