"""Jobs as callers see them: ask for one, look at it, cancel it, let it go on.

A job is a row, and a worker takes it from there. So whoever asks needs neither the workflow engine nor a worker that
runs already, and the row tells all that there is to tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.storage.jobs import JobRepository

if TYPE_CHECKING:
    from uuid import UUID

    from services.storage.job_records import Job, JobPage, JobState
    from services.storage.session import Database

__all__ = ["BACKFILL", "TRAIN", "cancel", "list_jobs", "read", "request_training", "require_recipe", "retry"]

TRAIN = "train"
BACKFILL = "backfill"
MOST_SEED = 2**31 - 1


def request_training(database: Database, *, recipe: str, seed: int, author: str, start: str | None = None) -> Job:
    """Ask for a training cycle.

    Args:
        database: Of the installation.
        recipe: By which recipe.
        seed: Equal seeds on equal tracklets give equal models.
        author: Who asks.
        start: Name of the weights to start from, in the weights registry; ``None``: the recipe's own.

    Raises:
        RecipeError: If there is no such recipe.
        ValueError: If the seed is out of range.
    """
    require_recipe(recipe)
    if not 0 <= seed <= MOST_SEED:
        raise ValueError(f"seed must lie in [0, {MOST_SEED}], got {seed}")
    options = {"seed": seed} | ({} if start is None else {"start": start})
    with database.write() as session:
        job = JobRepository(session).add(TRAIN, recipe=recipe, options=options, author=author)
    if job is None:
        raise ValueError("a new job got the id of an old one")
    return job


def read(database: Database, job_id: UUID | str) -> Job:
    """One job.

    Raises:
        UnknownJobError: If there is none of that id.
    """
    with database.read() as session:
        return JobRepository(session).by_id(job_id)


def list_jobs(
    database: Database, *, state: JobState | None = None, limit: int = 50, cursor: str | None = None
) -> JobPage:
    """One page of jobs, newest first.

    Raises:
        InputError: If the cursor is not one that a page gave out.
    """
    with database.read() as session:
        return JobRepository(session).list(state=state, limit=limit, cursor=cursor)


def cancel(database: Database, job_id: UUID | str) -> Job:
    """Ask for a job's end: at once where it waits, within seconds where it runs.

    Raises:
        UnknownJobError: If there is none of that id.
        JobStateError: If it has ended already.
    """
    with database.write() as session:
        return JobRepository(session).cancel(job_id)


def retry(database: Database, job_id: UUID | str) -> Job:
    """Let a failed or cancelled job go on where it stopped.

    Raises:
        UnknownJobError: If there is none of that id.
        JobStateError: If it has not ended, or succeeded.
    """
    with database.write() as session:
        return JobRepository(session).retry(job_id)


def require_recipe(name: str) -> None:
    """Refuse a recipe before it blocks a queue.

    Raises:
        RecipeError: If there is none of that name.
    """
    from reid_core.learning.recipes import recipe_named

    recipe_named(name)
