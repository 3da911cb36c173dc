"""Jobs as durable workflows: what was done is recorded step by step, and a crash repeats one step.

The engine is DBOS. Its workflow holds no logic that could change between two runs: it asks the runner for one step
after another, and every answer is recorded before the next is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dbos import DBOS, DBOSPortableJSONSerializer

from services.jobs import BACKFILL, TRAIN
from services.trainer.step_process import End

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dbos import DBOSConfig

    from services.settings import Settings
    from services.storage.job_records import Job
    from services.trainer.runner import JobRunner

__all__ = ["QUEUE", "WORKFLOWS", "engine_config", "job_id_of", "register", "workflow_id"]

QUEUE = "training"
WORKFLOWS = (TRAIN, BACKFILL)
_VERSION = "1"  # of the workflow's order of acts: recovery passes over workflows of another version
_FIRST, _EMBED = "prepare", "embed"


def engine_config(settings: Settings, worker: str) -> DBOSConfig:
    """How the engine is set up; values are stored as JSON, so that a newer version can read them.

    Args:
        settings: Of the installation.
        worker: Whose interrupted workflows are taken up when it starts.
    """
    return {
        "name": "reknit-trainer",
        "system_database_url": settings.resolved_jobs_database_url,
        "executor_id": worker,
        "application_version": _VERSION,
        "serializer": DBOSPortableJSONSerializer(),
        "log_level": "ERROR",
    }


def workflow_id(job: Job) -> str:
    """The workflow of a job's present attempt; asking twice for the same changes nothing."""
    return f"{job.job_id}.{job.attempt}"


def job_id_of(workflow: str) -> str:
    """The job that a workflow is an attempt at."""
    return workflow.partition(".")[0]


@dataclass(frozen=True, slots=True)
class _Acts:
    """What workflows are made of; each act's answer is recorded."""

    begin: Callable[[str], bool]
    run: Callable[[str, str, Sequence[str]], dict[str, Any]]
    finish: Callable[[str, str, dict[str, Any], dict[str, Any]], None]


def register(runner: JobRunner) -> Mapping[str, Callable[[str], None]]:
    """Let the engine know the workflow of each kind of job, with the runner that does its acts."""
    acts = _acts(runner)

    @DBOS.workflow(name=TRAIN, max_recovery_attempts=None)
    def train(job_id: str) -> None:
        with runner.at_work_on(job_id):
            _train(acts, job_id)

    @DBOS.workflow(name=BACKFILL, max_recovery_attempts=None)
    def embed(job_id: str) -> None:
        with runner.at_work_on(job_id):
            _embed(acts, job_id)

    return {TRAIN: train, BACKFILL: embed}


def _acts(runner: JobRunner) -> _Acts:
    @DBOS.step(name="begin")
    def begin(job_id: str) -> bool:
        return runner.begin(job_id)

    @DBOS.step(name="run")
    def run(job_id: str, step: str, steps: Sequence[str]) -> dict[str, Any]:
        return runner.run_step(job_id, step, steps)

    @DBOS.step(name="finish")
    def finish(job_id: str, step: str, end: dict[str, Any], results: dict[str, Any]) -> None:
        result = {**end["result"], "steps": results}
        runner.finish(job_id, end["how"], step=step, reason=end["reason"], result=result)

    return _Acts(begin, run, finish)


def _train(acts: _Acts, job_id: str) -> None:
    """Step after step; the first one says which come after it."""
    if not acts.begin(job_id):
        return
    step, steps, results = _FIRST, [_FIRST], {}
    while True:
        end = acts.run(job_id, step, steps)
        results[step] = end["result"]
        if step == _FIRST:
            steps = [_FIRST, *end["result"].get("steps", [])]
        DBOS.set_event("progress", {"step": step, "how": end["how"], "steps": steps})
        if end["how"] != End.DONE.value or step == steps[-1]:
            break
        step = steps[steps.index(step) + 1]
    acts.finish(job_id, step, end, results)


def _embed(acts: _Acts, job_id: str) -> None:
    if acts.begin(job_id):
        end = acts.run(job_id, _EMBED, [_EMBED])
        acts.finish(job_id, _EMBED, end, {_EMBED: end["result"]})
