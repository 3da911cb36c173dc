"""What a job's workflow does: take the job up, run its steps, note its end.

Every act here may be repeated: after a crash the workflow engine calls the act again whose return it did not record.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import structlog

from reid_core.errors import StorageError, StorageFullError
from services.storage.failures import from_disk
from services.storage.job_records import JobState
from services.storage.jobs import JobRepository
from services.trainer.results import StepResults
from services.trainer.step_process import STEP_COMMAND, End, StepEnd, run_in_process
from services.trainer.watch import StepWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from services.settings import Settings
    from services.storage.job_records import Job
    from services.storage.session import Database

__all__ = ["Interrupted", "JobRunner"]

_MOST_DEATHS = 5  # of a step's process in a row, none of which got farther than the one before
_WAITS_S = (1.0, 2.0, 4.0, 8.0, 15.0, *(30.0,) * 20)  # before a step is tried again whose storage was out of reach
_STATE_AFTER = {End.DONE: JobState.SUCCEEDED, End.STOPPED: JobState.CANCELLED}
_Value = TypeVar("_Value")


class Interrupted(BaseException):
    """The worker is stopping; nothing of this must be recorded, so that the job goes on with the next worker."""


class JobRunner:
    """Runs jobs for one worker.

    Args:
        settings: Of the installation.
        database: Its database.
        worker: The worker's name.
        command: Program that does a step; see `step_process`.
        clock: UTC epoch seconds.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        worker: str,
        command: Sequence[str] = STEP_COMMAND,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._database = database
        self._worker = worker
        self._command = command
        self._clock = clock
        self._stopping = Event()
        self._at_work_on: list[str] = []
        self._log = structlog.get_logger().bind(worker=worker)

    def stop(self) -> None:
        """Kill what runs and unwind; jobs stay as they are, to go on with the next worker."""
        self._stopping.set()

    @contextmanager
    def at_work_on(self, job_id: str) -> Iterator[None]:
        """Note, while the block runs, that a thread of this process is at work on the job."""
        self._at_work_on.append(job_id)
        try:
            yield
        finally:
            self._at_work_on.remove(job_id)

    def is_at_work_on(self, job_id: str) -> bool:
        """True while a thread of this process is at work on the job."""
        return job_id in self._at_work_on

    def begin(self, job_id: str) -> bool:
        """Take a job up; False where somebody cancelled it before that."""
        job = self._stored(lambda jobs: jobs.begin(UUID(job_id)))
        self._log.info("job.begun", job_id=job_id, state=job.state.value, attempt=job.attempt)
        return job.state is JobState.RUNNING

    def run_step(self, job_id: str, step: str, steps: Sequence[str]) -> dict[str, Any]:
        """Run one step to its end, however often its process dies on the way.

        Args:
            job_id: The job.
            step: Which of its steps.
            steps: All of its steps, in order, as far as they are known.

        Returns:
            ``how`` it ended (`End`), its ``result``, and the ``reason`` if it failed; JSON.

        Raises:
            Interrupted: If the worker is stopping.
        """
        job = self._stored(lambda jobs: jobs.by_id(UUID(job_id)))
        results = StepResults(self._folder(job))
        if job.state is not JobState.RUNNING:
            end = StepEnd(End.STOPPED, {}, "it was cancelled")
        elif (kept := results.of(step)) is not None:
            end = StepEnd(End.DONE, kept)
        else:
            watch = self._watch(job, step, steps, results)
            end = self._kept(self._insist(job, step, watch), step, watch, results)
        self._log.info("job.step", job_id=job_id, step=step, how=end.how.value, reason=end.reason)
        return {"how": end.how.value, "result": dict(end.result), "reason": end.reason}

    def finish(self, job_id: str, how: str, *, step: str, reason: str, result: Mapping[str, Any]) -> None:
        """Note how a job ended.

        Args:
            job_id: The job.
            how: The last step ended (`End`).
            step: The last step.
            reason: Why it failed.
            result: What came of the job if it succeeded.
        """
        state = _STATE_AFTER.get(End(how), JobState.FAILED)
        error = f"{step}: {reason}" if state is JobState.FAILED else None
        job = self._stored(lambda jobs: jobs.by_id(UUID(job_id)))
        told = {**result, "seconds": StepResults(self._folder(job)).seconds()} if state is JobState.SUCCEEDED else None
        self._stored(lambda jobs: jobs.finish(UUID(job_id), state, result=told, error=error))
        self._log.info("job.ended", job_id=job_id, state=state.value, error=error)

    def _watch(self, job: Job, step: str, steps: Sequence[str], results: StepResults) -> StepWatch:
        newest = self._stored(lambda jobs: jobs.newest(job.kind, recipe=job.recipe, state=JobState.SUCCEEDED))
        return StepWatch(
            step,
            steps,
            here=results.seconds(),
            before=dict((newest.result or {}).get("seconds", {})) if newest else {},
            spent_before_s=float(job.progress.get("step_seconds", 0.0)) if job.step == step else 0.0,
            mirror=partial(self._mirror, job, step),
        )

    def _mirror(self, job: Job, step: str, progress: Mapping[str, Any]) -> bool:
        """Store how far a job is, and hear whether it is still wanted; a database out of reach changes nothing."""
        told = {**progress, "worker": self._worker, "at_s": self._clock()}
        try:
            with self._database.write() as session:
                state = JobRepository(session, clock=self._clock).note(job.job_id, step=step, progress=told)
        except (StorageError, StorageFullError) as error:
            self._log.warning("job.progress_not_stored", error=str(error))
            return True
        return state is JobState.RUNNING

    def _insist(self, job: Job, step: str, watch: StepWatch) -> StepEnd:
        """Start the step's process again when it died or its storage was out of reach, but not for ever."""
        waits = iter(_WAITS_S)
        deaths, farthest = 0, -1
        while True:
            end = run_in_process(
                self._command,
                self._request(job, step),
                on_progress=watch.hear,
                is_wanted=lambda: not self._stopping.is_set() and watch.is_wanted(),
            )
            if self._stopping.is_set():
                raise Interrupted
            if end.how is End.DIED:
                deaths = deaths + 1 if watch.farthest <= farthest else 1
                farthest = watch.farthest
                if deaths >= _MOST_DEATHS:
                    return StepEnd(End.FAILED, {}, f"{end.reason} ({deaths} times at the same place)")
                wait_s: float | None = 0.0
            elif end.is_passing:
                wait_s = next(waits, None)
            else:
                return end
            if wait_s is None:
                return end
            self._log.warning("job.step_again", job_id=str(job.job_id), step=step, reason=end.reason, wait_s=wait_s)
            self._pause(wait_s)

    def _kept(self, end: StepEnd, step: str, watch: StepWatch, results: StepResults) -> StepEnd:
        """The end of a step, its result on disk if it has one."""
        if end.how is not End.DONE:
            return end
        try:
            results.keep(step, end.result, seconds=round(watch.spent_s, 3))
        except OSError as error:
            return StepEnd(End.FAILED, {}, str(from_disk(error, Path(error.filename or results.folder))))
        return end

    def _request(self, job: Job, step: str) -> dict[str, Any]:
        return {
            "step": step,
            "job_id": str(job.job_id),
            "kind": job.kind,
            "recipe": job.recipe,
            "options": dict(job.options),
            "folder": str(self._folder(job).resolve()),
            "locks_dir": str(self._settings.locks_dir.resolve()),
            "settings": self._settings.model_dump(mode="json"),
        }

    def _stored(self, act: Callable[[JobRepository], _Value]) -> _Value:
        """Do something with the jobs' table, and wait for the database for as long as it is out of reach or full."""
        waits = iter(_WAITS_S)
        while True:
            try:
                with self._database.write() as session:
                    return act(JobRepository(session, clock=self._clock))
            except (StorageError, StorageFullError) as error:
                self._log.warning("jobs.out_of_reach", error=str(error))
                self._pause(next(waits, _WAITS_S[-1]))

    def _pause(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise Interrupted

    def _folder(self, job: Job) -> Path:
        return self._settings.jobs_dir / str(job.job_id)
