"""A worker: runs jobs one at a time, takes over those of workers that have died, and keeps the journeys up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog
from dbos import DBOS, SetWorkflowID
from sqlalchemy import make_url

from reid_core.errors import StorageError, StorageFullError
from services import bootstrap
from services.journeys.following import JourneyFollower
from services.storage.failures import in_our_words
from services.storage.job_records import JobState
from services.storage.jobs import JobRepository
from services.trainer.engine_log import take_engine_log
from services.trainer.locks import lock_if_free, worker_file, worker_lock
from services.trainer.missing_vectors import ask_for_missing
from services.trainer.runner import JobRunner
from services.trainer.step_process import STEP_COMMAND
from services.trainer.triggers import Triggers
from services.trainer.workflow import QUEUE, WORKFLOWS, engine_config, job_id_of, register, workflow_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dbos import WorkflowStatus

    from services.settings import Settings
    from services.storage.job_records import Job
    from services.storage.session import Database

__all__ = ["run_worker"]

_TICK_S = 0.5
_LOOK_AROUND_S = 5.0
_COUNT_EVERY_S = 30.0  # vectors that are missing: a look at every tracklet
_QUEUE_POLL_S = 0.5
_JOURNEYS_EVERY_S = 2.0
_ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


def run_worker(
    settings: Settings,
    *,
    name: str,
    command: Sequence[str] = STEP_COMMAND,
    goes_on: Callable[[], bool] = lambda: True,
    clock: Callable[[], float] = time.time,
) -> None:
    """Run jobs until told to stop; an exception such as `SystemExit` stops it as well.

    What runs then is killed and goes on with the next worker.

    Args:
        settings: Of the installation.
        name: Of the worker; workers over one data folder have different ones.
        command: Program that does a step.
        goes_on: Asked twice a second; the worker ends once it says no.
        clock: UTC epoch seconds.

    Raises:
        WorkerBusyError: If a worker of this name runs already.
        ScheduleError: If the schedule of the settings cannot be read.
        StorageError: If a database cannot be used at the start; later the worker waits for it.
    """
    with worker_lock(settings.locks_dir, name), bootstrap.open_database(settings) as database:
        triggers = Triggers(settings, clock=clock)
        runner = JobRunner(settings, database, worker=name, command=command, clock=clock)
        worker = _Worker(settings, database, triggers, runner, name=name)
        with _Engine(settings, runner, name) as workflows, JourneyFollower(database, every_s=_JOURNEYS_EVERY_S):
            structlog.get_logger().info("worker.started", worker=name)
            while goes_on():
                worker.tick(workflows)
                time.sleep(_TICK_S)
    structlog.get_logger().info("worker.stopped", worker=name)


class _Engine:
    """The workflow engine while it runs; there is one a process."""

    def __init__(self, settings: Settings, runner: JobRunner, name: str) -> None:
        self._runner = runner
        self._database = make_url(settings.resolved_jobs_database_url).render_as_string(hide_password=True)
        take_engine_log()
        DBOS(config=engine_config(settings, name))
        self._workflows = register(runner)

    def __enter__(self) -> Mapping[str, Callable[[str], None]]:
        with in_our_words(self._database):
            DBOS.launch()
            DBOS.register_queue(
                QUEUE,
                global_concurrency=1,
                worker_concurrency=1,
                polling_interval_sec=_QUEUE_POLL_S,
                on_conflict="always_update",
            )
        return self._workflows

    def __exit__(self, *_exception: object) -> None:
        self._runner.stop()
        DBOS.destroy(destroy_registry=True)


class _Worker:
    """What a worker does now and then."""

    def __init__(
        self, settings: Settings, database: Database, triggers: Triggers, runner: JobRunner, *, name: str
    ) -> None:
        self._settings = settings
        self._database = database
        self._triggers = triggers
        self._runner = runner
        self._name = name
        self._looked_s = self._counted_s = float("-inf")
        self._forwarded: set[str] = set()
        self._dropped: set[str] = set()
        self._log = structlog.get_logger().bind(worker=name)

    def tick(self, workflows: Mapping[str, Callable[[str], None]]) -> None:
        """Hand new jobs to the engine; every few seconds look for what is due and for what others left behind."""
        try:
            jobs = self._unfinished()
            for job in jobs:
                if job.state is JobState.QUEUED:
                    self._hand_over(job, workflows[job.kind])
            if time.monotonic() - self._looked_s >= _LOOK_AROUND_S:
                self._looked_s = time.monotonic()
                self._take_over()
                self._end_orphans(jobs)
                self._ask()
        except (StorageError, StorageFullError) as error:
            self._log.warning("worker.storage_out_of_reach", error=str(error))

    def _unfinished(self) -> list[Job]:
        with self._database.read() as session:
            return JobRepository(session).unfinished()

    def _hand_over(self, job: Job, workflow: Callable[[str], None]) -> None:
        name = workflow_id(job)
        if name not in self._forwarded:
            with SetWorkflowID(name):
                DBOS.enqueue_workflow(QUEUE, workflow, str(job.job_id))
            self._forwarded.add(name)

    def _ask(self) -> None:
        asked = [self._triggers.ask(self._database)]
        if time.monotonic() - self._counted_s >= _COUNT_EVERY_S:
            self._counted_s = time.monotonic()
            asked.append(ask_for_missing(self._database))
        for job in asked:
            if job is not None:
                self._log.info("job.asked_for", job_id=str(job.job_id), author=job.author)

    def _take_over(self) -> None:
        """Let workflows go on whose worker has died, which its free lock tells, or whose thread here was lost."""
        running = _pending()
        for owner in {one.executor_id for one in running if one.executor_id} - {self._name}:
            with lock_if_free(worker_file(self._settings.locks_dir, owner)) as is_dead:
                if is_dead:  # read again under the lock: another worker may have been quicker
                    self._resume({one.workflow_id for one in _pending() if one.executor_id == owner})
        ours = {one.workflow_id for one in running if one.executor_id == self._name}
        idle = {one for one in ours if not self._runner.is_at_work_on(job_id_of(one))}
        self._resume(idle & self._dropped)  # idle at the look before as well, so it did not start just now
        self._dropped = idle

    def _resume(self, workflows: set[str]) -> None:
        for one in sorted(workflows):
            self._log.info("job.taken_over", workflow=one)
            DBOS.resume_workflow(one, queue_name=QUEUE)

    def _end_orphans(self, jobs: Sequence[Job]) -> None:
        """A job whose workflow ended without noting it in the job's row ends too, so that it does not run for ever."""
        names = {workflow_id(job): job for job in jobs}
        if not names:
            return
        ended = DBOS.list_workflows(workflow_ids=list(names), status=list(_ENDED), load_input=False)
        for one in ended:
            with self._database.write() as session:
                stored = JobRepository(session)
                job = stored.by_id(names[one.workflow_id].job_id)
                if not job.state.is_final and workflow_id(job) == one.workflow_id:
                    stored.finish(job.job_id, JobState.FAILED, error=f"the workflow ended as {one.status}: {one.error}")


def _pending() -> list[WorkflowStatus]:
    """Workflows that some worker has taken up and not ended."""
    return DBOS.list_workflows(name=list(WORKFLOWS), status="PENDING", load_input=False, load_output=False)
