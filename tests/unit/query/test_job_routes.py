"""Jobs over HTTP."""

from __future__ import annotations

from uuid import UUID

import pytest

from services.bootstrap import open_database
from services.storage.job_records import JobState
from services.storage.jobs import JobRepository

ABSENT = "01a1f8a0-51c3-7b2e-9d5c-61b0f2f6a7c4"
PROGRESS = {
    "step_no": 2,
    "steps": ["prepare", "within"],
    "done": 5,
    "total": 10,
    "share": 0.75,
    "eta_s": None,
    "metrics": {"loss": 0.5, "norm": None},
    "worker": "worker-1",
    "at_s": 1_767_254_400.0,
}


@pytest.fixture
def client(site):
    with site.served() as client:
        yield client


@pytest.fixture
def act(site):
    """Does what a worker would do to a job."""

    def does(what, job_id, *args, **options):
        with open_database(site.settings) as database, database.write() as session:
            return getattr(JobRepository(session), what)(UUID(job_id), *args, **options)

    return does


def ask(client, **body):
    return client.post("/v1/jobs", json=body)


def test_a_training_cycle_is_asked_for(client):
    made = ask(client, recipe="site-cpu", seed=7)
    assert made.status_code == 201
    job = made.json()
    assert made.headers["location"] == f"/v1/jobs/{job['job_id']}"
    assert {
        name: job[name] for name in ("kind", "recipe", "seed", "attempt", "state", "author", "progress", "result")
    } == {
        "kind": "train",
        "recipe": "site-cpu",
        "seed": 7,
        "attempt": 1,
        "state": "queued",
        "author": "http",
        "progress": None,
        "result": None,
    }
    assert client.get(made.headers["location"]).json() == job


def test_without_a_word_on_it_the_recipe_is_the_installations_own(client):
    assert ask(client).json()["recipe"] == "site-cpu"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"recipe": "no-such"}, "recipe"),
        ({"seed": -1}, "invalid-request"),
        ({"kind": "shutdown"}, "invalid-request"),
        ({"recipes": "site-cpu"}, "invalid-request"),
    ],
)
def test_what_cannot_run_is_refused_before_it_blocks_the_queue(client, body, kind):
    refused = ask(client, **body)
    assert (refused.status_code, refused.json()["type"]) == (422, f"urn:reknit:problem:{kind}")
    assert client.get("/v1/jobs").json()["items"] == []


def test_progress_and_result_are_shown(client, act):
    job_id = ask(client).json()["job_id"]
    act("begin", job_id)
    act("note", job_id, step="within", progress=PROGRESS)
    job = client.get(f"/v1/jobs/{job_id}").json()
    assert (job["state"], job["step"], job["progress"]["share"], job["progress"]["metrics"]) == (
        "running",
        "within",
        0.75,
        {"loss": 0.5, "norm": None},
    )
    assert job["progress"]["at"] == "2026-01-01T08:00:00Z"
    act("finish", job_id, JobState.SUCCEEDED, result={"promoted": False, "reason": "not better"})
    job = client.get(f"/v1/jobs/{job_id}").json()
    assert (job["state"], job["result"]["reason"], job["progress"]["eta_s"]) == ("succeeded", "not better", 0.0)


def test_pages_lead_through_all_jobs(client):
    asked = [ask(client, seed=seed).json()["job_id"] for seed in range(5)]
    client.post(f"/v1/jobs/{asked[0]}/cancel")
    found, cursor = [], None
    while True:
        page = client.get("/v1/jobs", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        found += [job["job_id"] for job in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == asked[::-1]
    cancelled = client.get("/v1/jobs", params={"state": "cancelled"}).json()["items"]
    assert [job["job_id"] for job in cancelled] == asked[:1]


def test_a_job_is_cancelled_and_retried(client, act):
    job_id = ask(client).json()["job_id"]
    assert client.post(f"/v1/jobs/{job_id}/cancel").json()["state"] == "cancelled"
    again = client.post(f"/v1/jobs/{job_id}/retry").json()
    assert (again["state"], again["attempt"]) == ("queued", 2)
    act("begin", job_id)
    assert client.post(f"/v1/jobs/{job_id}/cancel").json()["state"] == "cancelling"


def test_what_cannot_be_done_with_a_job_is_a_conflict(client):
    job_id = ask(client).json()["job_id"]
    early = client.post(f"/v1/jobs/{job_id}/retry")
    client.post(f"/v1/jobs/{job_id}/cancel")
    late = client.post(f"/v1/jobs/{job_id}/cancel")
    assert [answer.status_code for answer in (early, late)] == [409, 409]
    assert late.json()["type"] == "urn:reknit:problem:job-state"


@pytest.mark.parametrize("act_on", ["", "/cancel", "/retry"])
def test_a_job_that_is_not_there_is_not_found(client, act_on):
    method = client.post if act_on else client.get
    answer = method(f"/v1/jobs/{ABSENT}{act_on}")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:reknit:problem:unknown-job")
    assert method(f"/v1/jobs/nonsense{act_on}").status_code == 422


def test_a_cursor_of_nobody_is_refused(client):
    assert client.get("/v1/jobs", params={"cursor": "x"}).status_code == 422
