"""Cameras, tracklets, crops, health: what is answered and what is refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from reid_core.errors import StorageError


def problem_of(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    return body


def test_the_root_says_where_to_go_on(small_site):
    with small_site.served() as client:
        assert client.get("/").json() == {
            "name": "reknit",
            "version": "0.1.0",
            "api": "/v1",
            "description": "/openapi.json",
        }


def test_cameras_come_with_their_links(small_site):
    with small_site.served() as client:
        answer = client.get("/v1/cameras").json()
    assert [camera["camera_id"] for camera in answer["items"]] == ["gate", "hall", "yard"]
    assert answer["links"] == [{"cameras": ["gate", "hall"], "distance_m": 18.5}]


def test_pages_hold_every_tracklet_once_in_order_of_time(small_site):
    seen, cursor = [], None
    with small_site.served() as client:
        while True:
            page = client.get("/v1/tracklets", params={"limit": 3} | ({"cursor": cursor} if cursor else {})).json()
            seen += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
    assert len(seen) == 10
    assert {one["tracklet_id"] for one in seen} == set(small_site.ids.values())
    known = [one["start"] for one in seen if one["start"]]
    assert known == sorted(known)
    assert known[0] == "2026-01-01T08:00:00Z"


def test_lists_are_narrowed_by_camera_time_and_quality(small_site):
    def cameras_of(client, **params):
        return [one["camera_id"] for one in client.get("/v1/tracklets", params=params).json()["items"]]

    with small_site.served() as client:
        assert cameras_of(client, camera_id="hall") == ["hall"] * 3
        assert cameras_of(client, min_quality=0.7) == ["hall"] * 3
        assert cameras_of(client, start="2026-01-01T08:03:30Z", end="2026-01-01T09:00:00Z") == ["gate", "hall"]


def test_an_unknown_clock_gives_no_times(small_site):
    with small_site.served() as client:
        one = client.get("/v1/tracklets", params={"camera_id": "yard"}).json()["items"][0]
        detail = client.get(f"/v1/tracklets/{one['tracklet_id']}").json()
    assert (one["start"], one["end"], one["clock_quality"], one["duration_s"]) == (None, None, "unknown", 3.0)
    assert {crop["time"] for crop in detail["crops"]} == {None}


def test_a_tracklet_shows_its_crops_best_first(small_site):
    with small_site.served() as client:
        detail = client.get(f"/v1/tracklets/{small_site.ids[1]}").json()
    assert [crop["crop_no"] for crop in detail["crops"]] == [2, 1, 0]
    assert detail["crops"][0]["time"] == "2026-01-01T08:00:02Z"
    assert detail["crops"][0]["box_px"] == [10.0, 20.0, 50.0, 100.0]
    assert detail["frame_size_px"] == [640, 480]


def test_a_crop_is_served_as_stored_and_may_be_kept(small_site):
    href = f"/v1/tracklets/{small_site.ids[1]}/crops/0"
    with small_site.served() as client:
        answer = client.get(href)
        again = client.get(href, headers={"If-None-Match": answer.headers["etag"]})
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content.startswith(b"\xff\xd8\xff")
    assert "max-age=86400" in answer.headers["cache-control"]
    assert (again.status_code, again.content) == (304, b"")


UNKNOWN = "01980a6e-9e02-7a55-9c1d-0b7e54c8d2e1"


@pytest.mark.parametrize("path", [f"/v1/tracklets/{UNKNOWN}", f"/v1/tracklets/{UNKNOWN}/crops/0"])
def test_an_unknown_tracklet_is_not_found(small_site, path):
    with small_site.served() as client:
        problem = problem_of(client.get(path))
    assert problem == {
        "type": "urn:reknit:problem:unknown-tracklet",
        "title": "There is no such tracklet",
        "status": 404,
        "detail": UNKNOWN,
        "instance": path,
    }


@pytest.mark.parametrize("crop_no", [3, 99, -1])
def test_an_unknown_crop_is_not_found(small_site, crop_no):
    with small_site.served() as client:
        problem = problem_of(client.get(f"/v1/tracklets/{small_site.ids[1]}/crops/{crop_no}"))
    assert (problem["status"], problem["type"]) == (404, "urn:reknit:problem:unknown-crop")


@pytest.mark.parametrize(
    ("params", "where"),
    [
        ({"limit": 0}, "query limit"),
        ({"limit": 1001}, "query limit"),
        ({"start": "2026-01-01T08:00:00"}, "query start"),
        ({"min_quality": 2}, "query min_quality"),
    ],
)
def test_a_wrong_parameter_is_named(small_site, params, where):
    with small_site.served() as client:
        problem = problem_of(client.get("/v1/tracklets", params=params))
    assert (problem["status"], problem["errors"][0]["where"]) == (422, where)


@pytest.mark.parametrize("params", [{"cursor": "nonsense"}, {"camera_id": "attic"}])
def test_a_foreign_cursor_and_an_unknown_camera_are_refused(small_site, params):
    with small_site.served() as client:
        assert problem_of(client.get("/v1/tracklets", params=params))["status"] == 422


def test_what_is_not_there_or_not_allowed_is_a_problem_too(small_site):
    with small_site.served() as client:
        assert problem_of(client.get("/v1/nowhere"))["title"] == "Not Found"
        assert problem_of(client.delete("/v1/cameras"))["status"] == 405
        assert problem_of(client.get("/v1/tracklets/nonsense"))["status"] == 422


def test_a_full_installation_is_alive_and_ready(small_site):
    with small_site.served() as client:
        assert client.get("/healthz").json() == {"status": "alive"}
        ready = client.get("/readyz")
        generation = client.get("/v1/generations/current").json()
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert (generation["model_id"], generation["vectors"], generation["dim"]) == ("fake-model-1", 10, 16)


def test_an_empty_installation_is_alive_but_not_ready(site):
    with site.served() as client:
        assert client.get("/healthz").status_code == 200
        ready = client.get("/readyz")
        problem = problem_of(client.get("/v1/generations/current"))
        assert client.get("/v1/tracklets").json() == {"items": [], "next_cursor": None}
    assert ready.status_code == 503
    assert ready.json()["checks"]["database"] == ready.json()["checks"]["migrations"] == "ok"
    assert "Nothing has been ingested" in ready.json()["checks"]["generation"]
    assert problem["status"] == 409


def test_a_database_that_is_upgraded_or_lost_meanwhile_is_not_ready(small_site, monkeypatch):
    def lost(_self):
        raise StorageError("the disk is gone")

    with small_site.served() as client:
        with closing(sqlite3.connect(small_site.settings.data_dir / "reknit.db")) as database, database:
            database.execute("UPDATE alembic_version SET version_num = 'from the future'")
        upgraded = client.get("/readyz")
        monkeypatch.setattr("services.storage.session.Database.current_revision", lost)
        gone = client.get("/readyz")
        monkeypatch.setattr("services.storage.session.Database.read", lost)
        problem = problem_of(client.get("/v1/cameras"))
        assert client.get("/healthz").status_code == 200
    assert (upgraded.status_code, gone.status_code) == (503, 503)
    assert upgraded.json()["checks"]["database"] == "ok"
    assert "does not fit" in upgraded.json()["checks"]["migrations"]
    assert "the disk is gone" in gone.json()["checks"]["database"]
    assert (problem["status"], problem["type"]) == (503, "urn:reknit:problem:storage")


def test_every_answer_carries_safe_headers_and_the_request_id(small_site):
    with small_site.served() as client:
        plain = client.get("/v1/cameras", headers={"X-Request-ID": "mine-1"})
        refused = client.get("/v1/nowhere", headers={"X-Request-ID": "not\tplain"})
    for answer in (plain, refused):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
    assert plain.headers["x-request-id"] == "mine-1"
    assert len(refused.headers["x-request-id"]) == 36


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:8000", ""])
def test_a_foreign_host_is_refused(small_site, host):
    with small_site.served() as client:
        assert problem_of(client.get("/v1/cameras", headers={"Host": host}))["status"] == 421
        for known in ("localhost:8000", "127.0.0.1:1", "[::1]:8000"):
            assert client.get("/healthz", headers={"Host": known}).status_code == 200


def test_an_unforeseen_error_is_told_to_the_log_alone(small_site, monkeypatch, logs):
    monkeypatch.setattr("services.query.routes.cameras.CameraRepository", lambda _: 1 / 0)
    with small_site.served() as client:
        answer = client.get("/v1/cameras")
    problem = problem_of(answer)
    assert problem["status"] == 500
    assert problem["detail"] == f"The log says more under {answer.headers['x-request-id']}."
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert [(entry["event"], entry["log_level"]) for entry in logs if entry["event"] == "http.failed"] == [
        ("http.failed", "error")
    ]


def test_every_request_is_logged_once(small_site, logs):
    with small_site.served() as client:
        client.get("/v1/cameras")
        client.get("/v1/nowhere")
        client.get("/healthz")
    told = [(one["path"], one["status"], one["log_level"]) for one in logs if one["event"] == "http.request"]
    assert told == [("/v1/cameras", 200, "info"), ("/v1/nowhere", 404, "info"), ("/healthz", 200, "debug")]
