"""What is stored of feedback, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ["Feedback", "FeedbackPage", "Verdict"]


class Verdict(StrEnum):
    """What somebody said of two tracklets: one person, or two."""

    SAME = "same"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody said of two tracklets.

    Attributes:
        tracklet_a: The smaller of the two ids.
        tracklet_b: The larger.
        counts: Whether it is what holds of the pair: the latest verdict on it that was not withdrawn.
    """

    feedback_id: UUID
    tracklet_a: UUID
    tracklet_b: UUID
    verdict: Verdict
    author: str
    note: str | None
    created_at_s: float
    withdrawn_at_s: float | None
    counts: bool


@dataclass(frozen=True, slots=True)
class FeedbackPage:
    """Some feedback, newest first; ``next_cursor`` leads to the page after, ``None`` on the last."""

    items: tuple[Feedback, ...]
    next_cursor: str | None
