"""The outbox: every committed change that others must hear of, numbered in the order of commits."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, text

from services.storage.tables import OutboxRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from reid_core.ports import Clock

TRACKLET_ADDED = "tracklet.added"
TRACKLET_REMOVED = "tracklet.removed"
SOURCE_FINISHED = "source.finished"
GENERATION_PROMOTED = "generation.promoted"
VECTORS_ADDED = "vectors.added"
FEEDBACK_GIVEN = "feedback.given"
FEEDBACK_WITHDRAWN = "feedback.withdrawn"

_LOCK_NO = 7_265_107  # any number: it only has to differ from other advisory locks of this database


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """One change. ``seq`` is the event's id wherever it is told."""

    seq: int
    kind: str
    payload: Mapping[str, Any]
    created_at_s: float


class Outbox:
    """Appends to and reads the outbox in the caller's transaction.

    Args:
        session: The transaction.
        clock: UTC epoch seconds.
    """

    def __init__(self, session: Session, *, clock: Clock = time.time) -> None:
        self._session = session
        self._clock = clock

    def append(self, kind: str, payload: Mapping[str, Any]) -> int:
        """Tell of a change if and when this transaction commits; returns the event's number.

        A sequence alone is not ordered by commits: a follower that has read up to 10 would miss a 9 that commits late.
        So numbers are drawn under a lock that lasts until the commit (on SQLite the one write lock is that lock).
        Append last in a transaction, so that others wait briefly.
        """
        self.take_turn()
        row = OutboxRow(kind=kind, payload=dict(payload), created_at_s=self._clock())
        self._session.add(row)
        self._session.flush()
        return row.seq

    def take_turn(self) -> None:
        """Wait until nobody else may append before this transaction has ended; later reads see what they committed."""
        if self._session.get_bind().dialect.name == "postgresql":
            self._session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NO})

    def after(self, seq: int, *, limit: int = 1000) -> list[OutboxEvent]:
        """The next events after a number, in order."""
        rows = self._session.scalars(select(OutboxRow).where(OutboxRow.seq > seq).order_by(OutboxRow.seq).limit(limit))
        return [OutboxEvent(row.seq, row.kind, row.payload, row.created_at_s) for row in rows]

    def last_seq(self) -> int:
        """The number of the newest event, 0 before the first."""
        return self._session.scalar(select(func.max(OutboxRow.seq))) or 0
