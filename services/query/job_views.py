"""Stored jobs to the forms of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.query.job_schemas import JobList, JobProgress, JobView
from services.query.schemas import moment

if TYPE_CHECKING:
    from services.storage.job_records import Job, JobPage

__all__ = ["job_page_view", "job_view"]


def job_view(job: Job) -> JobView:
    """One job."""
    return JobView(
        job_id=job.job_id,
        kind=job.kind,
        recipe=job.recipe,
        seed=job.options.get("seed"),
        attempt=job.attempt,
        state=job.state.value,
        step=job.step,
        progress=_progress(job),
        result=None if job.result is None else dict(job.result),
        error=job.error,
        author=job.author,
        created=moment(job.created_at_s),
        started=None if job.started_at_s is None else moment(job.started_at_s),
        finished=None if job.finished_at_s is None else moment(job.finished_at_s),
    )


def job_page_view(page: JobPage) -> JobList:
    """A page of jobs."""
    return JobList(items=[job_view(job) for job in page.items], next_cursor=page.next_cursor)


def _progress(job: Job) -> JobProgress | None:
    told = job.progress
    if not told:
        return None
    return JobProgress(
        step_no=told["step_no"],
        steps=told["steps"],
        done=told["done"],
        total=told["total"],
        share=told["share"],
        eta_s=told["eta_s"],
        metrics=told["metrics"],
        worker=told["worker"],
        at=moment(told["at_s"]),
    )
