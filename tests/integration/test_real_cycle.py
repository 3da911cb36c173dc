"""A learning cycle by the trainer's real steps, from stored crops to the generation that answers."""

from __future__ import annotations

import io
import json

import pytest
from real_cycle import CAMERAS, COLD, PEOPLE, TINY, know_tiny_recipe, standing, store_people

from reid_core.errors import TooLittleToLearnError
from reid_core.learning import recipes
from services import bootstrap
from services.settings import Settings
from services.storage.gaps import VectorGaps
from services.storage.jobs import JobRepository
from services.storage.models import ModelRepository
from services.trainer.results import StepResults
from services.trainer.step import Tell
from services.trainer.steps import run_step


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    monkeypatch.setattr(recipes, "RECIPES", recipes.RECIPES)
    know_tiny_recipe()


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path, weights_dir=tmp_path / "weights", threads=1)


def done_step(settings, job, step):
    """What a step says when it is done, kept as the runner keeps it."""
    folder = settings.jobs_dir / str(job.job_id)
    request = {
        "step": step,
        "job_id": str(job.job_id),
        "kind": job.kind,
        "recipe": job.recipe,
        "options": dict(job.options),
        "folder": str(folder),
        "settings": settings.model_dump(mode="json"),
    }
    told = json.loads(json.dumps(dict(run_step(request, Tell(io.StringIO()))), allow_nan=False))
    StepResults(folder).keep(step, told, seconds=0.0)
    return told


def ask(database):
    with database.write() as session:
        return JobRepository(session).add("train", recipe=TINY.name, options={"seed": 3}, author="test")


def test_a_cycle_goes_from_stored_crops_to_the_generation_that_answers(sqlite_database, settings):
    store_people(sqlite_database, bootstrap.open_blobs(settings))
    job = ask(sqlite_database)
    prepared = done_step(settings, job, "prepare")
    assert prepared["steps"] == ["within", "associate-1", "train-1", "finish", "register", "take-over"]
    assert (prepared["tracklets"], prepared["cameras"]) == (PEOPLE * len(CAMERAS), len(CAMERAS))
    told = {}
    for step in prepared["steps"]:
        assert standing(sqlite_database)[COLD].state == "current", "nothing changes before the flip"
        told[step] = done_step(settings, job, step)
        assert done_step(settings, job, step) == told[step], f"{step}, done again, says the same"
    model_id = told["register"]["model_id"]
    generations = standing(sqlite_database)
    assert {name: one.state for name, one in generations.items()} == {COLD: "retired", model_id: "current"}
    assert told["take-over"]["promoted"]
    assert told["take-over"]["generation_id"] == told["register"]["generation_id"]
    with sqlite_database.read() as session:
        model = ModelRepository(session).by_id(model_id)
    assert (model.job_id, model.recipe, model.tracklet_count) == (job.job_id, TINY.name, PEOPLE * len(CAMERAS))


def test_a_single_tracklet_is_too_little_and_changes_nothing(sqlite_database, settings):
    store_people(sqlite_database, bootstrap.open_blobs(settings), seen={"gate": 1})
    job = ask(sqlite_database)
    done_step(settings, job, "prepare")
    half = settings.jobs_dir / str(job.job_id) / ".checkpoint.safetensors.123.partial"
    half.write_bytes(b"of a step that was killed")
    with pytest.raises(TooLittleToLearnError, match="no two tracklets to tell apart"):
        done_step(settings, job, "within")
    assert not half.exists()
    assert {name: one.state for name, one in standing(sqlite_database).items()} == {COLD: "current"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "people",
    [
        {"seen": {"gate": PEOPLE}},
        {"seen": {"gate": PEOPLE, "hall": 1}},
        {"spacing_s": 0.0, "transit_s": 0.0},
        {"seen": {"gate": 2, "hall": 1}},
    ],
    ids=["one camera", "a camera with one tracklet", "all at once", "three tracklets"],
)
def test_a_poor_site_goes_through_to_a_decision_in_words(sqlite_database, settings, people):
    store_people(sqlite_database, bootstrap.open_blobs(settings), **people)
    decided = whole_cycle(sqlite_database, settings)
    states = {"cold" if name == COLD else "learned": one.state for name, one in standing(sqlite_database).items()}
    assert decided["reason"]
    assert (
        states
        == {
            True: {"cold": "retired", "learned": "current"},
            False: {"cold": "current", "learned": "rejected"},
        }[decided["promoted"]]
    )


@pytest.mark.slow
def test_crops_that_are_torn_or_lost_are_counted_and_the_cycle_goes_on(sqlite_database, settings):
    blobs = bootstrap.open_blobs(settings)
    store_people(sqlite_database, blobs)
    torn, lost = sorted(settings.blobs_dir.rglob("*.zip"))[:2]
    torn.write_bytes(b"no zip")
    lost.unlink()
    decided = whole_cycle(sqlite_database, settings)
    assert decided["prepare"]["tracklets_passed_over"] == 2
    assert decided["promoted"]
    with sqlite_database.read() as session:
        assert len(VectorGaps(session).failures(decided["model_id"])) == 2


def whole_cycle(database, settings):
    """What the last step says, with what the first one said."""
    job = ask(database)
    prepared = done_step(settings, job, "prepare")
    for step in prepared["steps"]:
        told = done_step(settings, job, step)
    return {**told, "prepare": prepared}
