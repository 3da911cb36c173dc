"""Journeys over HTTP."""

from __future__ import annotations

import pytest
from journey_site import calibrate

from services.bootstrap import open_database
from services.journeys.keeper import JourneyKeeper

ABSENT = "01a1f8a0-51c3-7b2e-9d5c-61b0f2f6a7c4"


def rebuild(site):
    with open_database(site.settings) as database:
        return JourneyKeeper(database).rebuild()


@pytest.fixture
def client(small_site):
    calibrate(small_site.settings)
    rebuild(small_site)
    with small_site.served() as client:
        yield client


@pytest.fixture
def journeys(client, small_site):
    """The journey of each tracklet, by the tracklet's number; nobody looks like anybody."""
    names = {}
    for item in client.get("/v1/journeys", params={"limit": 1000}).json()["items"]:
        for tracklet in client.get(f"/v1/journeys/{item['journey_id']}").json()["tracklets"]:
            names[tracklet["tracklet_id"]] = item["journey_id"]
    return {no: names[tracklet_id] for no, tracklet_id in small_site.ids.items()}


def tracklets(answer):
    return [one["tracklet_id"] for one in answer["tracklets"]]


def test_an_empty_site_has_no_journeys_and_says_that_none_were_built(site):
    with site.served() as client:
        assert client.get("/v1/journeys").json() == {"items": [], "next_cursor": None, "state": None}


def test_pages_lead_on_and_keep_to_place_and_time(client, small_site):
    first = client.get("/v1/journeys", params={"limit": 4}).json()
    rest = client.get("/v1/journeys", params={"limit": 1000, "cursor": first["next_cursor"]}).json()
    items = first["items"] + rest["items"]
    assert (len(first["items"]), rest["next_cursor"], first["state"]["conflicts"]) == (4, None, [])
    assert sum(item["tracklet_count"] for item in items) == 10
    hall = client.get("/v1/journeys", params={"camera_id": "hall", "start": "2026-01-01T09:01:30Z"}).json()["items"]
    assert sum("hall" in item["camera_ids"] for item in hall) == len(hall) >= 1
    assert client.get("/v1/journeys", params={"camera_id": "nowhere"}).status_code == 422
    assert client.get("/v1/journeys", params={"cursor": "x"}).status_code == 422
    assert client.get("/v1/journeys", params={"min_cameras": 0}).status_code == 422
    assert small_site.ids


def test_journeys_are_merged_split_and_put_back(client, small_site, journeys):
    one, other = journeys[1], journeys[6]
    body = {"journey_id": other, "author": "anna", "note": "same bag"}
    merged = client.post(f"/v1/journeys/{one}/merge", json=body)
    assert merged.status_code == 200, merged.text
    told = merged.json()
    assert {small_site.ids[1], small_site.ids[6]} <= set(tracklets(told))
    assert [one["start"] for one in told["tracklets"]] == sorted(one["start"] for one in told["tracklets"])
    (event,) = [event for event in told["history"] if event["author"] == "anna"]
    assert (event["kind"], event["note"], event["other_id"]) == ("merge", "same bag", other)
    assert client.get(f"/v1/journeys/{other}").json()["successor_id"] == one
    split = client.post(f"/v1/journeys/{one}/split", json={"tracklet_id": small_site.ids[6], "author": "ben"}).json()
    assert tracklets(split["split_off"])[0] == small_site.ids[6]
    assert split["split_off"]["tracklets"][0]["link"]["author"] == "ben"
    back = client.post(f"/v1/journeys/{one}/undo", json={}).json()
    assert small_site.ids[6] in tracklets(back)
    assert back["history"][0]["undone_by"] == "http"
    parted = client.post(f"/v1/journeys/{one}/undo", json={"event_id": event["event_id"], "author": "anna"}).json()
    assert small_site.ids[6] not in tracklets(parted)
    assert small_site.ids[6] in tracklets(client.get(f"/v1/journeys/{other}").json())
    twice = client.post(f"/v1/journeys/{one}/undo", json={"event_id": event["event_id"]})
    assert (twice.status_code, twice.json()["type"]) == (409, "urn:reknit:problem:journey-state")
    rebuild(small_site)
    assert tracklets(client.get(f"/v1/journeys/{one}").json()) == tracklets(parted)


def test_what_one_person_cannot_be_is_a_conflict_that_names_the_pair(small_site):
    calibrate(small_site.settings)
    first, second = small_site.store(1, camera_id="east"), small_site.store(1, camera_id="east")
    rebuild(small_site)
    with small_site.served() as client:
        names = {}
        for item in client.get("/v1/journeys", params={"camera_id": "east"}).json()["items"]:
            for one in tracklets(client.get(f"/v1/journeys/{item['journey_id']}").json()):
                names[one] = item["journey_id"]
        pair = small_site.ids[first[0]], small_site.ids[second[0]]
        answer = client.post(f"/v1/journeys/{names[pair[0]]}/merge", json={"journey_id": names[pair[1]]})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:reknit:problem:impossible-journey")
    assert all(one in answer.json()["detail"] for one in pair)


def test_what_is_not_there_or_makes_no_sense_is_refused(client, small_site, journeys):
    one = f"/v1/journeys/{journeys[1]}"
    for answer in (
        client.get(f"/v1/journeys/{ABSENT}"),
        client.post(f"{one}/merge", json={"journey_id": ABSENT}),
        client.post(f"/v1/journeys/{ABSENT}/undo", json={}),
    ):
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:reknit:problem:unknown-journey")
    missing = client.post(f"{one}/undo", json={"event_id": ABSENT})
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:reknit:problem:unknown-journey-event")
    for path, body in (
        ("merge", {"journey_id": journeys[1]}),
        ("split", {"tracklet_id": small_site.ids[10]}),
        ("split", {"tracklet_id": ABSENT}),
        ("undo", {}),
    ):
        answer = client.post(f"{one}/{path}", json=body)
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:reknit:problem:journey-state"), path
    for path, body in (
        ("merge", {}),
        ("merge", {"journey_id": journeys[2], "author": ""}),
        ("merge", {"journey_id": journeys[2], "note": "x" * 1001}),
        ("split", {"tracklet_id": "no id"}),
        ("undo", {"events": 3}),
    ):
        answer = client.post(f"{one}/{path}", json=body)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:reknit:problem:invalid-request"), path
