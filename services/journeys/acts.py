"""What people do with journeys: merge two, split one, take it back. Each act is one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.errors import ImpossibleJourneyError, JourneyStateError
from services.journeys.evidence import read_facts
from services.journeys.reading import told_of
from services.journeys.verdicts import ids_of
from services.storage.generations import GenerationRepository
from services.storage.journeys import JourneyRepository
from services.storage.journeys_history import JourneyHistory
from services.storage.journeys_records import ChangeKind
from services.storage.journeys_writing import JourneyWriter
from services.storage.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy.orm import Session

    from services.journeys.reading import Told
    from services.storage.generations import Generation
    from services.storage.journeys_records import Journey, JourneyEvent, Part
    from services.storage.session import Database

__all__ = ["LONGEST_NOTE", "merge", "split", "undo"]

LONGEST_NOTE = 1000


def merge(
    database: Database, journey_id: UUID | str, other_id: UUID | str, *, author: str, note: str | None = None
) -> Told:
    """Let a journey take another one in: all their tracklets are one person.

    Raises:
        UnknownJourneyError: If there is none of an id.
        JourneyStateError: If both are one, or one was taken in already.
        ImpossibleJourneyError: If one person cannot have been at two of their tracklets; names the two.
        ValueError: If the note is too long.
    """
    _require_short(note)
    with database.write() as session:
        writer = _turn(session)
        stored = JourneyRepository(session)
        one, other = stored.by_id(journey_id), stored.by_id(other_id)
        if one.journey_id == other.journey_id:
            raise JourneyStateError(f"{one.journey_id} is one journey, not two")
        kept, moved = _parts(one), _parts(other)
        _require_possible(session, kept, moved)
        writer.link(one.journey_id, moved, author=author)
        writer.end(other.journey_id, one.journey_id)
        writer.record(
            ChangeKind.MERGE, one.journey_id, other.journey_id, kept=kept, moved=moved, author=author, note=note
        )
        writer.tell([one.journey_id, other.journey_id], author=author)
        return told_of(session, one.journey_id)


def split(
    database: Database,
    journey_id: UUID | str,
    tracklet_id: UUID | str,
    *,
    alone: bool = False,
    author: str,
    note: str | None = None,
) -> tuple[Told, Told]:
    """Part a journey: a tracklet, and all that came after it, show somebody else.

    Args:
        database: Of the installation.
        journey_id: The journey.
        tracklet_id: One of its tracklets.
        alone: Only this tracklet goes; what came after it stays.
        author: Who says so.
        note: Why, in words.

    Returns:
        What is left of the journey, and the new one.

    Raises:
        UnknownJourneyError: If there is none of that id.
        JourneyStateError: If it was taken in, the tracklet is not inside, or nothing would be left.
        ValueError: If the note is too long.
    """
    _require_short(note)
    with database.write() as session:
        writer = _turn(session)
        journey = JourneyRepository(session).by_id(journey_id)
        parts = _parts(journey)
        names = [str(link.tracklet.tracklet_id) for link in journey.links]
        if str(tracklet_id).lower() not in names:
            raise JourneyStateError(f"tracklet {str(tracklet_id)[:80]} is not in journey {journey.journey_id}")
        place = names.index(str(tracklet_id).lower())
        only = parts[place].tracklet_no
        moved = [part for part in parts if part.tracklet_no == only] if alone else parts[place:]
        kept = [part for part in parts if part not in moved]
        if not kept:
            raise JourneyStateError(f"nothing would be left of journey {journey.journey_id}")
        fresh = writer.start()
        writer.link(fresh, moved, author=author)
        writer.record(ChangeKind.SPLIT, journey.journey_id, fresh, kept=kept, moved=moved, author=author, note=note)
        writer.tell([journey.journey_id, fresh], author=author)
        return told_of(session, journey.journey_id), told_of(session, fresh)


def undo(database: Database, journey_id: UUID | str, event_id: UUID | str | None = None, *, author: str) -> Told:
    """Take a merge or split back, whoever did it; what came by itself will not come again.

    Args:
        database: Of the installation.
        journey_id: A journey that was part of it.
        event_id: Which; default: the latest of the journey that stands.
        author: Who takes it back.

    Returns:
        The journey that is named, as it is then.

    Raises:
        UnknownJourneyError: If there is no such journey.
        UnknownJourneyEventError: If there is no such merge or split.
        JourneyStateError: If it was undone before, is another journey's, or there is nothing to undo.
        ImpossibleJourneyError: If one person cannot have been at two of the tracklets that would come together.
    """
    with database.write() as session:
        writer = _turn(session)
        stored = JourneyRepository(session)
        journey = stored.by_id(journey_id)
        chosen = _chosen(JourneyHistory(session), journey, event_id)
        event = writer.undo(chosen.event_id, author=author)
        here, there = event.journey_id, event.other_id
        if event.kind is ChangeKind.SPLIT:
            here, there = there, here
        at_hand, stay = ([link.part for link in stored.links(name)] for name in (here, there))
        back = [part for part in at_hand if any(_is_of(part, went) for went in event.moved)]
        if back:
            _require_possible(session, stay, back)
            writer.link(there, back, author=author)
            if len(back) == len(at_hand):
                writer.end(here, there)
        writer.tell([here, there], author=author)
        return told_of(session, journey.journey_id)


def _turn(session: Session) -> JourneyWriter:
    """Wait until nobody else changes what journeys follow; whoever does takes the outbox's turn first."""
    Outbox(session).take_turn()
    return JourneyWriter(session, GenerationRepository(session).current().generation_id)


def _parts(journey: Journey) -> list[Part]:
    if not journey.links:
        raise JourneyStateError(f"journey {journey.journey_id} was taken in by {journey.successor_id}")
    return [link.part for link in journey.links]


def _is_of(part: Part, went: Part) -> bool:
    """Whether a part is (most of) what went over, however its tracklet was cut since."""
    return part == went or part.overlap_s(went) > (part.end_s - part.start_s) / 2


def _chosen(history: JourneyHistory, journey: Journey, event_id: UUID | str | None) -> JourneyEvent:
    if event_id is not None:
        event = history.event(event_id)
        if journey.journey_id not in {event.journey_id, event.other_id}:
            raise JourneyStateError(f"{event.kind.value} {event.event_id} is none of journey {journey.journey_id}")
        return event
    standing = [event for event in history.events(journey.journey_id) if event.undone_by is None]
    if not standing:
        raise JourneyStateError(f"there is nothing to undo of journey {journey.journey_id}")
    return standing[0]


def _require_possible(session: Session, kept: Sequence[Part], moved: Sequence[Part]) -> None:
    """Refuse to bring together what one person cannot be.

    Raises:
        ImpossibleJourneyError: If there is such a pair; names it.
    """
    generation: Generation = GenerationRepository(session).current()
    facts = read_facts(session, generation, [*kept, *moved])
    never = facts.impossible(np.arange(len(kept)), np.arange(len(kept), len(kept) + len(moved)))
    if never.any():
        row, column = np.argwhere(never)[0].tolist()
        one, other = kept[row].tracklet_no, moved[column].tracklet_no
        names = ids_of(session, [one, other])
        raise ImpossibleJourneyError(
            f"tracklet {names[one]} and tracklet {names[other]} were seen in two places at once, "
            "or too soon after one another"
        )


def _require_short(note: str | None) -> None:
    if note is not None and len(note) > LONGEST_NOTE:
        raise ValueError(f"a note has at most {LONGEST_NOTE} letters, this one {len(note)}")
