"""Workers in real processes: several at once, one that dies, a database that is gone, a schedule."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from itertools import pairwise

import psycopg
import pytest
from generation_site import COLD, GenerationSite
from psycopg import sql
from training_site import end, is_gone, undisturbed_value, wait_for

from services.storage.gaps import VectorGaps
from services.storage.job_records import JobState


@pytest.mark.slow
def test_a_worker_that_is_told_to_end_leaves_the_job_to_the_next_one(a_site):
    value = undisturbed_value(a_site)
    job = a_site.ask(pause_s=0.05)
    worker = a_site.start()
    a_site.wait(job, lambda job: job.step == "learn-1")
    told_s = time.monotonic()
    assert end(worker) == 128 + signal.SIGTERM
    assert time.monotonic() - told_s < 10
    assert a_site.read(job).state is JobState.RUNNING
    assert all(is_gone(pid) for _, pid in a_site.steps_started(job))
    with a_site.worker():
        done = a_site.wait(job)
    assert (done.state, done.result["value"]) == (JobState.SUCCEEDED, value)


def test_two_workers_run_one_job_at_a_time(a_site):
    jobs = [a_site.ask(iterations=3, pause_s=0.1) for _ in range(4)]
    with a_site.worker("worker-1"), a_site.worker("worker-2"):
        done = [a_site.wait(job) for job in jobs]
    assert [job.state for job in done] == [JobState.SUCCEEDED] * 4
    spans = sorted((job.started_at_s, job.finished_at_s) for job in done)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


@pytest.mark.slow
def test_a_worker_takes_over_what_a_dead_one_left(a_site):
    value = undisturbed_value(a_site, iterations=60)
    job = a_site.ask(iterations=60, pause_s=0.1)
    doomed = a_site.start("worker-1")
    a_site.wait(job, lambda job: job.step == "learn-1")
    with a_site.worker("worker-2"):
        wait_for(lambda: "worker.started" in log_of(a_site, "worker-2"))
        kept = a_site.read(job)
        assert (kept.state, kept.progress["worker"]) == (JobState.RUNNING, "worker-1"), "who lives keeps the job"
        doomed.kill()
        doomed.wait()
        done = a_site.wait(job)
    assert (done.state, done.result["value"]) == (JobState.SUCCEEDED, value)
    assert done.progress["worker"] == "worker-2"
    assert "job.taken_over" in log_of(a_site, "worker-2")
    assert [step for step, _ in a_site.steps_started(job)].count("prepare") == 1, "what was done is not done again"


def log_of(site, worker):
    return (site.logs / f"{worker}.log").read_text()


def test_a_job_whose_workflow_broke_ends_with_the_reason_and_holds_up_nobody(sqlite_site):
    broken, sound = sqlite_site.ask(steps=5), sqlite_site.ask(iterations=1)
    with sqlite_site.worker():
        done = sqlite_site.wait(broken)
        assert sqlite_site.wait(sound).state is JobState.SUCCEEDED
    assert done.state is JobState.FAILED
    assert done.error.startswith("the workflow ended as ERROR: ")
    assert "must be an iterable, not int" in done.error


def test_vectors_that_the_answering_generation_lacks_are_made_by_a_worker_unasked(a_site):
    people = GenerationSite(a_site.database, a_site.settings.data_dir)
    people.store(3)
    people.store(2, models=[], camera_id="hall")
    with a_site.worker():
        wait_for(a_site.jobs)
        done = a_site.wait(a_site.jobs()[0])
    assert (done.kind, done.state, done.author) == ("backfill", JobState.SUCCEEDED, "missing vectors")
    assert (done.result["embedded"], done.result["unusable"]) == (2, 0)
    assert len(a_site.jobs()) == 1
    with a_site.database.read() as session:
        assert VectorGaps(session).count(COLD) == 0


@pytest.mark.postgres
def test_a_database_that_is_gone_for_a_while_changes_nothing_of_the_result(postgres_site, postgres_server_url):
    value = undisturbed_value(postgres_site)
    job = postgres_site.ask(pause_s=0.1)
    settings = postgres_site.settings
    with postgres_site.worker() as worker:
        postgres_site.wait(job, lambda job: job.step == "learn-1")
        postgres_site.database.close()
        with gone(postgres_server_url, [settings.database_url, settings.jobs_database_url]):
            until_s = time.monotonic() + 4
            wait_for(lambda: time.monotonic() > until_s)
        done = postgres_site.wait(job)
        assert worker.poll() is None
    assert (done.state, done.result["value"]) == (JobState.SUCCEEDED, value)


@contextmanager
def gone(server_url, urls):
    """Databases that refuse every connection while the block runs."""
    names = [url.partition("?")[0].rpartition("/")[2] for url in urls]
    with psycopg.connect(server_url, autocommit=True) as admin:
        _allow_connections(admin, names, allowed=False)
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY(%s)", [names])
        try:
            yield
        finally:
            _allow_connections(admin, names, allowed=True)


def _allow_connections(admin, names, *, allowed):
    for name in names:
        statement = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}")
        admin.execute(statement.format(sql.Identifier(name), sql.Literal(allowed)))


@pytest.mark.slow
def test_a_second_worker_of_one_name_is_refused_in_one_line(sqlite_site):
    job = sqlite_site.ask(iterations=1)
    with sqlite_site.worker():
        sqlite_site.wait(job)
        command = [sys.executable, "-c", "from services.cli.main import main; main()", "work"]
        command += ["--data-dir", str(sqlite_site.settings.data_dir)]
        second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 2
    assert "at work on this data folder already: worker-1" in second.stderr


def test_a_schedule_asks_once_for_each_occurrence_even_with_two_workers(a_site):
    own = {"train_schedule": "* * * * *", "train_recipe": "site-cpu"}
    with a_site.worker("worker-1", **own), a_site.worker("worker-2", **own):
        wait_for(a_site.jobs)
        first = a_site.jobs()[0]
        a_site.wait(first)
    asked = [job.created_at_s for job in a_site.jobs()]
    assert len({int(time_s // 60) for time_s in asked}) == len(asked)
    assert first.author == "schedule"


def test_a_workflow_database_out_of_reach_is_told_in_plain_lines(sqlite_site):
    command = [sys.executable, "-c", "from services.cli.main import main; main()", "work"]
    command += ["--data-dir", str(sqlite_site.settings.data_dir)]
    own = {**os.environ, "REKNIT_JOBS_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/jobs"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=own)
    assert done.returncode == 1
    assert "The storage cannot be used: postgresql://nobody@127.0.0.1:1/jobs: " in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
