"""What is stored of a job, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

__all__ = ["UNFINISHED", "Job", "JobPage", "JobState"]


class JobState(StrEnum):
    """Where a job stands. It moves down this list; only `retry` takes a failed or cancelled one back to the top."""

    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    FAILED = "failed"
    SUCCEEDED = "succeeded"

    @property
    def is_final(self) -> bool:
        """True where nothing more will happen by itself."""
        return self in {JobState.CANCELLED, JobState.FAILED, JobState.SUCCEEDED}


UNFINISHED = (JobState.QUEUED, JobState.RUNNING, JobState.CANCELLING)


@dataclass(frozen=True, slots=True)
class Job:
    """Long work.

    Attributes:
        kind: What is to be done, such as ``train``.
        recipe: By which recipe, where the kind has any.
        options: What else was asked for; ``attempt`` counts from 1.
        step: The step that runs, or ran last.
        progress: How far it is, as its worker last told.
        result: What came of it, once it succeeded.
        error: Why it failed, or who cancelled it.
        author: Who asked for it.
    """

    job_id: UUID
    kind: str
    recipe: str | None
    options: Mapping[str, Any]
    state: JobState
    step: str | None
    progress: Mapping[str, Any]
    result: Mapping[str, Any] | None
    error: str | None
    author: str | None
    created_at_s: float
    started_at_s: float | None
    finished_at_s: float | None

    @property
    def attempt(self) -> int:
        """1 for the first, one more for each retry."""
        return int(self.options.get("attempt", 1))


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs, newest first; ``next_cursor`` leads to the page after, ``None`` on the last."""

    items: tuple[Job, ...]
    next_cursor: str | None
