"""A job of all learners beside TASTR's at once: clusters, their graph, a mean teacher, a round of the graph alone."""

from __future__ import annotations

import time

import pytest
from real_cycle import COLD, TINY_CLUSTERS, standing
from real_jobs import a_site, a_site_beside, told
from training_site import is_gone, wait_for

from services.storage.job_records import JobState

PATIENCE_S = 300.0


@pytest.fixture
def site(tmp_path, sqlite_database):
    yield from a_site(tmp_path, sqlite_database, weights_dir=tmp_path / "weights")


@pytest.fixture
def undisturbed(tmp_path):
    yield from a_site_beside(tmp_path)


@pytest.mark.slow
def test_a_cancelled_job_of_another_learner_ends_in_time_and_its_retry_ends_like_an_undisturbed_one(site, undisturbed):
    untouched = undisturbed.ask(recipe=TINY_CLUSTERS.name)
    with undisturbed.worker():
        expected = told(undisturbed.wait(untouched, patience_s=PATIENCE_S))
    job = site.ask(recipe=TINY_CLUSTERS.name)
    with site.worker():
        for step in ("train-1", "distil-1"):
            wait_for(lambda of=step: started(site, job, of), tell=site.tail, patience_s=PATIENCE_S)
            alive, asked_s = site.steps_started(job)[-1][1], time.monotonic()
            site.cancel(job)
            ended = site.wait(job)
            assert time.monotonic() - asked_s < 5.0
            assert (ended.state, is_gone(alive)) == (JobState.CANCELLED, True)
            site.retry(job)
        done = site.wait(job, patience_s=PATIENCE_S)
    assert done.state is JobState.SUCCEEDED, done.error
    assert told(done) == expected
    assert standing(site.database)[COLD].state in {"retired", "current"}


def started(site, job, step):
    return any(name == step for name, _ in site.steps_started(job))
