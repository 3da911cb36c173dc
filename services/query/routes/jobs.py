"""Long work: asking for it, looking at it, ending it, letting it go on. A worker does it (`reknit work`)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services import jobs
from services.query.dependencies import Running
from services.query.job_schemas import JobBody, JobList, JobView
from services.query.job_views import job_page_view, job_view
from services.query.routes.answers import INVALID, NO_JOB, NO_RECIPE, WRONG_JOB_STATE
from services.storage.job_records import JobState

router = APIRouter(prefix="/jobs", tags=["jobs"])


@router.post("", status_code=201, summary="Ask for a training cycle", responses=NO_RECIPE)
def create_job(service: Running, body: JobBody, response: Response) -> JobView:
    """Asks for a training cycle on what is stored when a worker takes it up; one runs at a time."""
    recipe = body.recipe or service.settings.train_recipe
    job = jobs.request_training(service.database, recipe=recipe, seed=body.seed, author="http")
    response.headers["Location"] = f"/v1/jobs/{job.job_id}"
    return job_view(job)


@router.get("", summary="A page of jobs", responses=INVALID)
def list_jobs(
    service: Running,
    *,
    state: Annotated[JobState | None, Query(description="Only those that stand there.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Jobs a page.")] = 50,
    cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")] = None,
) -> JobList:
    """Jobs, newest first."""
    return job_page_view(jobs.list_jobs(service.database, state=state, limit=limit, cursor=cursor))


@router.get("/{job_id}", summary="One job", responses=NO_JOB | INVALID)
def read_job(service: Running, job_id: UUID) -> JobView:
    """A job, its progress not older than a few seconds while it runs."""
    return job_view(jobs.read(service.database, job_id))


@router.post("/{job_id}/cancel", summary="Cancel a job", responses=NO_JOB | WRONG_JOB_STATE | INVALID)
def cancel_job(service: Running, job_id: UUID) -> JobView:
    """Ends a job: at once where it waits, within seconds where it runs. What was done stays for a retry."""
    return job_view(jobs.cancel(service.database, job_id))


@router.post("/{job_id}/retry", summary="Let a job go on", responses=NO_JOB | WRONG_JOB_STATE | INVALID)
def retry_job(service: Running, job_id: UUID) -> JobView:
    """Lets a failed or cancelled job go on at the step where it stopped."""
    return job_view(jobs.retry(service.database, job_id))
