"""Vectors that the answering generation lacks, as after a way back to an earlier one: a job makes them, unasked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from reid_core.errors import NoGenerationError
from services import bootstrap
from services.jobs import BACKFILL
from services.storage.gaps import VectorGaps
from services.storage.generations import GenerationRepository
from services.storage.job_records import JobState
from services.storage.jobs import JobRepository
from services.trainer.backfill import backfill

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from services.settings import Settings
    from services.storage.generations import Generation
    from services.storage.job_records import Job
    from services.storage.session import Database

__all__ = ["ask_for_missing", "make_missing"]


def ask_for_missing(database: Database, *, clock: Callable[[], float] = time.time) -> Job | None:
    """A job that embeds what lacks a vector of the model that answers; ``None`` where there is nothing to ask for.

    One that failed or was cancelled is not asked for again before another generation answers: `retry` does that.

    Args:
        database: Of the installation.
        clock: UTC epoch seconds.
    """
    with database.read() as session:  # which locks out nobody, and as a rule is all
        if _lacking(session) is None:
            return None
    with database.write() as session:
        jobs = JobRepository(session, clock=clock)
        jobs.take_turns()
        current, last = _lacking(session), jobs.newest(BACKFILL)
        if current is None or (last is not None and not _may_follow(last, current)):
            return None
        options = {"generation_id": str(current.generation_id), "model_id": current.model_id}
        return jobs.add(BACKFILL, recipe=None, options=options, author="missing vectors")


def make_missing(
    settings: Settings, database: Database, model_id: str, *, on_progress: Callable[[int, int], None]
) -> dict[str, Any]:
    """Embed every stored tracklet that has no vector of a model yet.

    Args:
        settings: Of the installation.
        database: Of the installation.
        model_id: Of the model that answered when this was asked for.
        on_progress: Told how many tracklets of how many are embedded.

    Returns:
        What was done; JSON.

    Raises:
        ModelFilesError: If the model's files are missing or damaged.
        BackfillError: If too many crops cannot be read.
    """
    embedder = bootstrap.make_embedder_for(settings, database, model_id)
    report = backfill(database, bootstrap.open_blobs(settings), embedder, on_progress=on_progress)
    return {"model_id": model_id, "embedded": report.embedded, "unusable": report.unusable}


def _lacking(session: Session) -> Generation | None:
    """The generation that answers, if a tracklet has no vector of its model."""
    try:
        current = GenerationRepository(session).current()
    except NoGenerationError:  # nothing was ingested yet
        return None
    return current if VectorGaps(session).next(current.model_id, limit=1) else None


def _may_follow(last: Job, current: Generation) -> bool:
    if last.state is JobState.SUCCEEDED:
        return True
    return last.state.is_final and last.created_at_s < (current.promoted_at_s or 0.0)
