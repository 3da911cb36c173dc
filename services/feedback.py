"""Feedback as callers give it: what somebody says of two tracklets, and what it contradicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from services.storage.feedback import FeedbackRepository
from services.storage.feedback_records import Verdict
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from uuid import UUID

    from services.storage.feedback_records import Feedback, FeedbackPage
    from services.storage.session import Database

__all__ = ["LONGEST_NOTE", "Given", "give", "list_feedback", "read", "withdraw"]

LONGEST_NOTE = 1000
MOST_CONTRADICTIONS = 20


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody said, as it was stored.

    Attributes:
        feedback: The verdict.
        contradictions: What it contradicts: chains of tracklets, each confirmed to show the person of the one before,
            whose first and last were said to show two people; at most `MOST_CONTRADICTIONS`. Learning believes nothing
            of such a chain.
    """

    feedback: Feedback
    contradictions: tuple[tuple[UUID, ...], ...]


def give(
    database: Database, one: UUID | str, other: UUID | str, verdict: Verdict, *, author: str, note: str | None = None
) -> Given:
    """Store a verdict on two tracklets; one that contradicts others is stored too, and what it contradicts is told.

    Args:
        database: Of the installation.
        one: A tracklet.
        other: Another one.
        verdict: Whether they show one person.
        author: Who says so.
        note: Why, in words.

    Raises:
        UnknownTrackletError: If there is no such tracklet.
        FeedbackError: If both are one tracklet.
        ValueError: If the note is too long.
    """
    if note is not None and len(note) > LONGEST_NOTE:
        raise ValueError(f"a note has at most {LONGEST_NOTE} letters, this one {len(note)}")
    with database.write() as session:
        stored = FeedbackRepository(session)
        feedback = stored.add(one, other, verdict, author=author, note=note)
        verdicts = stored.verdicts()
    given = Given(feedback, _contradicted(feedback, verdicts))
    for chain in given.contradictions:
        names = [str(tracklet_id) for tracklet_id in chain]
        structlog.get_logger().warning("feedback.contradiction", feedback_id=str(feedback.feedback_id), chain=names)
    return given


def read(database: Database, feedback_id: UUID | str) -> Feedback:
    """One verdict.

    Raises:
        UnknownFeedbackError: If there is none of that id.
    """
    with database.read() as session:
        return FeedbackRepository(session).by_id(feedback_id)


def withdraw(database: Database, feedback_id: UUID | str) -> Feedback:
    """Take a verdict back; it stays in the history.

    Raises:
        UnknownFeedbackError: If there is none of that id.
    """
    with database.write() as session:
        return FeedbackRepository(session).withdraw(feedback_id)


def list_feedback(
    database: Database, *, tracklet_id: UUID | str | None = None, limit: int = 50, cursor: str | None = None
) -> FeedbackPage:
    """One page of all that was said, newest first.

    Raises:
        UnknownTrackletError: If there is no such tracklet.
        InputError: If the cursor is not one that a page gave out.
    """
    with database.read() as session:
        wanted = None if tracklet_id is None else TrackletRepository(session).by_id(tracklet_id).tracklet_id
        return FeedbackRepository(session).list(tracklet_id=wanted, limit=limit, cursor=cursor)


def _contradicted(feedback: Feedback, verdicts: dict[tuple[UUID, UUID], Verdict]) -> tuple[tuple[UUID, ...], ...]:
    """The chains that this verdict tears, or joins the last link of."""
    from reid_core.association.verdicts import chains, torn

    pair = (feedback.tracklet_a, feedback.tracklet_b)
    same = [told for told, verdict in verdicts.items() if verdict is Verdict.SAME]
    if feedback.verdict is Verdict.DIFFERENT:
        return chains(same, [pair])
    different = [told for told, verdict in verdicts.items() if verdict is Verdict.DIFFERENT]
    before = set(torn((told for told in same if told != pair), different))
    return chains(same, [told for told in torn(same, different) if told not in before][:MOST_CONTRADICTIONS])
