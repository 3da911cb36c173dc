"""Feedback over HTTP."""

from __future__ import annotations

import pytest

from services import feedback

ABSENT = "01a1f8a0-51c3-7b2e-9d5c-61b0f2f6a7c4"


@pytest.fixture
def client(small_site):
    with small_site.served() as client:
        yield client


@pytest.fixture
def ids(small_site):
    return [small_site.ids[no] for no in sorted(small_site.ids)]


def say(client, one, other, verdict="same", **more):
    return client.post("/v1/feedback", json={"tracklet_a": one, "tracklet_b": other, "verdict": verdict, **more})


def test_a_verdict_is_given_and_read_again(client, ids):
    made = say(client, ids[3], ids[0], note="same bag")
    assert made.status_code == 201
    said = made.json()
    assert made.headers["location"] == f"/v1/feedback/{said['feedback_id']}"
    assert [said["tracklet_a"], said["tracklet_b"]] == sorted([ids[0], ids[3]])
    told = {name: said[name] for name in ("verdict", "note", "author", "counts", "withdrawn", "contradictions")}
    assert told == {
        "verdict": "same",
        "note": "same bag",
        "author": "http",
        "counts": True,
        "withdrawn": None,
        "contradictions": [],
    }
    del said["contradictions"]
    assert client.get(made.headers["location"]).json() == said
    assert client.get("/v1/feedback").json() == {"items": [said], "next_cursor": None}


@pytest.mark.parametrize("last", ["different", "same"])
def test_a_contradiction_is_stored_and_named_whichever_verdict_came_last(client, ids, logs, last):
    pairs = [(ids[0], ids[1], "same"), (ids[1], ids[2], "same"), (ids[0], ids[2], "different")]
    if last == "same":
        pairs.reverse()
    answers = [say(client, *pair) for pair in pairs]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert [len(answer.json()["contradictions"]) for answer in answers] == [0, 0, 1]
    (chain,) = answers[-1].json()["contradictions"]
    assert chain[1] == ids[1]
    assert {chain[0], chain[2]} == {ids[0], ids[2]}
    (entry,) = [entry for entry in logs if entry["event"] == "feedback.contradiction"]
    assert entry["chain"] == chain
    assert say(client, ids[3], ids[4]).json()["contradictions"] == [], "what others said is not told again"


def test_a_verdict_is_withdrawn_and_stays_in_the_history(client, ids):
    first = say(client, ids[0], ids[1]).json()
    second = say(client, ids[1], ids[0], "different").json()
    gone = client.delete(f"/v1/feedback/{second['feedback_id']}")
    assert (gone.status_code, gone.json()["counts"]) == (200, False)
    assert gone.json()["withdrawn"] is not None
    assert client.delete(f"/v1/feedback/{second['feedback_id']}").json() == gone.json()
    assert [one["counts"] for one in client.get("/v1/feedback").json()["items"]] == [False, True]
    assert client.get(f"/v1/feedback/{first['feedback_id']}").json()["counts"]


def test_pages_lead_on_and_keep_to_a_tracklet(client, ids):
    said = [say(client, ids[0], other).json()["feedback_id"] for other in ids[1:6]]
    say(client, ids[1], ids[2])
    page = client.get("/v1/feedback", params={"tracklet_id": ids[0], "limit": 3}).json()
    rest = client.get("/v1/feedback", params={"tracklet_id": ids[0], "limit": 3, "cursor": page["next_cursor"]}).json()
    assert [one["feedback_id"] for one in page["items"] + rest["items"]] == said[::-1]
    assert rest["next_cursor"] is None


def test_what_is_not_there_is_not_found(client, ids):
    for answer in (say(client, ids[0], ABSENT), client.get("/v1/feedback", params={"tracklet_id": ABSENT})):
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:reknit:problem:unknown-tracklet")
    for answer in (client.get(f"/v1/feedback/{ABSENT}"), client.delete(f"/v1/feedback/{ABSENT}")):
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:reknit:problem:unknown-feedback")


def test_what_is_no_verdict_on_a_pair_is_refused(client, ids):
    answer = say(client, ids[0], ids[0])
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:reknit:problem:feedback")
    for wrong in ({"verdict": "perhaps"}, {"note": "x" * 1001}, {"author": "me"}):
        answer = say(client, ids[0], ids[1], **wrong)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:reknit:problem:invalid-request")
    assert client.get("/v1/feedback", params={"cursor": "x"}).status_code == 422
    assert client.get("/v1/feedback").json()["items"] == []


def test_of_many_contradictions_some_are_named(client, ids, monkeypatch):
    monkeypatch.setattr(feedback, "MOST_CONTRADICTIONS", 2)
    for one, other in ((0, 1), (1, 2), (5, 6), (6, 7)):
        say(client, ids[one], ids[other])
    for one in (0, 1, 2):
        assert say(client, ids[one], ids[7], "different").json()["contradictions"] == []
    chains = say(client, ids[2], ids[5]).json()["contradictions"]
    assert len(chains) == 2
    assert all(chain[0] in ids[:3] and chain[-1] == ids[7] for chain in chains)
