"""The history of journeys as it is stored: what merged and split, and who did it or undid it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import or_, select

from reid_core.errors import UnknownJourneyEventError
from services.storage.journeys_records import ChangeKind, JourneyEvent, Part
from services.storage.journeys_tables import JourneyEventRow, JourneyEventTrackletRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from reid_core.errors import ReknitError

__all__ = ["JourneyHistory", "id_of"]

_IN_ONE_QUESTION = 500


def id_of(text: UUID | str, unknown: type[ReknitError]) -> UUID:
    """An id out of text; what is none is as unknown as an id that nothing has."""
    try:
        return text if isinstance(text, UUID) else UUID(text)
    except ValueError as error:
        raise unknown(str(text)[:80]) from error


class JourneyHistory:
    """Merges and splits of one installation.

    Args:
        session: A transaction.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def events(self, journey_id: UUID) -> Sequence[JourneyEvent]:
        """What a journey was part of, newest first."""
        row = JourneyEventRow
        return self._events(select(row).where(or_(row.journey_id == journey_id, row.other_id == journey_id)))

    def event(self, event_id: UUID | str) -> JourneyEvent:
        """One merge or split.

        Raises:
            UnknownJourneyEventError: If there is none of that id, or the text is no id.
        """
        wanted = id_of(event_id, UnknownJourneyEventError)
        found = self._events(select(JourneyEventRow).where(JourneyEventRow.event_id == wanted))
        if not found:
            raise UnknownJourneyEventError(str(event_id))
        return found[0]

    def acts(self) -> Sequence[JourneyEvent]:
        """Whatever people did or undid, oldest first."""
        row = JourneyEventRow
        return self._events(select(row).where(or_(row.author.is_not(None), row.undone_by.is_not(None))))[::-1]

    def _events(self, statement: Select[JourneyEventRow]) -> Sequence[JourneyEvent]:
        order = (JourneyEventRow.created_at_s.desc(), JourneyEventRow.event_id.desc())
        rows = self._session.scalars(statement.order_by(*order).execution_options(populate_existing=True)).all()
        about = self._about([row.event_id for row in rows])
        return [_event(row, about.get(row.event_id, [])) for row in rows]

    def _about(self, event_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[tuple[Part, bool]]]:
        """What events are about, in order, and whether it went over."""
        row, found = JourneyEventTrackletRow, defaultdict[UUID, Any](list)
        for first in range(0, len(event_ids), _IN_ONE_QUESTION):
            some = event_ids[first : first + _IN_ONE_QUESTION]
            for one in self._session.scalars(select(row).where(row.event_id.in_(some)).order_by(row.tracklet_no)):
                found[one.event_id].append((Part(one.tracklet_no, one.part_no, one.start_s, one.end_s), one.moved))
        return found


def _event(row: JourneyEventRow, about: Sequence[tuple[Part, bool]]) -> JourneyEvent:
    return JourneyEvent(
        event_id=row.event_id,
        kind=ChangeKind(row.kind),
        journey_id=row.journey_id,
        other_id=row.other_id,
        generation_id=row.generation_id,
        author=row.author,
        note=row.note,
        log_odds=row.log_odds,
        created_at_s=row.created_at_s,
        undone_at_s=row.undone_at_s,
        undone_by=row.undone_by,
        kept=tuple(part for part, moved in about if not moved),
        moved=tuple(part for part, moved in about if moved),
    )
