"""The real training cycle, killed at twenty moments from its first step to the flip of generations."""

from __future__ import annotations

import os
import random
import signal
import time

import psycopg
import pytest
from real_cycle import COLD, standing
from real_jobs import a_site, a_site_beside, told
from training_site import is_gone, wait_for

from services.storage.job_records import JobState

PATIENCE_S = 400.0
MOMENTS = (
    *["prepare", "within", "within", "within", "associate-1", "associate-1", "train-1", "train-1", "train-1"],
    *["finish", "finish", "register", "register", "take-over", "take-over", "take-over", "take-over", "take-over"],
    *["promoting", "promoted"],
)


@pytest.fixture(scope="session")
def _jobs_database(make_postgres_database):
    return make_postgres_database("real_jobs")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def site(request, tmp_path):
    """An installation with stored people, whose workers do the real steps."""
    database = request.getfixturevalue(f"{request.param}_database")
    urls = {}
    if request.param == "postgres":
        jobs_url = request.getfixturevalue("_jobs_database")
        with psycopg.connect(jobs_url, autocommit=True) as connection:
            connection.execute("DROP SCHEMA IF EXISTS dbos CASCADE")
        url = database._url.set(drivername="postgresql").render_as_string(hide_password=False)
        urls = {"database_url": url, "jobs_database_url": jobs_url}
    yield from a_site(tmp_path, database, weights_dir=tmp_path / "weights", **urls)


@pytest.fixture
def undisturbed(tmp_path):
    yield from a_site_beside(tmp_path)


@pytest.mark.slow
def test_twenty_kills_over_the_real_cycle_change_nothing_and_leave_no_half_promotion(site, undisturbed):
    untouched = undisturbed.ask()
    with undisturbed.worker():
        expected = told(undisturbed.wait(untouched, patience_s=PATIENCE_S))
    job = site.ask(pause_s=1.5)
    kills = killed_throughout(site, job, random.Random(7))
    done = site.wait(job, patience_s=PATIENCE_S)
    assert len(kills) == len(MOMENTS), "the job was over before it could be disturbed"
    assert done.state is JobState.SUCCEEDED, done.error
    assert told(done) == expected
    assert {name: one.state for name, one in standing(site.database).items()} == {
        COLD: "retired",
        done.result["model_id"]: "current",
    }


def killed_throughout(site, job, draw):
    """Kills the worker or the step's process at each of `MOMENTS`, and starts the worker again."""
    worker = site.start()
    seen, kills = 0, []
    for moment in MOMENTS:
        wait_for(
            lambda at=seen, of=moment: is_over(site, job) or reached(site, job, of, at),
            tell=site.tail,
            patience_s=PATIENCE_S,
        )
        if is_over(site, job):
            break
        if moment not in {"promoting", "promoted"}:
            until_s = time.monotonic() + draw.uniform(0.0, 3.0)
            wait_for(lambda until_s=until_s: time.monotonic() > until_s)
        seen = len(site.steps_started(job))
        victim = "worker" if kills[-3:] == ["step"] * 3 else draw.choice(["worker", "step"])
        kills.append(victim)
        alive = site.steps_started(job)[-1][1]
        if victim == "step" and not is_gone(alive):
            os.kill(alive, signal.SIGKILL)
        else:
            worker.kill()
            worker.wait()
            worker = site.start()
        whole(site)
    return kills


def reached(site, job, moment, seen):
    """True once something was logged after ``seen`` that is this moment or a later one."""
    order = list(dict.fromkeys(MOMENTS))
    return any(order.index(what) >= order.index(moment) for what, _ in site.steps_started(job)[seen:])


def is_over(site, job):
    return site.read(job).state.is_final


def whole(site):
    """Of the two generations that there can be, one answers, and nothing between."""
    states = {"cold" if name == COLD else "learned": one.state for name, one in standing(site.database).items()}
    assert states in ({"cold": "current"}, {"cold": "current", "learned": "candidate"}, FLIPPED)


FLIPPED = {"cold": "retired", "learned": "current"}
