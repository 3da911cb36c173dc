"""What the demo learns: one training cycle, taken up where an earlier run left it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.storage.job_records import JobState

if TYPE_CHECKING:
    from services.settings import Settings
    from services.storage.job_records import Job
    from services.storage.session import Database

__all__ = ["learn"]

_AUTHOR = "demo"


def learn(settings: Settings, *, recipe: str, seed: int) -> Job:
    """Run a training cycle to its end and return it as it ended; one that succeeded before is not run again.

    Args:
        settings: Of the demo's installation.
        recipe: By which recipe.
        seed: Of the cycle.

    Raises:
        RecipeError: If there is no such recipe.
    """
    from services.bootstrap import open_database
    from services.cli.following import follow
    from services.cli.worker_child import supervised_worker
    from services.jobs import read

    with open_database(settings) as database:
        job = _asked_before(database, recipe, seed) or _ask(database, recipe, seed)
        if job.state is JobState.SUCCEEDED:
            return job
        with supervised_worker(settings, quiet=True):
            return follow(lambda: read(database, job.job_id))


def _asked_before(database: Database, recipe: str, seed: int) -> Job | None:
    """The newest cycle of these numbers that is done, or goes on where it stopped."""
    from services.jobs import list_jobs, retry

    for job in list_jobs(database, limit=1000).items:
        if job.author == _AUTHOR and job.recipe == recipe and job.options.get("seed") == seed:
            return retry(database, job.job_id) if job.state in {JobState.FAILED, JobState.CANCELLED} else job
    return None


def _ask(database: Database, recipe: str, seed: int) -> Job:
    from services.jobs import request_training

    return request_training(database, recipe=recipe, seed=seed, author=_AUTHOR)
