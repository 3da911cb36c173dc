"""What becomes of a candidate whose job ends before it is decided on, on every database."""

from __future__ import annotations

import pytest

from services.storage.generations import GenerationRepository
from services.storage.job_records import JobState
from services.storage.jobs import JobRepository
from services.storage.models import Model, ModelKind, ModelRepository

OLD, NEW = "model-old", "model-new"


@pytest.fixture
def do(database):
    """Does something with jobs or generations in a transaction of its own."""

    def does(repository, what, *args, **options):
        with database.write() as session:
            return getattr(repository(session), what)(*args, **options)

    with database.write() as session:
        GenerationRepository(session).ensure_cold_start(OLD)
        ModelRepository(session).ensure(Model(NEW, ModelKind.LEARNED))
    return does


def asked(do):
    """A job that has begun."""
    job_id = do(JobRepository, "add", "train", recipe=None, options={}, author="test").job_id
    do(JobRepository, "begin", job_id)
    return job_id


def made(do, job_id):
    return do(GenerationRepository, "add_candidate", NEW, job_id=job_id).generation_id


def of(do, generation_id):
    return do(GenerationRepository, "by_id", generation_id)


def live(do):
    return do(GenerationRepository, "live_model_ids")


def test_a_candidate_of_a_job_that_failed_is_given_up_and_a_retry_brings_it_back(do):
    job_id = asked(do)
    candidate = made(do, job_id)
    assert of(do, candidate).job_id == job_id
    assert live(do) == (OLD, NEW)
    do(JobRepository, "finish", job_id, JobState.FAILED, error="take-over: the disk is full")
    found = of(do, candidate)
    assert (found.state, found.reason) == (
        "rejected",
        f"given up: job {job_id} has failed (take-over: the disk is full)",
    )
    assert live(do) == (OLD,), "ingest no longer pays for it"
    do(JobRepository, "retry", job_id)
    assert live(do) == (OLD,), "nor while the job waits"
    do(JobRepository, "begin", job_id)
    assert (of(do, candidate).state, of(do, candidate).reason) == ("candidate", None)
    do(JobRepository, "begin", job_id)
    assert made(do, job_id) == candidate, "registering it again makes no other"
    assert live(do) == (OLD, NEW)


@pytest.mark.parametrize("by", ["the step", "the next worker"])
def test_a_candidate_of_a_cancelled_job_is_given_up(do, by):
    job_id = asked(do)
    candidate = made(do, job_id)
    do(JobRepository, "cancel", job_id)
    assert live(do) == (OLD, NEW), "the job is not over yet"
    if by == "the step":
        do(JobRepository, "finish", job_id, JobState.CANCELLED)
    else:
        do(JobRepository, "begin", job_id)
    assert of(do, candidate).reason == f"given up: job {job_id} has been cancelled"
    assert live(do) == (OLD,)


def test_a_waiting_retry_that_is_cancelled_leaves_its_candidate_given_up(do):
    job_id = asked(do)
    candidate = made(do, job_id)
    do(JobRepository, "finish", job_id, JobState.FAILED, error="no")
    do(JobRepository, "retry", job_id)
    do(JobRepository, "cancel", job_id)
    assert of(do, candidate).state == "rejected"


@pytest.mark.parametrize("end", [JobState.FAILED, JobState.CANCELLED, JobState.SUCCEEDED])
def test_what_was_decided_on_stays_as_it_is(do, end):
    job_id = asked(do)
    candidate = made(do, job_id)
    do(GenerationRepository, "reject", candidate, reason="no better", metrics={"better": False})
    do(JobRepository, "finish", job_id, end)
    if end is not JobState.SUCCEEDED:
        do(JobRepository, "retry", job_id)
        do(JobRepository, "begin", job_id)
    assert (of(do, candidate).state, of(do, candidate).reason) == ("rejected", "no better")


def test_a_job_that_ends_gives_up_nobody_elses_candidate(do):
    first, second = asked(do), asked(do)
    candidate = made(do, first)
    do(JobRepository, "finish", second, JobState.FAILED, error="no")
    assert of(do, candidate).state == "candidate"
    assert made(do, second) == candidate
    do(JobRepository, "finish", first, JobState.FAILED, error="no")
    assert of(do, candidate).state == "candidate", "the other job has it now"


def test_a_candidate_of_a_job_that_succeeded_stays_one(do):
    job_id = asked(do)
    candidate = made(do, job_id)
    do(JobRepository, "finish", job_id, JobState.SUCCEEDED)
    assert of(do, candidate).state == "candidate"
