"""Searches re-ranked by the generation's graph: what they answer, and when they do without."""

from __future__ import annotations

import json
from contextlib import contextmanager

import numpy as np
import pytest
from calibrated_site import calibrate
from typer.testing import CliRunner

from services.bootstrap import open_database
from services.cli.main import app
from services.query.generation_parts import graphs_in
from services.query.live_index import LiveIndex

MORNING_S = 1_767_254_400.0
BY_IMAGE = "/v1/searches/by-image"


def asked(client, site, **changes):
    answer = client.post("/v1/searches", json={"tracklet_ids": [site.ids[1]], "k": 9} | changes)
    assert answer.status_code == 200, answer.text
    return answer.json()


@contextmanager
def following(site):
    """A live index with a graph, over the site's own folder of graphs."""
    with open_database(site.settings) as database:
        live = LiveIndex(database, graphs=graphs_in(site.settings.graphs_dir))
        live.load()
        yield live


def test_re_ranking_tells_what_it_did_and_leaves_probabilities_alone(small_site):
    calibrate(small_site)
    with small_site.served() as client:
        plain, reranked = (asked(client, small_site, rerank=rerank) for rerank in (False, True))
    assert plain["ranking"]["reranking"] is None
    told = reranked["ranking"]["reranking"]
    assert (told["applied"], told["reason"]) == (True, None)
    assert told["neighbours"] >= 0
    assert 0 <= told["neighbours_share"] <= 1
    before = {match["tracklet_id"]: match for match in plain["matches"]}
    for match in reranked["matches"]:
        was = before[match["tracklet_id"]]
        assert match["evidence"]["probability"] == was["evidence"]["probability"]
        assert match["evidence"]["plain_rank"] == was["rank"]
        assert 0 <= match["evidence"]["refined_distance"] <= 2
        assert (was["evidence"]["plain_rank"], was["evidence"]["refined_distance"]) == (None, None)
    assert {match["tracklet_id"] for match in reranked["matches"]} == set(before)


def test_a_likely_neighbour_pulls_its_like_forward(site):
    # a: seen at the gate. b at the hall an hour later looks and fits like a. c looks like b, as much like a as d does.
    rng = np.random.default_rng(0)
    turned = np.linalg.qr(rng.normal(size=(16, 16)))[0].astype(np.float32)
    a, towards, aside = turned[:3]
    b = (0.9 * a + np.sqrt(1 - 0.81) * towards).astype(np.float32)
    c, d = (0.5 * a + np.sqrt(0.75) * way for way in (towards, aside))
    others = rng.normal(size=(30, 16)).astype(np.float32) - 2 * a
    others /= np.linalg.norm(others, axis=1, keepdims=True)
    site.store(1, vectors=[a])
    site.store(1, camera_id="hall", start_s=MORNING_S + 3600, vectors=[b])
    site.store(2, camera_id="yard", start_s=MORNING_S + 9000, vectors=[d, c])
    site.store(30, camera_id="yard", start_s=MORNING_S + 9600, vectors=others)
    calibrate(site)
    with site.served() as client:
        plain, reranked = (
            [match["tracklet_id"] for match in asked(client, site, rerank=rerank)["matches"]]
            for rerank in (False, True)
        )
    assert plain[0] == reranked[0] == site.ids[2]
    assert plain.index(site.ids[3]) < plain.index(site.ids[4])
    assert reranked.index(site.ids[4]) < reranked.index(site.ids[3])


def test_filters_hold_for_re_ranked_answers_too(small_site):
    calibrate(small_site)
    with small_site.served() as client:
        body = asked(client, small_site, rerank=True, filters={"camera_ids": ["hall"]}, max_error_rate=1.0)
    assert {match["camera_id"] for match in body["matches"]} == {"hall"}
    assert len(body["matches"]) == 3


def test_a_cold_start_is_not_re_ranked_and_says_why(small_site):
    with small_site.served() as client:
        body = asked(client, small_site, rerank=True)
    assert body["ranking"]["reranking"] == {
        "applied": False,
        "reason": "the generation is not calibrated",
        "neighbours": 0,
        "neighbours_share": 0.0,
    }
    assert body["ranking"]["by"] == "distance"


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_graph_that_is_too_small_is_left_alone(site, count):
    site.store(count)
    calibrate(site)
    with site.served() as client:
        told = asked(client, site, rerank=True)["ranking"]["reranking"]
    assert (told["applied"], told["reason"]) == (False, f"there are only {count - 1} other tracklets")


def test_nothing_stored_is_no_error(site):
    site.begin()
    calibrate(site)
    with following(site) as live:
        live.catch_up()
        assert live.current.graph.graph is None
        assert live.current.graph.ready


def test_pictures_are_re_ranked_by_looks(small_site, fakes):
    calibrate(small_site)
    with small_site.served() as client:
        files = [("images", ("a.png", fakes.picture(), "image/png"))]
        body = client.post(BY_IMAGE, files=files, data={"rerank": "true"}).json()
        without = client.post(BY_IMAGE, files=files, data={"rerank": "false"}).json()
    assert body["ranking"]["reranking"]["applied"]
    assert not body["ranking"]["uses_time"]
    assert without["ranking"]["reranking"] is None


def test_the_graph_follows_what_comes_and_goes(site):
    site.store(6)
    calibrate(site)
    with following(site) as live:
        site.store(4, camera_id="hall", start_s=MORNING_S + 3600)
        site.remove(2)
        site.remove(7)
        live.catch_up()
        followed = live.current.graph.graph
        assert len(followed) == len(live.current.index) == 8
        with following(site) as fresh:
            loaded = fresh.current.graph.graph
            for number in (1, 3, 4, 5, 6, 8, 9, 10):
                assert followed.neighbours(number) == loaded.neighbours(number)
                assert followed.embeddings([number]).tolist() == loaded.embeddings([number]).tolist()


def test_a_kept_graph_is_taken_up_and_one_that_does_not_fit_is_rebuilt_with_a_word(small_site, logs):
    calibrate(small_site)
    with following(small_site) as live:
        expected = live.current.graph.graph.embeddings(range(1, 11)).tolist()
    (path,) = small_site.settings.graphs_dir.iterdir()
    written = path.stat().st_mtime_ns
    small_site.remove(10)
    with following(small_site) as live:
        assert len(live.current.graph) == 9
    assert path.stat().st_mtime_ns == written  # one removal is not worth writing it anew
    assert not [entry for entry in logs if entry["event"] == "graph.refused"]
    path.write_bytes(path.read_bytes()[:-100])
    with following(small_site) as live:
        assert len(live.current.graph) == 9
        assert live.current.graph.graph.embeddings(range(1, 10)).tolist() != expected[:0]
    refused = [entry for entry in logs if entry["event"] == "graph.refused"]
    assert [(one["instead"], "damaged" in one["error"]) for one in refused] == [("rebuilt", True)]


def test_a_graph_of_a_generation_with_another_calibration_is_rebuilt(small_site, logs):
    calibrate(small_site)
    with following(small_site):
        pass
    calibrate(small_site, transit=True, calibration=True, zones=None, steepness=3.0)
    with following(small_site) as live:
        assert len(live.current.graph) == 10
    assert ["joining" in entry["error"] for entry in logs if entry["event"] == "graph.refused"] == [True]


def test_a_large_graph_grows_by_portions_while_searches_do_without(small_site, monkeypatch, logs):
    monkeypatch.setattr("services.query.live_graph._PAIRS_AT_ONCE", 30)
    monkeypatch.setattr("services.query.live_graph._AT_A_TIME", 4)
    calibrate(small_site)
    with small_site.served() as client:
        told = asked(client, small_site, rerank=True)["ranking"]["reranking"]
        assert told["reason"] == "the graph is still being built"
        live = client.app.state.service.live
        live.catch_up()
        small_site.remove(9)
        live.catch_up()
        assert not live.current.graph.ready
        live.catch_up()
        assert len(live.current.graph) == 9
        assert asked(client, small_site, rerank=True)["ranking"]["reranking"]["applied"]
    assert [entry["event"] for entry in logs if entry["event"].startswith("graph.")] == [
        "graph.building",
        "graph.built",
    ]
    assert len(list(small_site.settings.graphs_dir.iterdir())) == 1


def test_a_graph_that_cannot_be_kept_is_no_reason_to_stop(small_site, logs):
    calibrate(small_site)
    small_site.settings.graphs_dir.write_text("a file where the folder should be")
    with following(small_site) as live:
        assert len(live.current.graph) == 10
    assert "graph.not_kept" in [entry["event"] for entry in logs]


def test_the_command_says_what_re_ranking_did(small_site):
    calibrate(small_site)
    args = ["search", "--tracklet", small_site.ids[1], "--data-dir", str(small_site.settings.data_dir)]
    done = CliRunner().invoke(app, [*args, "--rerank"])
    assert done.exit_code == 0, done.output
    assert "re-ranked beside" in done.output
    assert "was" in done.output
    body = json.loads(CliRunner().invoke(app, [*args, "--no-rerank", "--json", "-"]).output)
    assert body["ranking"]["reranking"] is None
