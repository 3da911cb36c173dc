"""Stored journeys to the forms of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.query.journeys_schemas import (
    JourneyEventView,
    JourneyLinkView,
    JourneyList,
    JourneyStateView,
    JourneySummaryView,
    JourneyTracklet,
    JourneyView,
    LinkEvidenceView,
    PartView,
)
from services.query.schemas import moment
from services.query.views import tracklet_view

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from uuid import UUID

    from services.journeys.reading import Listed, Told
    from services.storage.journeys_records import JourneyEvent, JourneyState, JourneySummary, Link, Part

__all__ = ["journey_page_view", "journey_view"]


def journey_page_view(listed: Listed) -> JourneyList:
    """A page of journeys."""
    return JourneyList(
        items=[JourneySummaryView(**_summary(one)) for one in listed.page.items],
        next_cursor=listed.page.next_cursor,
        state=None if listed.state is None else _state(listed.state),
    )


def journey_view(told: Told) -> JourneyView:
    """One journey with all that is told of it."""
    return JourneyView(
        **_summary(told.journey.summary()),
        successor_id=told.journey.successor_id,
        tracklets=[_tracklet(link) for link in told.journey.links],
        history=[_event(event, told.names) for event in told.history],
    )


def _summary(one: JourneySummary) -> dict[str, Any]:
    return {
        "journey_id": one.journey_id,
        "generation_id": one.generation_id,
        "created": moment(one.created_at_s),
        "start": _moment(one.start_s),
        "end": _moment(one.end_s),
        "camera_ids": list(one.camera_ids),
        "tracklet_count": one.tracklet_count,
    }


def _tracklet(link: Link) -> JourneyTracklet:
    evidence = link.evidence
    seen = None
    if evidence is not None:
        seen = LinkEvidenceView(
            tracklet_id=link.with_id,
            probability=round(evidence.probability, 6),
            visual_log_odds=round(evidence.visual, 4),
            time_log_odds=None if evidence.time is None else round(evidence.time, 4),
            prior_log_odds=round(evidence.prior, 4),
        )
    view = JourneyLinkView(
        generation_id=link.generation_id, joined=moment(link.joined_at_s), author=link.author, evidence=seen
    )
    stored, part = link.tracklet, link.part
    shown = PartView(
        is_whole=(part.start_s, part.end_s) == (stored.start_s, stored.end_s),
        offset_s=round(part.start_s - stored.start_s, 6),
        duration_s=round(part.end_s - part.start_s, 6),
    )
    return JourneyTracklet(**tracklet_view(stored).model_dump(), part=shown, link=view)


def _event(event: JourneyEvent, names: Mapping[int, UUID]) -> JourneyEventView:
    return JourneyEventView(
        event_id=event.event_id,
        kind=event.kind.value,
        journey_id=event.journey_id,
        other_id=event.other_id,
        generation_id=event.generation_id,
        author=event.author,
        note=event.note,
        log_odds=None if event.log_odds is None else round(event.log_odds, 4),
        created=moment(event.created_at_s),
        undone=_moment(event.undone_at_s),
        undone_by=event.undone_by,
        kept=_ids(event.kept, names),
        moved=_ids(event.moved, names),
    )


def _ids(parts: Iterable[Part], names: Mapping[int, UUID]) -> list[UUID]:
    """Of the tracklets, each once."""
    return list(dict.fromkeys(names[part.tracklet_no] for part in parts))


def _state(state: JourneyState) -> JourneyStateView:
    return JourneyStateView(
        generation_id=state.generation_id,
        built=moment(state.built_at_s),
        conflicts=[list(chain) for chain in state.conflicts],
    )


def _moment(time_s: float | None) -> datetime | None:
    return None if time_s is None else moment(time_s)
