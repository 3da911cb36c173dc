"""A contact sheet of real searches in a stored site: five queries, chosen by a rule, and what was found for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from reid_core.evaluation.query_choice import spread_of_queries
from reid_core.types import ClockQuality
from reid_core.vision.contact_sheet import SheetCell, SheetRow
from reid_core.vision.crops import decode_crop
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from reid_core.evaluation.stored_site import SiteRetrieval
    from reid_core.types import ImageBGR, Match
    from services.storage.blobs import BlobStore
    from services.storage.records import StoredTracklet

__all__ = ["Scored", "clock_time", "sheet_rows"]

_ANSWERS = 10


class Scored(Protocol):
    """Searches by tracklets, and how they were scored."""

    @property
    def retrieval(self) -> SiteRetrieval:
        """The scores."""
        ...

    @property
    def tracklet_nos(self) -> NDArray[np.int64]:
        """What their rows are. Shape ``(N,)``."""
        ...

    @property
    def person_ids(self) -> NDArray[np.int64]:
        """Who each shows, 0 for a distractor. Shape ``(N,)``."""
        ...


def sheet_rows(
    session: Session,
    blobs: BlobStore,
    find: Callable[[StoredTracklet, int], Sequence[Match]],
    scores: Scored,
) -> list[SheetRow]:
    """Search for a spread of the scored queries among the other cameras' tracklets.

    Args:
        session: A reading transaction.
        blobs: Where the crops lie.
        find: From a stored tracklet and a number of answers to the answers, as they were scored.
        scores: Of the same state of the database.

    Returns:
        Rows of a contact sheet, the best query first; none where there was no query.
    """
    ranking = scores.retrieval.ranking
    if ranking is None:
        return []
    chosen = spread_of_queries(ranking.precisions, scores.person_ids[ranking.queries])
    people = dict(zip(scores.tracklet_nos.tolist(), scores.person_ids.tolist(), strict=True))
    sheet = _Sheet(TrackletRepository(session), blobs, find)
    rows = []
    for place in chosen:
        title = (
            f"Average precision {ranking.precisions[place]:.2f}, "
            f"first right answer at rank {int(ranking.first_ranks[place])}"
        )
        rows.append(sheet.row(int(scores.tracklet_nos[ranking.queries[place]]), people, title))
    return rows


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Draws queries' rows from the stored tracklets."""

    tracklets: TrackletRepository
    blobs: BlobStore
    find: Callable[[StoredTracklet, int], Sequence[Match]]

    def row(self, number: int, people: dict[int, int], title: str) -> SheetRow:
        stored = self.tracklets.by_no(number)
        matches = self.find(stored, _ANSWERS)
        answers = tuple(self._answer(match, is_right=people[match.tracklet_no] == people[number]) for match in matches)
        lines = (stored.camera_id, clock_time(stored))
        return SheetRow(title, SheetCell(self._best_crop(stored), lines), answers)

    def _answer(self, match: Match, *, is_right: bool) -> SheetCell:
        stored, evidence = self.tracklets.by_no(match.tracklet_no), match.evidence
        gap = "" if evidence.gap_s is None else f"  {round(evidence.gap_s):+d} s"
        sure = f"d {evidence.visual_distance:.2f}" if evidence.probability is None else f"p {evidence.probability:.2f}"
        return SheetCell(
            self._best_crop(stored), (f"{stored.camera_id}  {clock_time(stored)}", f"{sure}{gap}"), is_right
        )

    def _best_crop(self, stored: StoredTracklet) -> ImageBGR:
        return decode_crop(self.blobs.read_crop(stored.blob_key, stored.display_order[0]))


def clock_time(stored: StoredTracklet) -> str:
    """When it was first seen: the camera's time of day, or seconds of the video where the clock is unknown."""
    if stored.clock_quality is ClockQuality.UNKNOWN:
        return f"{stored.start_s:.0f} s"
    return datetime.fromtimestamp(stored.start_s, UTC).strftime("%H:%M:%S")
