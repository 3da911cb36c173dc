"""Training jobs in real processes on real databases: they end as they should, whatever happens on the way."""

from __future__ import annotations

import os
import random
import signal
import time

import psycopg
import pytest
from training_site import end, is_gone, undisturbed_value, wait_for

from services.storage.job_records import JobState


def test_a_job_runs_all_its_steps_and_tells_of_them(a_site):
    job = a_site.ask(iterations=4)
    with a_site.worker():
        done = a_site.wait(job)
    assert done.state is JobState.SUCCEEDED
    assert (done.result["promoted"], done.result["reason"]) == (True, "better")
    assert set(done.result["seconds"]) == {"prepare", "learn-1", "learn-2", "promote"}
    assert done.progress["share"] == 1.0
    assert done.progress["worker"] == "worker-1"
    assert [step for step, _ in a_site.steps_started(job)] == ["prepare", "learn-1", "learn-2", "promote"]


@pytest.mark.slow
def test_progress_is_readable_while_a_step_runs(sqlite_site):
    job = sqlite_site.ask(iterations=40, pause_s=0.1)
    with sqlite_site.worker():
        under_way = sqlite_site.wait(job, lambda job: 0 < job.progress.get("done", 0) < 40)
        sqlite_site.cancel(job)
        sqlite_site.wait(job)
    told = under_way.progress
    assert (under_way.step, told["step_no"], told["total"]) == ("learn-1", 2, 40)
    assert told["steps"] == ["prepare", "learn-1", "learn-2", "promote"]
    assert 0 < told["share"] < 1
    assert set(told["metrics"]) == {"value"}
    assert told["eta_s"] is None, "nobody knows yet how long the last step takes"


@pytest.mark.slow
def test_the_second_job_knows_how_long_it_will_take(sqlite_site):
    first = sqlite_site.ask(iterations=10, pause_s=0.05)
    second = sqlite_site.ask(iterations=60, pause_s=0.1)
    with sqlite_site.worker():
        sqlite_site.wait(first)
        under_way = sqlite_site.wait(
            second, lambda job: job.progress.get("eta_s") is not None and job.progress["done"] > 2
        )
    assert 1.0 < under_way.progress["eta_s"] < 60.0


def test_a_killed_worker_and_a_killed_step_change_nothing_of_the_result(site):
    value = undisturbed_value(site)
    job = site.ask(pause_s=0.05)
    worker = site.start()
    site.wait(job, lambda job: job.step == "learn-1")
    wait_for(lambda: any(step == "learn-1" for step, _ in site.steps_started(job)))
    worker.kill()
    worker.wait()
    orphan = site.steps_started(job)[-1][1]
    wait_for(lambda: is_gone(orphan), patience_s=10)
    with site.worker():
        site.wait(job, lambda job: job.step == "learn-2")
        wait_for(lambda: any(step == "learn-2" for step, _ in site.steps_started(job)))
        os.kill(site.steps_started(job)[-1][1], signal.SIGKILL)
        done = site.wait(job)
    assert (done.state, done.result["value"]) == (JobState.SUCCEEDED, value)
    started = [step for step, _ in site.steps_started(job)]
    assert started.count("prepare") == 1, "a step that was done is not done again"
    assert started.count("learn-1") == 2
    assert started.count("learn-2") == 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_twenty_kills_at_random_moments_change_nothing_of_the_result(site, seed):
    """Of the worker, of the step's process, and where there is a server, of every connection to it."""
    value = undisturbed_value(site, iterations=150)
    draw = random.Random(seed)
    job = site.ask(iterations=150, pause_s=0.1)
    worker = site.start()
    kills = []
    while len(kills) < 20 and not site.read(job).state.is_final:
        moment_s = time.monotonic() + draw.uniform(0.2, 2.5)
        wait_for(lambda until_s=moment_s: time.monotonic() > until_s)
        victim = draw.choice(["worker", "step", "connections" if site.settings.database_url else "step"])
        kills.append(victim)
        alive = [pid for _, pid in site.steps_started(job)[-1:] if not is_gone(pid)]
        if victim == "connections":
            cut_connections(site)
        elif victim == "step" and alive:
            os.kill(alive[0], signal.SIGKILL)
        else:
            worker.kill()
            worker.wait()
            worker = site.start()
    done = site.wait(job)
    assert len(kills) == 20, "the job was over before it could be disturbed"
    assert (done.state, done.result["value"]) == (JobState.SUCCEEDED, value)
    assert end(worker) == 128 + signal.SIGTERM


def cut_connections(site):
    """End every session on the site's two databases, the test's own included."""
    site.database.close()
    for url in (site.settings.database_url, site.settings.jobs_database_url):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


def test_a_job_is_cancelled_within_five_seconds_in_the_middle_of_a_step(a_site):
    job = a_site.ask(iterations=1000, pause_s=1.0)
    with a_site.worker():
        a_site.wait(job, lambda job: job.step == "learn-1")
        wait_for(lambda: len(a_site.steps_started(job)) == 2)
        asked_s = time.monotonic()
        assert a_site.cancel(job).state is JobState.CANCELLING
        done = a_site.wait(job)
        spent_s = time.monotonic() - asked_s
    assert done.state is JobState.CANCELLED
    assert spent_s < 5
    assert is_gone(a_site.steps_started(job)[-1][1])


@pytest.mark.slow
def test_a_job_that_waits_is_cancelled_at_once_and_never_runs(sqlite_site):
    first, second = sqlite_site.ask(pause_s=0.05), sqlite_site.ask()
    with sqlite_site.worker():
        sqlite_site.wait(first, lambda job: job.step == "learn-1")
        assert sqlite_site.cancel(second).state is JobState.CANCELLED
        third = sqlite_site.ask(iterations=2)
        assert sqlite_site.wait(third).state is JobState.SUCCEEDED
    assert sqlite_site.steps_started(second) == []
    assert sqlite_site.read(second).state is JobState.CANCELLED


def test_a_step_that_fails_ends_the_job_with_its_reason_and_a_retry_goes_on_there(a_site):
    job = a_site.ask(failures={"learn-2": 1})
    with a_site.worker():
        failed = a_site.wait(job)
        assert failed.state is JobState.FAILED
        assert failed.error == "learn-2: There is too little to learn from: one camera only"
        a_site.retry(job)
        done = a_site.wait(job)
    assert (done.state, done.attempt, done.error) == (JobState.SUCCEEDED, 2, None)
    assert [step for step, _ in a_site.steps_started(job)] == ["prepare", "learn-1", "learn-2", "learn-2", "promote"]


@pytest.mark.slow
def test_a_cancelled_job_goes_on_where_it_was_when_it_is_retried(sqlite_site):
    value = undisturbed_value(sqlite_site)
    job = sqlite_site.ask(pause_s=0.05)
    with sqlite_site.worker():
        sqlite_site.wait(job, lambda job: job.step == "learn-2")
        sqlite_site.cancel(job)
        sqlite_site.wait(job)
        sqlite_site.retry(job)
        done = sqlite_site.wait(job)
    assert (done.state, done.result["value"]) == (JobState.SUCCEEDED, value)
    assert [step for step, _ in sqlite_site.steps_started(job)].count("learn-1") == 1


@pytest.mark.slow
def test_what_passes_is_tried_again_by_itself(sqlite_site):
    job = sqlite_site.ask(passing={"learn-1": 1})
    with sqlite_site.worker():
        assert sqlite_site.wait(job).state is JobState.SUCCEEDED
    assert [step for step, _ in sqlite_site.steps_started(job)].count("learn-1") == 2


@pytest.mark.slow
def test_a_step_whose_process_dies_again_and_again_ends_the_job(sqlite_site):
    job = sqlite_site.ask(deaths={"learn-1": 100})
    with sqlite_site.worker():
        done = sqlite_site.wait(job)
    assert done.state is JobState.FAILED
    assert "killed (signal 9), most likely because memory ran out" in done.error
