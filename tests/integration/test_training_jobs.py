"""Training jobs in real processes on real databases: they end as they should, whatever happens on the way."""

from __future__ import annotations

import os
import random
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
from training_site import TrainingSite, end, is_gone, wait_for

from services.settings import Settings
from services.storage.gaps import VectorGaps
from services.storage.job_records import JobState


@pytest.fixture(scope="session")
def _jobs_database(make_postgres_database):
    return make_postgres_database("training_jobs")


@pytest.fixture
def sqlite_site(tmp_path, sqlite_database):
    yield from _site(tmp_path, sqlite_database, Settings(data_dir=tmp_path))


@pytest.fixture
def postgres_site(tmp_path, postgres_database, _jobs_database):
    with psycopg.connect(_jobs_database, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS dbos CASCADE")
    url = postgres_database._url.set(drivername="postgresql").render_as_string(hide_password=False)
    settings = Settings(data_dir=tmp_path, database_url=url, jobs_database_url=_jobs_database)
    yield from _site(tmp_path, postgres_database, settings)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def site(request):
    """An installation on each database."""
    return request.getfixturevalue(f"{request.param}_site")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])])
def a_site(request):
    """An installation, in the default run on one database only."""
    return request.getfixturevalue(f"{request.param}_site")


def _site(folder, database, settings):
    made = TrainingSite(settings, database, folder / "logs")
    made.logs.mkdir()
    try:
        yield made
    finally:
        made.close()


def undisturbed_value(site, **options):
    """The final metric of a job of the same seed that nothing disturbs."""
    job = site.ask(**{**options, "pause_s": 0.0, "deaths": {}, "passing": {}, "failures": {}})
    with site.worker():
        return site.wait(job).result["value"]


def test_a_job_runs_all_its_steps_and_tells_of_them(a_site):
    job = a_site.ask(iterations=4)
    with a_site.worker():
        done = a_site.wait(job)
    assert done.state is JobState.SUCCEEDED
    assert (done.result["promoted"], done.result["reason"]) == (True, "better")
    assert list(done.result["seconds"]) == ["prepare", "learn-1", "learn-2", "promote"]
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
