"""Feedback: whether two tracklets show one person. The next training cycle learns from it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services import feedback
from services.query.dependencies import Running
from services.query.feedback_schemas import FeedbackAnswer, FeedbackBody, FeedbackList, FeedbackView
from services.query.feedback_views import feedback_answer, feedback_page_view, feedback_view
from services.query.routes.answers import INVALID, NO_FEEDBACK, NO_PAIR, NO_TRACKLET
from services.storage.feedback_records import Verdict

router = APIRouter(prefix="/feedback", tags=["feedback"])


@router.post("", status_code=201, summary="Say whether two tracklets show one person", responses=NO_TRACKLET | NO_PAIR)
def give_feedback(service: Running, body: FeedbackBody, response: Response) -> FeedbackAnswer:
    """Stores a verdict; of several on one pair the latest counts. What it contradicts is named."""
    given = feedback.give(
        service.database, body.tracklet_a, body.tracklet_b, Verdict(body.verdict), author="http", note=body.note
    )
    response.headers["Location"] = f"/v1/feedback/{given.feedback.feedback_id}"
    return feedback_answer(given)


@router.get("", summary="A page of feedback", responses=NO_TRACKLET | INVALID)
def list_feedback(
    service: Running,
    *,
    tracklet_id: Annotated[UUID | None, Query(description="Only of pairs with this tracklet.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Verdicts a page.")] = 50,
    cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")] = None,
) -> FeedbackList:
    """All that was said, newest first, with what was withdrawn."""
    page = feedback.list_feedback(service.database, tracklet_id=tracklet_id, limit=limit, cursor=cursor)
    return feedback_page_view(page)


@router.get("/{feedback_id}", summary="One verdict", responses=NO_FEEDBACK | INVALID)
def read_feedback(service: Running, feedback_id: UUID) -> FeedbackView:
    """A verdict, and whether it is the one that counts."""
    return feedback_view(feedback.read(service.database, feedback_id))


@router.delete("/{feedback_id}", summary="Withdraw a verdict", responses=NO_FEEDBACK | INVALID)
def withdraw_feedback(service: Running, feedback_id: UUID) -> FeedbackView:
    """Takes a verdict back; it stays in the history, and what was said of the pair before counts again."""
    return feedback_view(feedback.withdraw(service.database, feedback_id))
