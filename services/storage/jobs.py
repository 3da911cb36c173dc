"""Jobs: long work that was asked for, how far it is, and what came of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import and_, or_, select, text, update

from reid_core.errors import JobStateError, UnknownJobError
from services.identifiers import new_uuid7
from services.storage.created_cursor import decode_created_cursor, encode_created_cursor
from services.storage.generations import GenerationRepository
from services.storage.job_records import UNFINISHED, Job, JobPage, JobState
from services.storage.statements import insert_into
from services.storage.tables import JobRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from reid_core.ports import Clock

_LOCK_NO = 7_265_108  # any number: it only has to differ from other advisory locks of this database
_MAX_PAGE = 1000


class JobRepository:
    """Jobs of one installation.

    Args:
        session: The transaction; a writing one for all but `by_id`, `list`, `unfinished` and `newest`.
        clock: UTC epoch seconds.
    """

    def __init__(self, session: Session, *, clock: Clock = time.time) -> None:
        self._session = session
        self._clock = clock

    def add(
        self,
        kind: str,
        *,
        recipe: str | None,
        options: Mapping[str, Any],
        author: str,
        job_id: UUID | None = None,
    ) -> Job | None:
        """Store a job that waits for a worker; ``None`` where there is one of this id already."""
        made_id = job_id or new_uuid7(clock=self._clock)
        statement = insert_into(self._session, JobRow).values(
            job_id=made_id,
            kind=kind,
            recipe=recipe,
            options={**options, "attempt": 1},
            state=JobState.QUEUED.value,
            author=author,
            created_at_s=self._clock(),
        )
        statement = statement.on_conflict_do_nothing(index_elements=["job_id"])
        made = self._session.execute(statement.returning(JobRow.job_id)).first()
        return None if made is None else self.by_id(made_id)

    def by_id(self, job_id: UUID | str) -> Job:
        """One job.

        Raises:
            UnknownJobError: If there is none of that id, or the text is no id.
        """
        return _job(self._row(job_id, to_change=False))

    def unfinished(self) -> list[Job]:
        """Jobs of which something is still to be done, oldest first."""
        states = [state.value for state in UNFINISHED]
        statement = select(JobRow).where(JobRow.state.in_(states)).order_by(JobRow.created_at_s, JobRow.job_id)
        return [_job(row) for row in self._session.scalars(statement)]

    def newest(self, kind: str, *, recipe: str | None = None, state: JobState | None = None) -> Job | None:
        """The job of this kind that was asked for last."""
        statement = select(JobRow).where(JobRow.kind == kind)
        if recipe is not None:
            statement = statement.where(JobRow.recipe == recipe)
        if state is not None:
            statement = statement.where(JobRow.state == state.value)
        row = self._session.scalars(
            statement.order_by(JobRow.created_at_s.desc(), JobRow.job_id.desc()).limit(1)
        ).first()
        return None if row is None else _job(row)

    def begin(self, job_id: UUID) -> Job:
        """Note that a worker has taken the job up, unless somebody cancelled it meanwhile; says where it stands now.

        What an earlier attempt had made a candidate is one again.
        """
        row = self._row(job_id)
        if row.state == JobState.QUEUED:
            row.state = JobState.RUNNING.value
            row.started_at_s = self._clock()
            row.error = None
            GenerationRepository(self._session).take_up_again(job_id)
        elif row.state == JobState.CANCELLING:
            self.finish(job_id, JobState.CANCELLED)
        self._session.flush()
        return _job(row)

    def note(self, job_id: UUID, *, step: str, progress: Mapping[str, Any]) -> JobState:
        """Note how far a running job is; says where it stands, so that the worker hears of a cancellation."""
        statement = (
            update(JobRow)
            .where(JobRow.job_id == job_id, JobRow.state.in_([JobState.RUNNING.value, JobState.CANCELLING.value]))
            .values(step=step, progress=dict(progress))
            .returning(JobRow.state)
        )
        found = self._session.execute(statement).scalar()
        return JobState(found) if found is not None else self.by_id(job_id).state

    def finish(
        self, job_id: UUID, state: JobState, *, result: Mapping[str, Any] | None = None, error: str | None = None
    ) -> Job:
        """Note how a job ended; a job that has ended keeps its end.

        If it failed or was cancelled, its candidate is given up, which nobody would decide on any more.

        Raises:
            ValueError: If the state is not an end.
        """
        if not state.is_final:
            raise ValueError(f"{state} is not how a job ends")
        row = self._row(job_id)
        if not JobState(row.state).is_final:
            row.state = state.value
            row.result = None if result is None else dict(result)
            row.error = error
            if state is JobState.SUCCEEDED:
                row.progress = row.progress and {**row.progress, "share": 1.0, "eta_s": 0.0}
            row.finished_at_s = self._clock()
            self._session.flush()
            if state is not JobState.SUCCEEDED:
                reason = f"job {job_id} has {_ENDED[state]}" + (f" ({error})" if error else "")
                GenerationRepository(self._session).give_up(job_id, reason=reason)
        return _job(row)

    def cancel(self, job_id: UUID | str) -> Job:
        """Ask for a job's end: at once where it waits, within seconds where it runs.

        Raises:
            UnknownJobError: If there is none of that id.
            JobStateError: If it has ended already.
        """
        row = self._row(job_id)
        state = JobState(row.state)
        if state.is_final:
            raise JobStateError(f"{row.job_id} has {_ENDED[state]} and cannot be cancelled")
        if state is JobState.QUEUED:
            return self.finish(row.job_id, JobState.CANCELLED)
        row.state = JobState.CANCELLING.value
        self._session.flush()
        return _job(row)

    def retry(self, job_id: UUID | str) -> Job:
        """Let a failed or cancelled job go on where it stopped.

        Raises:
            UnknownJobError: If there is none of that id.
            JobStateError: If it has not ended, or succeeded.
        """
        row = self._row(job_id)
        state = JobState(row.state)
        if state not in {JobState.FAILED, JobState.CANCELLED}:
            raise JobStateError(f"{row.job_id} {_ENDED.get(state, f'is {state}')}; only what failed can be retried")
        row.state = JobState.QUEUED.value
        row.options = {**row.options, "attempt": _job(row).attempt + 1}
        row.error = row.result = row.started_at_s = row.finished_at_s = None
        self._session.flush()
        return _job(row)

    def list(self, *, state: JobState | None = None, limit: int = 50, cursor: str | None = None) -> JobPage:
        """One page of jobs, newest first.

        Raises:
            InputError: If the cursor is not one that a page gave out.
            ValueError: If the limit is out of range.
        """
        if not 1 <= limit <= _MAX_PAGE:
            raise ValueError(f"limit must lie in [1, {_MAX_PAGE}], got {limit}")
        statement = select(JobRow).order_by(JobRow.created_at_s.desc(), JobRow.job_id.desc()).limit(limit + 1)
        if state is not None:
            statement = statement.where(JobRow.state == state.value)
        if cursor is not None:
            created_at_s, job_id = decode_created_cursor(cursor)
            same_time = and_(JobRow.created_at_s == created_at_s, JobRow.job_id < job_id)
            statement = statement.where(or_(JobRow.created_at_s < created_at_s, same_time))
        rows = self._session.scalars(statement).all()
        items = tuple(_job(row) for row in rows[:limit])
        more = len(rows) > limit
        return JobPage(items, encode_created_cursor(items[-1].created_at_s, items[-1].job_id) if more else None)

    def take_turns(self) -> None:
        """Let one transaction at a time decide what to ask for by itself; SQLite's write lock does it already."""
        if self._session.get_bind().dialect.name == "postgresql":
            self._session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NO})

    def _row(self, job_id: UUID | str, *, to_change: bool = True) -> JobRow:
        try:
            wanted = job_id if isinstance(job_id, UUID) else UUID(job_id)
        except ValueError as error:
            raise UnknownJobError(str(job_id)) from error
        statement = select(JobRow).where(JobRow.job_id == wanted)
        row = self._session.scalars(statement.with_for_update() if to_change else statement).one_or_none()
        if row is None:
            raise UnknownJobError(str(job_id))
        return row


_ENDED = {JobState.SUCCEEDED: "succeeded", JobState.FAILED: "failed", JobState.CANCELLED: "been cancelled"}


def _job(row: JobRow) -> Job:
    return Job(
        job_id=row.job_id,
        kind=row.kind,
        recipe=row.recipe,
        options=dict(row.options),
        state=JobState(row.state),
        step=row.step,
        progress=dict(row.progress or {}),
        result=row.result,
        error=row.error,
        author=row.author,
        created_at_s=row.created_at_s,
        started_at_s=row.started_at_s,
        finished_at_s=row.finished_at_s,
    )
