"""After a way back, the vectors that came since are made up for, by a job that nobody had to ask for."""

from __future__ import annotations

import io
from itertools import count

import pytest
import structlog
from generation_site import COLD, GenerationSite, TurnedColour

from reid_core.errors import BackfillError
from services import bootstrap
from services.jobs import BACKFILL
from services.settings import Settings
from services.storage.gaps import VectorGaps
from services.storage.job_records import JobState
from services.storage.jobs import JobRepository
from services.storage.promotions import Promotions
from services.trainer.backfill import backfill
from services.trainer.missing_vectors import ask_for_missing
from services.trainer.step import Tell
from services.trainer.steps import run_step

NEW = "new-model"


@pytest.fixture(autouse=True)
def _quiet():
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
def clock():
    ticks = count(1_800_000_000)
    return lambda: float(next(ticks))


@pytest.fixture
def site(database, tmp_path):
    """Went back to the cold start after three tracklets had been stored under another model alone."""
    made = GenerationSite(database, tmp_path)
    made.store(4)
    candidate = made.candidate(NEW)
    with structlog.testing.capture_logs():
        backfill(database, made.blobs, TurnedColour(NEW))
    with database.write() as session:
        Promotions(session).promote(candidate.generation_id, reason="better")
    made.store(3, models=[NEW], camera_id="hall")
    return made


def go_back(site, clock):
    with site.database.write() as session:
        Promotions(session, clock=clock).rollback(reason="by hand")


def end(site, job, state, clock):
    with site.database.write() as session:
        jobs = JobRepository(session, clock=clock)
        jobs.begin(job.job_id)
        jobs.finish(job.job_id, state, error=None if state is JobState.SUCCEEDED else "the blobs are away")


def lacking(site, model_id=COLD):
    with site.database.read() as session:
        return VectorGaps(session).count(model_id)


def embed(site, job, monkeypatch, embedder=TurnedColour):
    monkeypatch.setattr(bootstrap, "make_embedder_for", lambda _settings, _database, model_id: embedder(model_id))
    monkeypatch.setattr(bootstrap, "open_database", lambda _settings: _Lent(site.database))
    settings = Settings(data_dir=site.folder).model_dump(mode="json")
    request = {"step": "embed", "kind": job.kind, "options": dict(job.options), "settings": settings}
    return run_step({**request, "job_id": str(job.job_id), "folder": str(site.folder)}, Tell(io.StringIO()))


class _Lent:
    """The test's database, which stays open when a step is done with it."""

    def __init__(self, database):
        self._database = database

    def __enter__(self):
        return self._database

    def __exit__(self, *_exception):
        return None


def test_where_nothing_is_stored_or_missing_nothing_is_asked_for(database, tmp_path, clock):
    assert ask_for_missing(database, clock=clock) is None
    GenerationSite(database, tmp_path).store(2)
    assert ask_for_missing(database, clock=clock) is None


def test_after_a_way_back_one_job_makes_what_is_missing(site, clock, monkeypatch):
    assert ask_for_missing(site.database, clock=clock) is None, "the model that answers has them all"
    go_back(site, clock)
    assert lacking(site) == 3
    job = ask_for_missing(site.database, clock=clock)
    assert (job.kind, job.recipe, job.options["model_id"]) == (BACKFILL, None, COLD)
    assert ask_for_missing(site.database, clock=clock) is None, "it was asked for already"
    assert embed(site, job, monkeypatch) == {"model_id": COLD, "embedded": 3, "unusable": 0}
    end(site, job, JobState.SUCCEEDED, clock)
    assert lacking(site) == 0
    assert ask_for_missing(site.database, clock=clock) is None


def test_what_comes_without_a_vector_after_that_is_made_up_for_too(site, clock, monkeypatch):
    go_back(site, clock)
    first = ask_for_missing(site.database, clock=clock)
    embed(site, first, monkeypatch)
    end(site, first, JobState.SUCCEEDED, clock)
    site.store(1, models=[NEW], camera_id="yard")
    assert ask_for_missing(site.database, clock=clock).job_id != first.job_id


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
def test_one_that_came_to_nothing_is_not_asked_for_again_before_another_generation_answers(site, clock, state):
    go_back(site, clock)
    end(site, ask_for_missing(site.database, clock=clock), state, clock)
    assert ask_for_missing(site.database, clock=clock) is None
    with site.database.write() as session:
        promotions = Promotions(session, clock=clock)
        forth = next(one for one in promotions.history() if one.kind == "promote")
        promotions.promote(forth.generation_id, reason="by hand")
    go_back(site, clock)
    assert ask_for_missing(site.database, clock=clock).kind == BACKFILL


def test_crops_out_of_reach_end_it_and_the_generation_goes_on_answering(site, clock, monkeypatch):
    go_back(site, clock)
    job = ask_for_missing(site.database, clock=clock)
    before = site.current()
    (site.folder / "blobs").rename(site.folder / "away")
    site.store(5, models=[NEW], camera_id="yard")
    (site.folder / "blobs").rename(site.folder / "away-too")
    with pytest.raises(BackfillError, match="see to the blobs"):
        embed(site, job, monkeypatch)
    assert site.current() == before
