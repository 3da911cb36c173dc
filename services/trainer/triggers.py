"""Training cycles that start by themselves: by the clock, and by the number of new tracklets.

Each occasion has a job id that follows from it alone, and a job's id exists once: so an occasion gives one job, however
many workers see it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from croniter import CroniterError, croniter
from sqlalchemy import func, select

from reid_core.errors import ScheduleError
from services.jobs import TRAIN, require_recipe
from services.storage.job_records import UNFINISHED, Job
from services.storage.jobs import JobRepository
from services.storage.tables import TrackletRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from services.settings import Settings
    from services.storage.session import Database

__all__ = ["Triggers", "last_occurrence_s"]

_OCCASIONS = UUID("8f5d2b0e-6f3c-5a55-9a43-52c0a4a5e9b1")
_GRACE_S = 300.0  # an occurrence this long before a worker started was missed by a restart, not by a long absence
_FIELDS = 5


def last_occurrence_s(schedule: str, now_s: float) -> float:
    """When a schedule last came due.

    Args:
        schedule: Cron expression of five fields: minute, hour, day of month, month, day of week; UTC.
        now_s: UTC epoch seconds.

    Returns:
        UTC epoch seconds, at most ``now_s``.

    Raises:
        ScheduleError: If the expression cannot be read or never comes due.

    Example:
        >>> last_occurrence_s("30 3 * * *", 1_767_254_400.0)  # 2026-01-01T08:00:00Z
        1767238200.0
    """
    if len(schedule.split()) != _FIELDS:
        raise ScheduleError(f"{schedule!r} has not the five fields minute, hour, day, month, weekday")
    soon = datetime.fromtimestamp(int(now_s) + 1, UTC)  # an occurrence counts from its very second on
    try:
        found: datetime = croniter(schedule, soon).get_prev(datetime)
    except CroniterError as error:
        raise ScheduleError(f"{schedule!r}: {error}") from error
    return found.timestamp()


class Triggers:
    """Asks for training cycles when the settings say so.

    Args:
        settings: Of the installation.
        clock: UTC epoch seconds.

    Raises:
        ScheduleError: If the schedule cannot be read.
        RecipeError: If something is set that starts cycles, and there is no such recipe.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float]) -> None:
        self._recipe = settings.train_recipe
        self._schedule = settings.train_schedule
        self._after_tracklets = settings.train_after_tracklets
        self._clock = clock
        self._since_s = clock() - _GRACE_S
        if self._schedule:
            last_occurrence_s(self._schedule, clock())
        if self._schedule or self._after_tracklets:
            require_recipe(self._recipe)

    def ask(self, database: Database) -> Job | None:
        """The training cycle that was due, if one was and none is waiting or running already."""
        if not self._schedule and not self._after_tracklets:
            return None
        with database.write() as session:
            jobs = JobRepository(session, clock=self._clock)
            jobs.take_turns()
            last = jobs.newest(TRAIN)
            if last is not None and last.state in UNFINISHED:
                return None
            return self._by_schedule(jobs) or self._by_tracklets(session, jobs, last)

    def _by_schedule(self, jobs: JobRepository) -> Job | None:
        if not self._schedule:
            return None
        due_s = last_occurrence_s(self._schedule, self._clock())
        if due_s < self._since_s:
            return None
        return self._add(jobs, f"schedule {due_s:.0f}", author="schedule")

    def _by_tracklets(self, session: Session, jobs: JobRepository, last: Job | None) -> Job | None:
        if not self._after_tracklets:
            return None
        since_s = float("-inf") if last is None else last.started_at_s or last.created_at_s
        statement = select(func.count(TrackletRow.tracklet_no))
        if last is not None:
            statement = statement.where(TrackletRow.created_at_s > since_s)
        if (session.scalar(statement) or 0) < self._after_tracklets:
            return None
        return self._add(jobs, f"tracklets after {last.job_id if last else 'none'}", author="new tracklets")

    def _add(self, jobs: JobRepository, occasion: str, *, author: str) -> Job | None:
        job_id = uuid5(_OCCASIONS, occasion)
        return jobs.add(TRAIN, recipe=self._recipe, options={"seed": 0}, author=author, job_id=job_id)
