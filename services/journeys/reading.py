"""Journeys to look at: a page of them, or one with its tracklets and its history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.journeys.verdicts import ids_of
from services.storage.journeys import JourneyRepository
from services.storage.journeys_history import JourneyHistory
from services.storage.journeys_records import JourneyWhere

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy.orm import Session

    from services.storage.journeys_records import Journey, JourneyEvent, JourneyPage, JourneyState
    from services.storage.session import Database

__all__ = ["Listed", "Told", "list_journeys", "read", "told_of"]


@dataclass(frozen=True, slots=True)
class Told:
    """A journey with all that is told of it.

    Attributes:
        journey: As it is now.
        history: Its merges and splits, newest first.
        names: Ids of the tracklets that the history names, by number.
    """

    journey: Journey
    history: Sequence[JourneyEvent]
    names: dict[int, UUID]


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of journeys, and up to where they follow what is stored (``None`` before they were first built)."""

    page: JourneyPage
    state: JourneyState | None


def list_journeys(
    database: Database,
    where: JourneyWhere = JourneyWhere(),  # noqa: B008 - frozen
    *,
    limit: int = 50,
    cursor: str | None = None,
) -> Listed:
    """One page of journeys by their start.

    Raises:
        InputError: If the cursor is not one that a page gave out.
    """
    with database.read() as session:
        stored = JourneyRepository(session)
        return Listed(stored.list(where, limit=limit, cursor=cursor), stored.state())


def read(database: Database, journey_id: UUID | str) -> Told:
    """One journey.

    Raises:
        UnknownJourneyError: If there is none of that id.
    """
    with database.read() as session:
        return told_of(session, journey_id)


def told_of(session: Session, journey_id: UUID | str) -> Told:
    """One journey, in the caller's transaction; see `read`."""
    stored = JourneyRepository(session)
    journey = stored.by_id(journey_id)
    history = JourneyHistory(session).events(journey.journey_id)
    named = {part.tracklet_no for event in history for part in (*event.kept, *event.moved)}
    return Told(journey, history, ids_of(session, named))
