"""The forms of journeys, with examples."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.journeys.acts import LONGEST_NOTE
from services.query.examples import GENERATION, OTHER_ID, TRACKLET, TRACKLET_ID
from services.query.schemas import Share, TrackletView, example

JOURNEY_ID = "01a1f8b5-7d11-7c20-9a64-2f0e8d5b1c33"
OTHER_JOURNEY_ID = "01a1f8b5-9f40-7e81-b1c7-6a3d0e9f4b58"
EVENT_ID = "01a1f8b6-02aa-7b19-8d53-c4e7f1a60d92"
_EVENT = {
    "event_id": EVENT_ID,
    "kind": "merge",
    "journey_id": JOURNEY_ID,
    "other_id": OTHER_JOURNEY_ID,
    "generation_id": GENERATION["generation_id"],
    "author": "anna",
    "note": "same bag",
    "log_odds": 0.4,
    "created": "2026-01-01T09:12:44Z",
    "undone": None,
    "undone_by": None,
    "kept": [TRACKLET_ID],
    "moved": [OTHER_ID],
}
_EVIDENCE = {
    "tracklet_id": TRACKLET_ID,
    "probability": 0.94,
    "visual_log_odds": 5.31,
    "time_log_odds": 2.14,
    "prior_log_odds": -4.7,
}
_LINK = {
    "generation_id": GENERATION["generation_id"],
    "joined": "2026-01-01T08:02:10Z",
    "author": None,
    "evidence": _EVIDENCE,
}
_PART = {"is_whole": True, "offset_s": 0.0, "duration_s": 8.7}
_SUMMARY = {
    "journey_id": JOURNEY_ID,
    "generation_id": GENERATION["generation_id"],
    "created": "2026-01-01T08:00:30Z",
    "start": "2026-01-01T08:00:02.400000Z",
    "end": "2026-01-01T08:00:49.900000Z",
    "camera_ids": ["gate", "hall"],
    "tracklet_count": 2,
}
_JOURNEY = {
    **_SUMMARY,
    "successor_id": None,
    "tracklets": [{**TRACKLET, "part": _PART, "link": _LINK}],
    "history": [_EVENT],
}
_STATE = {
    "generation_id": GENERATION["generation_id"],
    "built": "2026-01-01T08:00:00Z",
    "conflicts": [[TRACKLET_ID, OTHER_ID]],
}
_AUTHOR = Field(default="http", min_length=1, max_length=200, description="Who does it; kept in the history.")
_NOTE = Field(default=None, max_length=LONGEST_NOTE, description="Why, in words.")


class LinkEvidenceView(BaseModel):
    """What speaks for a tracklet being in its journey: its likeliest pair with another tracklet there.

    Log-odds are in nats; prior and both parts add up to the logit of the probability.
    """

    model_config = example(_EVIDENCE)

    tracklet_id: UUID | None = Field(description="The other tracklet.")
    probability: Share
    visual_log_odds: float
    time_log_odds: float | None = Field(description="Null where place and time say nothing.")
    prior_log_odds: float


class PartView(BaseModel):
    """Which part of a tracklet is in the journey."""

    model_config = example(_PART)

    is_whole: bool
    offset_s: float = Field(description="From the tracklet's start to the part's.")
    duration_s: float


class JourneyLinkView(BaseModel):
    """How a tracklet came into its journey."""

    model_config = example(_LINK)

    generation_id: UUID = Field(description="By whose evidence.")
    joined: datetime
    author: str | None = Field(description="Who put it there; null where it came by itself.")
    evidence: LinkEvidenceView | None = Field(
        description="Null for a journey's only tracklet, for one that somebody put there, and where nothing is "
        "calibrated."
    )


class JourneyTracklet(TrackletView):
    """A tracklet of a journey; one that shows several people one after another is in several journeys, part by part."""

    model_config = example({**TRACKLET, "part": _PART, "link": _LINK})

    part: PartView
    link: JourneyLinkView


class JourneySummaryView(BaseModel):
    """One person's way over all cameras. Times are null where no clock of its tracklets is known."""

    model_config = example(_SUMMARY)

    journey_id: UUID
    generation_id: UUID = Field(description="Under which it began.")
    created: datetime
    start: datetime | None
    end: datetime | None
    camera_ids: list[str] = Field(description="In the order in which they first saw the person.")
    tracklet_count: int


class JourneyEventView(BaseModel):
    """A merge or a split of two journeys."""

    model_config = example(_EVENT)

    event_id: UUID
    kind: Literal["merge", "split"]
    journey_id: UUID = Field(description="The journey that went on: that took the other one in, or was left.")
    other_id: UUID = Field(description="The journey that was taken in, or to which some tracklets went.")
    generation_id: UUID
    author: str | None = Field(description="Null where it came by itself.")
    note: str | None
    log_odds: float | None = Field(
        description="Mean log-odds, in nats, of the pairs between both sides then; null for what somebody did."
    )
    created: datetime
    undone: datetime | None
    undone_by: str | None
    kept: list[UUID] = Field(description="Tracklets that stayed.")
    moved: list[UUID] = Field(description="Tracklets that went over.")


class JourneyView(JourneySummaryView):
    """A journey with its tracklets in order of time, what speaks for each, and its merges and splits."""

    model_config = example(_JOURNEY)

    successor_id: UUID | None = Field(description="The journey that took it in; it has no tracklets then.")
    tracklets: list[JourneyTracklet]
    history: list[JourneyEventView] = Field(description="The newest first.")


class JourneyStateView(BaseModel):
    """When the journeys were last built as a whole, by whose evidence, and which verdicts could not be held."""

    model_config = example(_STATE)

    generation_id: UUID
    built: datetime
    conflicts: list[list[UUID]] = Field(
        description="Chains of tracklets, each said to show the person of the one before, whose ends are two people: "
        "because somebody said so, or because they were in two places at once. Nothing of a chain is held."
    )


class JourneyList(BaseModel):
    """Some journeys by their start; ``next_cursor`` leads to those after, null on the last page."""

    model_config = example({"items": [_SUMMARY], "next_cursor": None, "state": _STATE})

    items: list[JourneySummaryView]
    next_cursor: str | None
    state: JourneyStateView | None = Field(description="Null before a worker has built the first journeys.")


class MergeBody(BaseModel):
    """Take another journey in: all tracklets of both are one person."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"journey_id": OTHER_JOURNEY_ID, "author": "anna", "note": "same bag"}]},
    )

    journey_id: UUID = Field(description="The one that is taken in.")
    author: str = _AUTHOR
    note: str | None = _NOTE


class SplitBody(BaseModel):
    """Part a journey before a tracklet."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"tracklet_id": OTHER_ID, "alone": False, "author": "anna"}]}
    )

    tracklet_id: UUID = Field(description="It goes to a new journey, and so does all that came after it.")
    alone: bool = Field(default=False, description="Only it goes; what came after it stays.")
    author: str = _AUTHOR
    note: str | None = _NOTE


class UndoBody(BaseModel):
    """Take a merge or split back."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"event_id": EVENT_ID, "author": "anna"}, {}]}
    )

    event_id: UUID | None = Field(default=None, description="Which; default: the journey's latest that stands.")
    author: str = _AUTHOR


class SplitAnswer(BaseModel):
    """What is left of a journey, and what went."""

    model_config = example({"journey": _JOURNEY, "split_off": {**_JOURNEY, "journey_id": OTHER_JOURNEY_ID}})

    journey: JourneyView
    split_off: JourneyView
