"""From what a cycle made to the generation that answers: registered, judged, embedded, promoted or turned down."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import structlog
from generation_site import COLD, GenerationSite, TurnedColour
from sqlalchemy import update
from transits import a_calibration, a_transit_model

from reid_core.errors import BackfillStoppedError, MissingVectorsError, ModelFilesError, OutrunError, StepFailedError
from reid_core.types import Embedding
from services import bootstrap, succession
from services.bootstrap import open_models
from services.settings import Settings
from services.storage.documents import CalibrationRepository, TransitModelRepository
from services.storage.gaps import VectorGaps
from services.storage.generations import GenerationRepository
from services.storage.job_records import JobState
from services.storage.jobs import JobRepository
from services.storage.models import ModelRepository
from services.storage.tables import TransitModelRow
from services.trainer.promotion import Policy
from services.trainer.registry import Origin, model_id_of, register
from services.trainer.takeover import complete, consider

if TYPE_CHECKING:
    from pathlib import Path

    from services.storage.session import Database

CAMERAS = ("gate", "hall", "yard")
PEOPLE = 14


class Blurred(TurnedColour):
    """Colour drowned in noise: hardly recognises anybody."""

    def embed(self, crops):
        clean = super().embed(crops)
        rng = np.random.default_rng(int(sum(int(crop.sum()) for crop in crops)) % 2**32)
        noisy = clean.crop_vectors + 3 * rng.normal(size=clean.crop_vectors.shape)
        noisy /= np.linalg.norm(noisy, axis=1, keepdims=True)
        centre = noisy.mean(axis=0)
        return Embedding(self.model_id, centre / np.linalg.norm(centre), noisy.astype(np.float32))


class Twin(TurnedColour):
    """Another model that gives the cold start's vectors."""

    def __post_init__(self) -> None:
        self._basis = TurnedColour(COLD)._basis


@pytest.fixture(autouse=True)
def _quiet():
    with structlog.testing.capture_logs():
        yield


@pytest.fixture(autouse=True)
def embedders(monkeypatch):
    """Models by id; what is not named is sharp."""
    known: dict[str, type[TurnedColour]] = {}

    def make(_settings, _database, model_id, **_options):
        return known.get(model_id, TurnedColour)(model_id)

    monkeypatch.setattr(bootstrap, "make_embedder_for", make)
    return known


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.fixture
def site(database: Database, tmp_path: Path) -> GenerationSite:
    return GenerationSite(database, tmp_path)


def populate(site: GenerationSite, embedder: type[TurnedColour] = TurnedColour) -> None:
    """Everybody is seen by every camera, under the cold start."""
    for camera_id in CAMERAS:
        site.stored = 0  # the same people again
        site.store(PEOPLE, camera_id=camera_id, crops=6, embedder=embedder)


def finished(folder: Path, *, weights: bytes = b"w", with_time: bool = False) -> Path:
    """What the last step of a cycle leaves."""
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "recipe.json").write_text('{"name": "site-cpu"}')
    (folder / "metrics.json").write_text('{"loss": 0.25}')
    np.save(folder / "vectors.npy", np.zeros((3, 8), np.float32))
    if with_time:
        (folder / "transit.json").write_text(json.dumps(a_transit_model(*CAMERAS).to_json()))
        (folder / "calibration.json").write_text(json.dumps(a_calibration().to_json()))
    return folder


def test_registering_takes_files_figures_and_documents_and_repeats_harmlessly(site, settings, tmp_path):
    populate(site)
    folder = finished(tmp_path / "finish", with_time=True)
    origin = Origin(None, 5.0, 9.0, 42, {"rounds": 4})
    store = open_models(settings)
    first = register(site.database, store, folder, origin)
    assert register(site.database, store, folder, origin) == first
    assert (first.state, first.model_id) == ("candidate", model_id_of(folder))
    with site.database.read() as session:
        model = ModelRepository(session).by_id(first.model_id)
        transit = TransitModelRepository(session).by_id(first.transit_id)
        calibration = CalibrationRepository(session).by_id(first.calibration_id)
    assert (model.recipe, model.parent_model_id, model.dim, model.tracklet_count) == ("site-cpu", COLD, 8, 42)
    assert (model.data_from_s, model.data_to_s, model.metrics) == (5.0, 9.0, {"loss": 0.25, "rounds": 4})
    assert transit == a_transit_model(*CAMERAS).to_json()
    assert calibration == a_calibration().to_json()
    assert (store.folder(model.model_id, model.files) / "model.safetensors").read_bytes() == b"w"


def test_a_cycle_without_times_or_without_weights(site, settings, tmp_path):
    populate(site)
    candidate = register(site.database, open_models(settings), finished(tmp_path / "a"), Origin())
    assert (candidate.transit_id, candidate.calibration_id) == (None, None)
    broken = finished(tmp_path / "b")
    (broken / "model.safetensors").unlink()
    with pytest.raises(ModelFilesError, match="No such file"):
        register(site.database, open_models(settings), broken, Origin())
    (broken / "recipe.json").write_text("{")
    (broken / "model.safetensors").write_bytes(b"w")
    with pytest.raises(ModelFilesError, match=r"recipe\.json"):
        model_id_of(broken)
    (broken / "recipe.json").write_text("{}")
    with pytest.raises(ModelFilesError, match="names no recipe"):
        model_id_of(broken)
    for name in ("transit.json", "calibration.json"):
        torn = finished(tmp_path / name, with_time=True)
        (torn / name).write_text("{}")
        with pytest.raises(ModelFilesError, match=name):
            register(site.database, open_models(settings), torn, Origin())


def test_a_model_that_recognises_better_takes_over_and_says_by_how_much(site, settings, tmp_path):
    populate(site, Blurred)
    cold = site.current()
    candidate = register(site.database, open_models(settings), finished(tmp_path / "f"), Origin())
    told: list[tuple[int, int]] = []
    outcome = consider(
        settings, site.database, candidate.generation_id, on_progress=lambda done, total: told.append((done, total))
    )
    assert outcome.decision.promote
    assert site.current() == outcome.generation
    assert outcome.generation.reason == outcome.decision.reason
    assert outcome.generation.metrics == outcome.metrics
    assert outcome.metrics["outcome"] == "promote"
    assert outcome.metrics["compared_with"] == str(cold.generation_id)
    assert outcome.metrics["differences"]["rematch_rank1"]["low"] > 0.1
    assert outcome.metrics["candidate"]["rematch_rank1"]["value"] > outcome.metrics["current"]["rematch_rank1"]["value"]
    assert told[-1] == (0, 0), "everything was embedded for the judging already"
    again = consider(settings, site.database, candidate.generation_id)
    assert (again.decision, again.generation) == (None, outcome.generation), "what was decided stays decided"


def test_a_model_that_recognises_worse_is_turned_down_with_the_reason(site, settings, embedders, tmp_path):
    populate(site)
    cold = site.current()
    folder = finished(tmp_path / "f")
    embedders[model_id_of(folder)] = Blurred
    candidate = register(site.database, open_models(settings), folder, Origin())
    outcome = consider(settings, site.database, candidate.generation_id)
    assert not outcome.decision.promote
    assert site.current() == cold
    assert (outcome.generation.state, outcome.metrics["outcome"]) == ("rejected", "keep")
    assert "found again within their camera: -" in outcome.generation.reason
    again = consider(settings, site.database, candidate.generation_id)
    assert (again.generation, again.metrics) == (outcome.generation, outcome.metrics)


def test_a_model_as_good_as_the_current_one_is_no_reason_to_change(site, settings, embedders, tmp_path):
    populate(site)
    folder = finished(tmp_path / "f")
    embedders[model_id_of(folder)] = Twin
    candidate = register(site.database, open_models(settings), folder, Origin())
    outcome = consider(settings, site.database, candidate.generation_id)
    assert outcome.generation.state == "rejected"
    assert outcome.generation.reason.startswith("nothing is better by more than 0.01 with confidence")


def test_the_same_seed_decides_alike(site, settings, tmp_path):
    populate(site, Blurred)
    found = []
    for number in range(2):
        folder = finished(tmp_path / f"f{number}")
        candidate = register(site.database, open_models(settings), folder, Origin())
        strict = Policy(margin=1.0)
        found.append(consider(settings, site.database, candidate.generation_id, seed=3, policy=strict).metrics)
    assert found[0] == found[1]


def test_one_camera_or_nothing_to_judge_by_keeps_what_is(site, settings, tmp_path):
    site.store(1)
    candidate = register(site.database, open_models(settings), finished(tmp_path / "f", with_time=True), Origin())
    outcome = consider(settings, site.database, candidate.generation_id)
    assert outcome.generation.state == "rejected"
    assert "too few tracklets" in outcome.generation.reason


def test_a_stored_document_that_is_none_of_ours_is_told_and_nothing_changes(site, settings, tmp_path):
    populate(site, Blurred)
    candidate = register(site.database, open_models(settings), finished(tmp_path / "f", with_time=True), Origin())
    with site.database.write() as session:
        session.execute(update(TransitModelRow).values(document={"form": "of another time"}))
    with pytest.raises(StepFailedError, match=r"a stored document of .*: not a transit model"):
        consider(settings, site.database, candidate.generation_id)
    assert (site.current().model_id, site.state_of(candidate.generation_id)) == (COLD, "candidate")


def test_a_stopped_takeover_leaves_everything_and_goes_on_later(site, settings, tmp_path):
    populate(site, Blurred)
    candidate = register(site.database, open_models(settings), finished(tmp_path / "f"), Origin())
    calls = iter(range(1000))
    with pytest.raises(BackfillStoppedError):
        consider(settings, site.database, candidate.generation_id, should_stop=lambda: next(calls) > 10)
    assert (site.current().model_id, site.state_of(candidate.generation_id)) == (COLD, "candidate")
    assert consider(settings, site.database, candidate.generation_id).decision.promote


def test_a_retried_job_considers_the_candidate_that_was_given_up_when_it_failed(site, settings, tmp_path):
    populate(site, Blurred)
    with site.database.write() as session:
        job = JobRepository(session).add("train", recipe=None, options={}, author="test")
        JobRepository(session).begin(job.job_id)
    candidate = register(site.database, open_models(settings), finished(tmp_path / "f"), Origin(job.job_id))
    with pytest.raises(BackfillStoppedError):
        consider(settings, site.database, candidate.generation_id, should_stop=lambda: True)
    with site.database.write() as session:
        JobRepository(session).finish(job.job_id, JobState.FAILED, error="take-over: no")
    assert site.state_of(candidate.generation_id) == "rejected"
    with site.database.write() as session:
        JobRepository(session).retry(job.job_id)
        JobRepository(session).begin(job.job_id)
    found = consider(settings, site.database, candidate.generation_id)
    assert (found.decision.promote, found.generation.state) == (True, "current")


def test_tracklets_that_come_during_the_last_backfill_are_embedded_before_the_flip(site, settings, monkeypatch):
    """An ingest that does not know the candidate commits between the backfill and the flip, twice."""
    populate(site, Blurred)
    candidate = site.candidate("model-b")
    late, flip = [1, 1], succession.promote

    def before(*arguments, **options):
        if late:
            site.store(late.pop(), camera_id="late")
        return flip(*arguments, **options)

    monkeypatch.setattr(succession, "promote", before)
    change = complete(settings, site.database, candidate.generation_id, reason="by hand")
    assert (change.generation.model_id, change.missing) == ("model-b", 0)
    with site.database.read() as session:
        assert VectorGaps(session).count("model-b") == 0


def test_tracklets_that_never_stop_coming_end_it_with_the_reason(site, settings, monkeypatch):
    site.store(1)
    candidate = site.candidate("model-b")
    flip = succession.promote

    def before(*arguments, **options):
        site.store(1, camera_id="late")
        return flip(*arguments, **options)

    monkeypatch.setattr(succession, "promote", before)
    with pytest.raises(MissingVectorsError):
        complete(settings, site.database, candidate.generation_id, reason="by hand")
    assert site.current().model_id == COLD


def test_a_candidate_that_was_compared_with_another_generation_waits(site, settings, tmp_path):
    populate(site, Blurred)
    other = site.candidate("model-b")
    candidate = register(site.database, open_models(settings), finished(tmp_path / "f"), Origin())
    complete(settings, site.database, other.generation_id, reason="by hand, meanwhile")
    with site.database.read() as session:
        cold = next(one for one in GenerationRepository(session).list() if one.model_id == COLD)
    with pytest.raises(OutrunError):
        complete(settings, site.database, candidate.generation_id, reason="better", over=cold.generation_id)
    assert site.state_of(candidate.generation_id) == "candidate"


def test_the_model_that_answers_with_a_first_calibration_takes_over_without_new_vectors(site, settings):
    populate(site)
    transit, calibration = a_transit_model(*CAMERAS), a_calibration()
    with site.database.write() as session:
        TransitModelRepository(session).ensure(transit.transit_id, transit.to_json())
        CalibrationRepository(session).ensure(calibration.calibration_id, calibration.to_json())
        candidate = GenerationRepository(session).add_candidate(
            COLD, transit_id=transit.transit_id, calibration_id=calibration.calibration_id
        )
    outcome = consider(settings, site.database, candidate.generation_id, policy=Policy(calibration_limit=1.0))
    assert outcome.generation.state == "current"
    assert outcome.metrics["same_model"]
    assert outcome.generation.reason.startswith("a first calibration, with an error of ")
