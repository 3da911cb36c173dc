"""What the jobs promise, on every database."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest

from reid_core.errors import InputError, JobStateError, UnknownJobError
from services.storage.job_records import JobState
from services.storage.jobs import JobRepository

ABSENT = UUID("01a1f8a0-51c3-7b2e-9d5c-61b0f2f6a7c4")


@pytest.fixture
def act(database):
    """Does something with the jobs in a transaction of its own, at a time that the test says."""

    def does(what, *args, at_s=1000.0, **options):
        with database.write() as session:
            return getattr(JobRepository(session, clock=lambda: at_s), what)(*args, **options)

    return does


def ask(act, *, at_s=1000.0, **options):
    return act("add", "train", at_s=at_s, recipe="site-cpu", options={"seed": 3}, author="test", **options)


def test_a_job_waits_as_it_was_asked_for(act, database):
    job = ask(act)
    assert (job.kind, job.recipe, dict(job.options), job.author) == (
        "train",
        "site-cpu",
        {"seed": 3, "attempt": 1},
        "test",
    )
    assert (job.state, job.attempt, job.created_at_s, job.started_at_s) == (JobState.QUEUED, 1, 1000.0, None)
    with database.read() as session:
        assert JobRepository(session).by_id(job.job_id) == job
        assert JobRepository(session).by_id(str(job.job_id)) == job
        assert JobRepository(session).unfinished() == [job]


def test_an_id_gives_one_job(act):
    assert ask(act, job_id=ABSENT) is not None
    assert ask(act, job_id=ABSENT) is None


@pytest.mark.parametrize("job_id", [ABSENT, str(ABSENT), "no id"])
def test_a_job_that_is_not_there_is_told(act, job_id):
    for what in ("by_id", "cancel", "retry"):
        with pytest.raises(UnknownJobError, match=str(job_id)):
            act(what, job_id)


def test_a_job_runs_and_succeeds(act):
    job = ask(act)
    begun = act("begin", job.job_id, at_s=1001.0)
    assert (begun.state, begun.started_at_s) == (JobState.RUNNING, 1001.0)
    assert act("begin", job.job_id, at_s=1002.0) == begun, "taking it up again changes nothing"
    assert act("note", job.job_id, step="train-1", progress={"share": 0.5, "eta_s": 9.0}) is JobState.RUNNING
    done = act("finish", job.job_id, JobState.SUCCEEDED, result={"promoted": True}, at_s=1009.0)
    assert (done.state, done.step, done.result, done.finished_at_s) == (
        JobState.SUCCEEDED,
        "train-1",
        {"promoted": True},
        1009.0,
    )
    assert done.progress == {"share": 1.0, "eta_s": 0.0}


def test_a_job_keeps_its_end(act):
    job = ask(act)
    act("begin", job.job_id)
    failed = act("finish", job.job_id, JobState.FAILED, error="train-1: the disk is full")
    assert act("finish", job.job_id, JobState.SUCCEEDED, result={}) == failed
    assert act("note", job.job_id, step="train-2", progress={}) is JobState.FAILED
    assert act("by_id", job.job_id).step is None
    with pytest.raises(ValueError, match="running is not how a job ends"):
        act("finish", job.job_id, JobState.RUNNING)


def test_a_waiting_job_is_cancelled_at_once(act):
    job = act("cancel", ask(act).job_id, at_s=1005.0)
    assert (job.state, job.finished_at_s) == (JobState.CANCELLED, 1005.0)
    assert act("begin", job.job_id).state is JobState.CANCELLED


def test_a_running_job_hears_of_its_cancellation(act):
    job = ask(act)
    act("begin", job.job_id)
    assert act("cancel", job.job_id).state is JobState.CANCELLING
    assert act("cancel", job.job_id).state is JobState.CANCELLING
    assert act("note", job.job_id, step="train-1", progress={}) is JobState.CANCELLING
    assert act("begin", job.job_id).state is JobState.CANCELLED, "the next worker ends it"


def test_what_has_ended_cannot_be_cancelled(act):
    job = ask(act)
    act("cancel", job.job_id)
    with pytest.raises(JobStateError, match=f"{job.job_id} has been cancelled and cannot be cancelled"):
        act("cancel", job.job_id)


@pytest.mark.parametrize("end", [JobState.FAILED, JobState.CANCELLED])
def test_a_retry_waits_again_as_the_next_attempt(act, end):
    job = ask(act)
    act("begin", job.job_id)
    act("note", job.job_id, step="train-1", progress={"share": 0.5})
    act("finish", job.job_id, end, error="no")
    again = act("retry", job.job_id)
    assert (again.state, again.attempt, again.error, again.started_at_s, again.finished_at_s) == (
        JobState.QUEUED,
        2,
        None,
        None,
        None,
    )
    assert (again.step, again.progress) == ("train-1", {"share": 0.5})


def test_only_what_failed_can_be_retried(act):
    job = ask(act)
    with pytest.raises(JobStateError, match="is queued; only what failed can be retried"):
        act("retry", job.job_id)
    act("begin", job.job_id)
    act("finish", job.job_id, JobState.SUCCEEDED)
    with pytest.raises(JobStateError, match="succeeded; only what failed can be retried"):
        act("retry", job.job_id)


def test_pages_lead_from_the_newest_to_the_oldest(act):
    asked = [ask(act, at_s=1000.0 + place // 2) for place in range(5)]
    act("cancel", asked[1].job_id)
    found, cursor = [], None
    while True:
        page = act("list", limit=2, cursor=cursor)
        assert len(page.items) <= 2
        found += [job.job_id for job in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(found) == sorted(job.job_id for job in asked)
    times = [act("by_id", job_id).created_at_s for job_id in found]
    assert times == sorted(times, reverse=True)
    assert [job.job_id for job in act("list", state=JobState.CANCELLED).items] == [asked[1].job_id]


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "f/gAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "ä"])
def test_what_is_no_cursor_is_refused(act, cursor):
    with pytest.raises(InputError, match="is not a cursor that a page gave out"):
        act("list", cursor=cursor)


@pytest.mark.parametrize("limit", [0, 1001])
def test_a_page_without_end_is_refused(act, limit):
    with pytest.raises(ValueError, match="limit must lie in"):
        act("list", limit=limit)


def test_the_newest_job_of_a_kind_is_found(act):
    assert act("newest", "train") is None
    first, second = ask(act, at_s=1.0), ask(act, at_s=2.0)
    act("begin", first.job_id)
    act("finish", first.job_id, JobState.SUCCEEDED)
    assert act("newest", "train").job_id == second.job_id
    assert act("newest", "train", state=JobState.SUCCEEDED).job_id == first.job_id
    assert act("newest", "train", recipe="tastr-r50") is None


def test_who_takes_turns_decides_on_what_the_one_before_left(database):
    """Two that look first and ask then would both ask."""
    barrier, asked = threading.Barrier(2), []

    def decide() -> None:
        barrier.wait()
        with database.write() as session:
            jobs = JobRepository(session)
            jobs.take_turns()
            if not jobs.unfinished():
                asked.append(jobs.add("train", recipe=None, options={}, author="test"))

    threads = [threading.Thread(target=decide) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 1
