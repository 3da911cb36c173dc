"""Models and generations over HTTP."""

from __future__ import annotations

import pytest

from reid_core.types import Embedding
from services.bootstrap import open_database
from services.storage.embeddings import EmbeddingRepository
from services.storage.generations import GenerationRepository
from services.storage.models import Model, ModelKind, ModelRepository

MODEL, NEW = "fake-model-1", "fake-model-2"


@pytest.fixture
def candidate(small_site):
    """A candidate whose vectors are all there, each the other way round."""
    with open_database(small_site.settings) as database, database.write() as session:
        ModelRepository(session).ensure(Model(NEW, ModelKind.COLD_START, dim=16))
        for no, old in small_site.embeddings.items():
            turned = Embedding(NEW, old.vector[::-1].copy(), old.crop_vectors[:, ::-1].copy())
            EmbeddingRepository(session).add_later(no, turned, crop_nos=(2, 1, 0), crop_count=3)
        return str(GenerationRepository(session).add_candidate(NEW).generation_id)


def test_a_promotion_answers_with_what_it_did_and_searches_follow_at_once(small_site, candidate):
    with small_site.served() as client:
        before = client.get("/v1/generations/current").json()
        listed = client.get("/v1/generations").json()
        done = client.post(f"/v1/generations/{candidate}/promote", json={"reason": "better"})
        search = client.post("/v1/searches", json={"tracklet_ids": [small_site.ids[1]]}).json()
        after = client.get("/v1/generations").json()
    assert [one["state"] for one in listed["items"]] == ["current", "candidate"]
    assert done.status_code == 200
    change = done.json()
    assert (change["generation"]["generation_id"], change["previous_id"]) == (candidate, before["generation_id"])
    assert (change["generation"]["reason"], change["missing"], change["unusable"]) == ("better", 0, 0)
    assert (search["generation"]["generation_id"], search["generation"]["model_id"]) == (candidate, NEW)
    assert [(one["kind"], one["previous_id"]) for one in after["history"]] == [
        ("cold-start", None),
        ("promote", before["generation_id"]),
    ]


def test_the_way_back_is_one_request(small_site, candidate):
    with small_site.served() as client:
        before = client.get("/v1/generations/current").json()
        client.post(f"/v1/generations/{candidate}/promote")
        back = client.post("/v1/generations/rollback").json()
        search = client.post("/v1/searches", json={"tracklet_ids": [small_site.ids[1]]}).json()
        again = client.post(f"/v1/generations/{candidate}/rollback", json={"reason": "it was not the model"}).json()
    assert back["generation"]["generation_id"] == before["generation_id"] == search["generation"]["generation_id"]
    assert again["generation"]["generation_id"] == candidate


def test_what_cannot_be_done_is_refused_with_the_reason(small_site, candidate):
    small_site.store(1)
    with small_site.served() as client:
        missing = client.post(f"/v1/generations/{candidate}/promote")
        nowhere = client.post("/v1/generations/rollback")
        unknown = client.post("/v1/generations/nonsense/promote")
        never = client.post(f"/v1/generations/{candidate}/rollback")
        wrong = client.post(f"/v1/generations/{candidate}/promote", json={"force": True})
        current = client.get("/v1/generations/current").json()
    assert (missing.status_code, missing.json()["type"]) == (409, "urn:reknit:problem:missing-vectors")
    assert missing.json()["detail"] == f"1 tracklets have none of model {NEW}"
    assert (nowhere.status_code, nowhere.json()["type"]) == (409, "urn:reknit:problem:no-way-back")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:reknit:problem:unknown-generation")
    assert (never.status_code, never.json()["type"]) == (409, "urn:reknit:problem:no-way-back")
    assert wrong.status_code == 422
    assert current["model_id"] == MODEL


def test_models_and_generations_are_shown_one_by_one(small_site, candidate):
    with small_site.served() as client:
        models = client.get("/v1/models").json()["items"]
        model = client.get(f"/v1/models/{NEW}").json()
        nobody = client.get("/v1/models/nobody")
        by_id = client.get(f"/v1/generations/{candidate}").json()
        by_model = client.get(f"/v1/generations/{NEW}").json()
        unknown = client.get("/v1/generations/nonsense")
    assert [one["model_id"] for one in models] == [MODEL, NEW]
    assert (model["kind"], model["dim"]) == ("cold-start", 16)
    assert by_id == by_model
    assert (nobody.status_code, unknown.status_code) == (404, 404)


def test_a_model_whose_files_are_gone_is_not_put_to_work(small_site):
    with open_database(small_site.settings) as database, database.write() as session:
        ModelRepository(session).ensure(Model("learned-1", ModelKind.LEARNED, files={"model.safetensors": "00" * 32}))
        GenerationRepository(session).add_candidate("learned-1")
    with small_site.served() as client:
        refused = client.post("/v1/generations/learned-1/promote")
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:reknit:problem:model-files")
