"""Journeys as they are stored: found, listed and told of. `JourneyWriter` changes them, `JourneyHistory` tells how."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import aliased

from reid_core.errors import UnknownJourneyError
from reid_core.types import ClockQuality
from services.storage.created_cursor import decode_created_cursor, encode_created_cursor
from services.storage.journeys_history import id_of
from services.storage.journeys_records import (
    Journey,
    JourneyPage,
    JourneyState,
    JourneySummary,
    JourneyWhere,
    Link,
    LinkEvidence,
    Part,
    Placement,
)
from services.storage.journeys_tables import (
    JourneyLinkRow,
    JourneyRow,
    JourneyStateRow,
)
from services.storage.records import stored_tracklet
from services.storage.tables import TrackletRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

__all__ = ["JourneyRepository"]

_MAX_PAGE = 1000
_IN_ONE_QUESTION = 500


class JourneyRepository:
    """Journeys of one installation.

    Args:
        session: A transaction.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def by_id(self, journey_id: UUID | str) -> Journey:
        """One journey; one that ended has no tracklets, and one all of whose tracklets were removed is gone.

        Raises:
            UnknownJourneyError: If there is none of that id, or the text is no id.
        """
        row = self._session.get(JourneyRow, id_of(journey_id, UnknownJourneyError), populate_existing=True)
        links = () if row is None else self.links(row.journey_id)
        if row is None or (not links and row.successor_id is None):
            raise UnknownJourneyError(str(journey_id))
        return Journey(row.journey_id, row.generation_id, row.created_at_s, row.successor_id, links)

    def list(self, where: JourneyWhere = JourneyWhere(), *, limit: int = 50, cursor: str | None = None) -> JourneyPage:  # noqa: B008 - frozen
        """One page of journeys by the start of their first tracklet.

        Args:
            where: Which journeys.
            limit: Journeys a page, 1 to 1000.
            cursor: ``next_cursor`` of the page before.

        Raises:
            InputError: If the cursor is not one that a page gave out.
            ValueError: If the limit is out of range.
        """
        if not 1 <= limit <= _MAX_PAGE:
            raise ValueError(f"limit must lie in [1, {_MAX_PAGE}], got {limit}")
        link, first_s = JourneyLinkRow, func.min(JourneyLinkRow.start_s)
        statement = (
            select(link.journey_id, first_s)
            .join(TrackletRow, TrackletRow.tracklet_no == link.tracklet_no)
            .where(_passing(where))
            .group_by(link.journey_id)
            .having(func.count(TrackletRow.camera_id.distinct()) >= where.min_cameras)
            .order_by(first_s, link.journey_id)
            .limit(limit + 1)
        )
        if cursor is not None:
            at_s, after_id = decode_created_cursor(cursor)
            statement = statement.having(or_(first_s > at_s, and_(first_s == at_s, link.journey_id > after_id)))
        found = self._session.execute(statement).all()
        items = self._summaries([journey_id for journey_id, _ in found[:limit]])
        if len(found) <= limit:
            return JourneyPage(items, None)
        last_id, last_s = found[limit - 1]
        return JourneyPage(items, encode_created_cursor(last_s, last_id))

    def count(self) -> int:
        """How many journeys have a tracklet."""
        return self._session.scalar(select(func.count(JourneyLinkRow.journey_id.distinct()))) or 0

    def membership(self) -> dict[int, UUID]:
        """The journey of each part of a tracklet, by its key."""
        return {key: place.journey_id for key, place in self.placed().items()}

    def placed(self) -> dict[int, Placement]:
        """Where each part of a tracklet is, by its key."""
        row = JourneyLinkRow
        columns = (row.tracklet_no, row.part_no, row.start_s, row.end_s, row.journey_id, row.generation_id, row.author)
        placed = {}
        for number, part_no, start_s, end_s, journey, generation, author in self._session.execute(select(*columns)):
            part = Part(number, part_no, start_s, end_s)
            placed[part.key] = Placement(journey, generation, author, part)
        return placed

    def state(self) -> JourneyState | None:
        """Up to where the journeys follow what is stored; ``None`` before they were first built."""
        row = self._session.get(JourneyStateRow, 1, populate_existing=True)
        if row is None:
            return None
        conflicts = tuple(tuple(UUID(one) for one in chain) for chain in row.conflicts)
        return JourneyState(row.generation_id, row.seq, row.built_at_s, conflicts)

    def links(self, journey_id: UUID) -> tuple[Link, ...]:
        """What is in a journey, in order of time; nothing in one that ended, or is none."""
        other = aliased(TrackletRow)
        statement = (
            select(JourneyLinkRow, TrackletRow, other.tracklet_id)
            .join(TrackletRow, TrackletRow.tracklet_no == JourneyLinkRow.tracklet_no)
            .outerjoin(other, other.tracklet_no == JourneyLinkRow.with_no)
            .where(JourneyLinkRow.journey_id == journey_id)
            .order_by(JourneyLinkRow.start_s, TrackletRow.tracklet_no)
            .execution_options(populate_existing=True)
        )
        return tuple(_link(*found) for found in self._session.execute(statement))

    def _summaries(self, journey_ids: Sequence[UUID]) -> tuple[JourneySummary, ...]:
        statement = (
            select(
                JourneyRow,
                TrackletRow.tracklet_no,
                TrackletRow.camera_id,
                JourneyLinkRow.start_s,
                JourneyLinkRow.end_s,
                TrackletRow.clock_quality,
            )
            .join(JourneyLinkRow, JourneyLinkRow.journey_id == JourneyRow.journey_id)
            .join(TrackletRow, TrackletRow.tracklet_no == JourneyLinkRow.tracklet_no)
            .where(JourneyRow.journey_id.in_(journey_ids))
            .order_by(JourneyLinkRow.start_s, TrackletRow.tracklet_no)
        )
        rows: dict[UUID, JourneyRow] = {}
        seen = defaultdict[UUID, Any](list)
        for row, *what in self._session.execute(statement):
            rows[row.journey_id] = row
            seen[row.journey_id].append(tuple(what))
        return tuple(_summary(rows[journey_id], seen[journey_id]) for journey_id in journey_ids)


def _passing(where: JourneyWhere) -> ColumnElement[bool]:
    """Whether a journey has a tracklet that was there and then."""
    link, seen = aliased(JourneyLinkRow), aliased(TrackletRow)
    wanted = select(link.journey_id).join(seen, seen.tracklet_no == link.tracklet_no)
    if where.camera_id is not None:
        wanted = wanted.where(seen.camera_id == where.camera_id)
    if where.start_s is not None:
        wanted = wanted.where(link.end_s >= where.start_s)
    if where.end_s is not None:
        wanted = wanted.where(link.start_s <= where.end_s)
    return JourneyLinkRow.journey_id.in_(wanted)


def _link(row: JourneyLinkRow, tracklet: TrackletRow, with_id: UUID | None) -> Link:
    evidence = None
    if row.with_no is not None and row.visual_log_odds is not None and row.prior_log_odds is not None:
        evidence = LinkEvidence(row.with_no, row.visual_log_odds, row.time_log_odds, row.prior_log_odds)
    part = Part(row.tracklet_no, row.part_no, row.start_s, row.end_s)
    by = (row.journey_id, row.generation_id, row.joined_at_s, row.author)
    return Link(stored_tracklet(tracklet), part, *by, evidence, with_id)


def _summary(row: JourneyRow, seen: Sequence[tuple[int, str, float, float, str]]) -> JourneySummary:
    timed = [(start_s, end_s) for _, _, start_s, end_s, clock in seen if clock != ClockQuality.UNKNOWN.value]
    return JourneySummary(
        journey_id=row.journey_id,
        generation_id=row.generation_id,
        created_at_s=row.created_at_s,
        tracklet_count=len({number for number, *_ in seen}),
        camera_ids=tuple(dict.fromkeys(camera_id for _, camera_id, *_ in seen)),
        start_s=min((start_s for start_s, _ in timed), default=None),
        end_s=max((end_s for _, end_s in timed), default=None),
    )
