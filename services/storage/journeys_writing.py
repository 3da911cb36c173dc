"""Changes to journeys, all of them in the caller's transaction."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, delete, exists, select, update

from reid_core.errors import JourneyStateError
from services.identifiers import new_uuid7
from services.storage.journeys_history import JourneyHistory
from services.storage.journeys_records import MOST_PARTS
from services.storage.journeys_tables import (
    JourneyEventRow,
    JourneyEventTrackletRow,
    JourneyLinkRow,
    JourneyRow,
    JourneyStateRow,
)
from services.storage.outbox import Outbox
from services.storage.statements import insert_into

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from uuid import UUID

    from sqlalchemy.orm import Session

    from reid_core.ports import Clock
    from services.storage.journeys_records import ChangeKind, JourneyEvent, JourneyState, LinkEvidence, Part

__all__ = ["JOURNEYS_CHANGED", "JourneyWriter"]

JOURNEYS_CHANGED = "journeys.changed"
_IN_ONE_STATEMENT = 500
_KEY = ("tracklet_no", "part_no")


class JourneyWriter:
    """Writes journeys.

    Args:
        session: A writing transaction.
        generation_id: By whose evidence; stands beside whatever is written.
        clock: UTC epoch seconds.
    """

    def __init__(self, session: Session, generation_id: UUID, *, clock: Clock = time.time) -> None:
        self._session = session
        self._generation_id = generation_id
        self._clock = clock

    def start(self) -> UUID:
        """A journey without tracklets yet."""
        journey_id = new_uuid7(clock=self._clock)
        self._session.add(
            JourneyRow(journey_id=journey_id, generation_id=self._generation_id, created_at_s=self._clock())
        )
        self._session.flush()
        return journey_id

    def link(
        self,
        journey_id: UUID,
        parts: Iterable[Part],
        *,
        evidence: Mapping[int, LinkEvidence] | None = None,
        author: str | None = None,
    ) -> None:
        """Put tracklets into a journey, which goes on from now on; they leave the one in which they were.

        Args:
            journey_id: The journey.
            parts: Stored tracklets, or parts of them.
            evidence: What speaks for each, by its key; those that are missing have none.
            author: Who does it, ``None`` if it comes by itself.
        """
        rows = [self._link(journey_id, part, (evidence or {}).get(part.key), author) for part in parts]
        for first in range(0, len(rows), _IN_ONE_STATEMENT):
            insert = insert_into(self._session, JourneyLinkRow)
            replaced: dict[str, Any] = {name: insert.excluded[name] for name in rows[0] if name not in _KEY}
            stays = JourneyLinkRow.journey_id == insert.excluded["journey_id"]
            replaced["joined_at_s"] = case((stays, JourneyLinkRow.joined_at_s), else_=insert.excluded["joined_at_s"])
            self._session.execute(
                insert.on_conflict_do_update(index_elements=list(_KEY), set_=replaced),
                rows[first : first + _IN_ONE_STATEMENT],
            )
        self._succeed(journey_id, None)

    def unlink(self, keys: Collection[int]) -> None:
        """Take parts of tracklets out of their journeys, as when a tracklet has no vector any more or is cut anew."""
        wanted = sorted(keys)
        key = JourneyLinkRow.tracklet_no * MOST_PARTS + JourneyLinkRow.part_no
        for first in range(0, len(wanted), _IN_ONE_STATEMENT):
            some = wanted[first : first + _IN_ONE_STATEMENT]
            of_these = JourneyLinkRow.tracklet_no.in_({one // MOST_PARTS for one in some})
            self._session.execute(delete(JourneyLinkRow).where(of_these, key.in_(some)))

    def end(self, journey_id: UUID, successor_id: UUID) -> None:
        """Note which journey took another one in."""
        self._succeed(journey_id, successor_id)

    def record(
        self,
        kind: ChangeKind,
        journey_id: UUID,
        other_id: UUID,
        *,
        kept: Iterable[Part],
        moved: Iterable[Part],
        author: str | None = None,
        note: str | None = None,
        log_odds: float | None = None,
    ) -> UUID:
        """Add a merge or split to the history."""
        event_id = new_uuid7(clock=self._clock)
        self._session.add(
            JourneyEventRow(
                event_id=event_id,
                kind=kind.value,
                journey_id=journey_id,
                other_id=other_id,
                generation_id=self._generation_id,
                author=author,
                note=note or None,
                log_odds=log_odds,
                created_at_s=self._clock(),
            )
        )
        self._session.flush()
        sides = [*((part, False) for part in kept), *((part, True) for part in moved)]
        self._session.add_all(
            JourneyEventTrackletRow(
                event_id=event_id,
                tracklet_no=part.tracklet_no,
                part_no=part.part_no,
                start_s=part.start_s,
                end_s=part.end_s,
                moved=went,
            )
            for part, went in sides
        )
        self._session.flush()
        return event_id

    def undo(self, event_id: UUID | str, *, author: str) -> JourneyEvent:
        """Note that an event does not stand any more.

        Raises:
            UnknownJourneyEventError: If there is none of that id.
            JourneyStateError: If it was undone before.
        """
        history = JourneyHistory(self._session)
        event = history.event(event_id)
        statement = (
            update(JourneyEventRow)
            .where(JourneyEventRow.event_id == event.event_id, JourneyEventRow.undone_at_s.is_(None))
            .values(undone_at_s=self._clock(), undone_by=author)
            .returning(JourneyEventRow.event_id)
        )
        if self._session.execute(statement).first() is None:
            raise JourneyStateError(f"{event.kind.value} {event.event_id} was undone before, by {event.undone_by}")
        return history.event(event.event_id)

    def prune(self) -> None:
        """Forget journeys that lost all their tracklets without another one having taken them in, and empty events."""
        used = exists().where(JourneyLinkRow.journey_id == JourneyRow.journey_id)
        self._session.execute(delete(JourneyRow).where(~used, JourneyRow.successor_id.is_(None)))
        about = exists().where(JourneyEventTrackletRow.event_id == JourneyEventRow.event_id)
        self._session.execute(delete(JourneyEventRow).where(~about))

    def put_state(self, state: JourneyState) -> None:
        """Note up to where the journeys follow what is stored."""
        row = self._session.get(JourneyStateRow, 1) or JourneyStateRow(state_id=1)
        row.generation_id = state.generation_id
        row.seq = state.seq
        row.built_at_s = state.built_at_s
        row.conflicts = [[str(one) for one in chain] for chain in state.conflicts]
        self._session.add(row)
        self._session.flush()

    def tell(self, journey_ids: Iterable[UUID], *, author: str | None) -> None:
        """Let others hear which journeys changed."""
        payload = {"journey_ids": sorted(str(one) for one in journey_ids), "author": author}
        Outbox(self._session, clock=self._clock).append(JOURNEYS_CHANGED, payload)

    def _succeed(self, journey_id: UUID, successor_id: UUID | None) -> None:
        statement = select(JourneyRow).where(JourneyRow.journey_id == journey_id)
        self._session.scalars(statement).one().successor_id = successor_id
        self._session.flush()

    def _link(
        self, journey_id: UUID, part: Part, evidence: LinkEvidence | None, author: str | None
    ) -> dict[str, object]:
        return {
            "tracklet_no": part.tracklet_no,
            "part_no": part.part_no,
            "start_s": part.start_s,
            "end_s": part.end_s,
            "journey_id": journey_id,
            "generation_id": self._generation_id,
            "with_no": None if evidence is None else evidence.with_no,
            "author": author,
            "visual_log_odds": None if evidence is None else evidence.visual,
            "time_log_odds": None if evidence is None else evidence.time,
            "prior_log_odds": None if evidence is None else evidence.prior,
            "joined_at_s": self._clock(),
        }
