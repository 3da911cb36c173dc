"""The forms of feedback, with examples."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.feedback import LONGEST_NOTE
from services.query.examples import OTHER_ID, TRACKLET_ID
from services.query.schemas import example

_FEEDBACK = {
    "feedback_id": "01a1f8a0-77d1-7f0a-8c2e-5b1d9e0c3a42",
    "tracklet_a": TRACKLET_ID,
    "tracklet_b": OTHER_ID,
    "verdict": "same",
    "counts": True,
    "note": "same bag",
    "author": "http",
    "created": "2026-01-01T09:12:44Z",
    "withdrawn": None,
}


class FeedbackBody(BaseModel):
    """Two tracklets show one person, or two."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"tracklet_a": TRACKLET_ID, "tracklet_b": OTHER_ID, "verdict": "same", "note": "same bag"}]
        },
    )

    tracklet_a: UUID
    tracklet_b: UUID
    verdict: Literal["same", "different"]
    note: str | None = Field(default=None, max_length=LONGEST_NOTE)


class FeedbackView(BaseModel):
    """What somebody said of two tracklets; the smaller id stands first."""

    model_config = example(_FEEDBACK)

    feedback_id: UUID
    tracklet_a: UUID
    tracklet_b: UUID
    verdict: Literal["same", "different"]
    counts: bool = Field(description="True for the latest verdict on its pair that was not withdrawn.")
    note: str | None
    author: str
    created: datetime
    withdrawn: datetime | None


class FeedbackAnswer(FeedbackView):
    """What somebody said, and what it contradicts."""

    model_config = example(
        {
            **_FEEDBACK,
            "verdict": "different",
            "contradictions": [[TRACKLET_ID, "01980a6e-7d20-7b11-a2c4-90e1f3b5d786", OTHER_ID]],
        }
    )

    contradictions: list[list[UUID]] = Field(
        description="At most 20 chains of tracklets, each confirmed to show the person of the one before; the first "
        "and the last were said to show two people. Learning believes nothing of such a chain until it is resolved."
    )


class FeedbackList(BaseModel):
    """Some feedback, newest first; ``next_cursor`` leads to what came before, null on the last page."""

    model_config = example({"items": [_FEEDBACK], "next_cursor": None})

    items: list[FeedbackView]
    next_cursor: str | None
