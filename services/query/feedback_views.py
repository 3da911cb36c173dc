"""Stored feedback to the forms of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.query.feedback_schemas import FeedbackAnswer, FeedbackList, FeedbackView
from services.query.schemas import moment

if TYPE_CHECKING:
    from services.feedback import Given
    from services.storage.feedback_records import Feedback, FeedbackPage

__all__ = ["feedback_answer", "feedback_page_view", "feedback_view"]


def feedback_view(feedback: Feedback) -> FeedbackView:
    """One verdict."""
    return FeedbackView(**_told(feedback))


def feedback_answer(given: Given) -> FeedbackAnswer:
    """A verdict that was just given."""
    return FeedbackAnswer(**_told(given.feedback), contradictions=[list(chain) for chain in given.contradictions])


def feedback_page_view(page: FeedbackPage) -> FeedbackList:
    """A page of feedback."""
    return FeedbackList(items=[feedback_view(one) for one in page.items], next_cursor=page.next_cursor)


def _told(feedback: Feedback) -> dict[str, Any]:
    return {
        "feedback_id": feedback.feedback_id,
        "tracklet_a": feedback.tracklet_a,
        "tracklet_b": feedback.tracklet_b,
        "verdict": feedback.verdict.value,
        "counts": feedback.counts,
        "note": feedback.note,
        "author": feedback.author,
        "created": moment(feedback.created_at_s),
        "withdrawn": None if feedback.withdrawn_at_s is None else moment(feedback.withdrawn_at_s),
    }
