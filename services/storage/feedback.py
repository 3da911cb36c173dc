"""Feedback: what people said of pairs of tracklets, with its history."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased

from reid_core.errors import FeedbackError, UnknownFeedbackError
from services.identifiers import new_uuid7
from services.storage.created_cursor import decode_created_cursor, encode_created_cursor
from services.storage.feedback_records import Feedback, FeedbackPage, Verdict
from services.storage.outbox import FEEDBACK_GIVEN, FEEDBACK_WITHDRAWN, Outbox
from services.storage.tables import FeedbackRow
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from reid_core.ports import Clock

__all__ = ["FeedbackRepository"]

_MAX_PAGE = 1000


class FeedbackRepository:
    """Feedback of one installation.

    Args:
        session: The transaction; a writing one for `add` and `withdraw`.
        clock: UTC epoch seconds.
    """

    def __init__(self, session: Session, *, clock: Clock = time.time) -> None:
        self._session = session
        self._clock = clock

    def add(
        self, one: UUID | str, other: UUID | str, verdict: Verdict, *, author: str, note: str | None = None
    ) -> Feedback:
        """Store what somebody said, and tell of it; of several verdicts on one pair the latest counts.

        Raises:
            UnknownTrackletError: If there is no such tracklet.
            FeedbackError: If both are one tracklet.
        """
        tracklets = TrackletRepository(self._session)
        first, second = sorted(tracklets.by_id(one).tracklet_id for one in (one, other))
        if first == second:
            raise FeedbackError(f"{first} is one tracklet, not a pair")
        row = FeedbackRow(
            feedback_id=new_uuid7(clock=self._clock),
            tracklet_a=first,
            tracklet_b=second,
            verdict=verdict.value,
            author=author,
            note=note or None,
            created_at_s=self._clock(),
        )
        self._session.add(row)
        self._session.flush()
        self._tell(FEEDBACK_GIVEN, row)
        return self.by_id(row.feedback_id)

    def withdraw(self, feedback_id: UUID | str) -> Feedback:
        """Take something back that was said; it stays in the history, and what was said before it counts again.

        What was withdrawn already stays as it is.

        Raises:
            UnknownFeedbackError: If there is none of that id, or the text is no id.
        """
        row = self._row(feedback_id)
        if row.withdrawn_at_s is None:
            row.withdrawn_at_s = self._clock()
            self._session.flush()
            self._tell(FEEDBACK_WITHDRAWN, row)
        return self.by_id(row.feedback_id)

    def by_id(self, feedback_id: UUID | str) -> Feedback:
        """One verdict.

        Raises:
            UnknownFeedbackError: If there is none of that id, or the text is no id.
        """
        row, counts = self._session.execute(
            select(FeedbackRow, _stands()).where(FeedbackRow.feedback_id == self._row(feedback_id).feedback_id)
        ).one()
        return _feedback(row, counts=counts)

    def list(self, *, tracklet_id: UUID | None = None, limit: int = 50, cursor: str | None = None) -> FeedbackPage:
        """One page of all that was said, newest first, with what was withdrawn.

        Args:
            tracklet_id: Only of pairs with this tracklet.
            limit: At most this many.
            cursor: ``next_cursor`` of the page before.

        Raises:
            InputError: If the cursor is not one that a page gave out.
            ValueError: If the limit is out of range.
        """
        if not 1 <= limit <= _MAX_PAGE:
            raise ValueError(f"limit must lie in [1, {_MAX_PAGE}], got {limit}")
        row = FeedbackRow
        statement = select(row, _stands()).order_by(row.created_at_s.desc(), row.feedback_id.desc()).limit(limit + 1)
        if tracklet_id is not None:
            statement = statement.where(or_(row.tracklet_a == tracklet_id, row.tracklet_b == tracklet_id))
        if cursor is not None:
            created_at_s, feedback_id = decode_created_cursor(cursor)
            same_time = and_(row.created_at_s == created_at_s, row.feedback_id < feedback_id)
            statement = statement.where(or_(row.created_at_s < created_at_s, same_time))
        found = self._session.execute(statement).all()
        items = tuple(_feedback(one, counts=counts) for one, counts in found[:limit])
        if len(found) <= limit:
            return FeedbackPage(items, None)
        return FeedbackPage(items, encode_created_cursor(items[-1].created_at_s, items[-1].feedback_id))

    def verdicts(self) -> dict[tuple[UUID, UUID], Verdict]:
        """What holds of each pair that somebody spoke of, by pairs of ids in order."""
        statement = select(FeedbackRow.tracklet_a, FeedbackRow.tracklet_b, FeedbackRow.verdict).where(_stands())
        found = self._session.execute(statement.order_by(FeedbackRow.tracklet_a, FeedbackRow.tracklet_b))
        return {(one, other): Verdict(verdict) for one, other, verdict in found}

    def _tell(self, kind: str, row: FeedbackRow) -> None:
        payload = {
            "feedback_id": str(row.feedback_id),
            "tracklet_a": str(row.tracklet_a),
            "tracklet_b": str(row.tracklet_b),
            "verdict": row.verdict,
        }
        Outbox(self._session, clock=self._clock).append(kind, payload)

    def _row(self, feedback_id: UUID | str) -> FeedbackRow:
        try:
            wanted = feedback_id if isinstance(feedback_id, UUID) else UUID(feedback_id)
        except ValueError as error:
            raise UnknownFeedbackError(str(feedback_id)) from error
        row = self._session.get(FeedbackRow, wanted)
        if row is None:
            raise UnknownFeedbackError(str(feedback_id))
        return row


def _stands() -> ColumnElement[bool]:
    """Whether a row was not withdrawn, and no later one on its pair stands."""
    row, later = FeedbackRow, aliased(FeedbackRow)
    same_time = and_(later.created_at_s == row.created_at_s, later.feedback_id > row.feedback_id)
    replaced = (
        select(later.feedback_id)
        .where(later.tracklet_a == row.tracklet_a, later.tracklet_b == row.tracklet_b, later.withdrawn_at_s.is_(None))
        .where(or_(later.created_at_s > row.created_at_s, same_time))
        .correlate(row)
    )
    return and_(row.withdrawn_at_s.is_(None), ~replaced.exists())


def _feedback(row: FeedbackRow, *, counts: bool) -> Feedback:
    return Feedback(
        feedback_id=row.feedback_id,
        tracklet_a=row.tracklet_a,
        tracklet_b=row.tracklet_b,
        verdict=Verdict(row.verdict),
        author=row.author,
        note=row.note,
        created_at_s=row.created_at_s,
        withdrawn_at_s=row.withdrawn_at_s,
        counts=bool(counts),
    )
