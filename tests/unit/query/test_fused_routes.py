"""Searches and ways of a generation that is calibrated and knows of time."""

from __future__ import annotations

import json

import numpy as np
import pytest
from calibrated_site import calibrate
from sqlalchemy import update
from typer.testing import CliRunner

from reid_core.errors import StorageError
from reid_core.spatio_temporal.bodies import MARKS
from reid_core.spatio_temporal.zones import Zones
from services.bootstrap import open_database
from services.cli.main import app
from services.query.live_index import LiveIndex
from services.storage.documents import CalibrationRepository
from services.storage.feet import read_bodies_and_feet
from services.storage.tables import GenerationRow

MORNING_S = 1_767_254_400.0
BY_IMAGE = "/v1/searches/by-image"


def asked(client, site, **changes):
    answer = client.post("/v1/searches", json={"tracklet_ids": [site.ids[1]], "k": 9, "rerank": False} | changes)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_part_of_an_answer_is_told(small_site):
    named = calibrate(small_site)
    with small_site.served() as client:
        body = asked(client, small_site)
        current = client.get("/v1/generations/current").json()
    assert body["generation"] | named == body["generation"]
    assert current | named == current
    assert (body["ranking"]["by"], body["ranking"]["uses_time"]) == ("probability", True)
    probabilities = []
    for match in body["matches"]:
        evidence = match["evidence"]
        total = body["ranking"]["prior_log_odds"] + evidence["visual_log_odds"] + (evidence["time_log_odds"] or 0)
        assert evidence["probability"] == pytest.approx(1 / (1 + np.exp(-total)), abs=1e-4)
        assert (evidence["time_log_odds"] is not None) == (match["camera_id"] == "hall")
        assert 1 <= evidence["visual_rank"] <= 9
        probabilities.append(evidence["probability"])
    assert probabilities == sorted(probabilities, reverse=True)
    assert len(body["matches"]) == 9


def test_time_can_be_left_out(small_site):
    calibrate(small_site)
    with small_site.served() as client:
        body = asked(client, small_site, use_time=False)
    assert not body["ranking"]["uses_time"]
    assert {match["evidence"]["time_log_odds"] for match in body["matches"]} == {None}


def test_a_calibration_without_a_transit_model_ranks_by_looks(small_site):
    calibrate(small_site, transit=False)
    with small_site.served() as client:
        body = asked(client, small_site)
        missing = client.get("/v1/topology")
    assert body["ranking"]["by"] == "probability"
    assert not body["ranking"]["uses_time"]
    assert missing.status_code == 404


def test_pictures_have_a_probability_and_no_time(small_site, fakes):
    calibrate(small_site)
    with small_site.served() as client:
        body = client.post(BY_IMAGE, files=[("images", ("a.png", fakes.picture(), "image/png"))]).json()
        none = client.post(
            BY_IMAGE, files=[("images", ("a.png", fakes.picture(), "image/png"))], data={"max_error_rate": "0"}
        ).json()
    assert body["matches"][0]["evidence"]["probability"] is not None
    assert not body["ranking"]["uses_time"]
    assert none["matches"] == []


def test_an_error_rate_cuts_the_list(small_site):
    calibrate(small_site)
    with small_site.served() as client:
        everybody = asked(client, small_site)["matches"]
        errors = np.cumsum([1 - match["evidence"]["probability"] for match in everybody]) / np.arange(1, 10)
        rate = float(errors[3] + 1e-5)
        some = asked(client, small_site, max_error_rate=rate)["matches"]
        wrong = client.post("/v1/searches", json={"tracklet_ids": [small_site.ids[1]], "max_error_rate": 1.2})
    assert len(some) == int(np.count_nonzero(errors <= rate))
    assert [one["tracklet_id"] for one in some] == [one["tracklet_id"] for one in everybody[: len(some)]]
    assert wrong.status_code == 422


def test_a_cold_start_answers_as_ever_and_cannot_promise_an_error_rate(small_site):
    with small_site.served() as client:
        body = asked(client, small_site)
        refused = client.post("/v1/searches", json={"tracklet_ids": [small_site.ids[1]], "max_error_rate": 0.1})
        ways = client.get("/v1/topology")
    assert body["ranking"] == {"by": "distance", "uses_time": False, "prior_log_odds": None, "reranking": None}
    assert (body["generation"]["transit_id"], body["generation"]["calibration_id"]) == (None, None)
    assert {match["evidence"]["probability"] for match in body["matches"]} == {None}
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:reknit:problem:not-calibrated")
    assert (ways.status_code, ways.json()["type"]) == (404, "urn:reknit:problem:no-transit-model")


def test_learned_ways_are_told_with_their_curves(small_site):
    calibrate(small_site)
    with small_site.served() as client:
        body = client.get("/v1/topology").json()
    assert [(link["from_camera"], link["to_camera"]) for link in body["links"]] == [("gate", "hall"), ("hall", "gate")]
    link = body["links"][0]
    assert link["peaks"][0]["typical_gap_s"] == pytest.approx(3600.0, rel=1e-3)
    gaps_s, densities = np.array(link["gaps_s"]), np.array(link["densities"])
    assert np.trapezoid(densities, gaps_s) == pytest.approx(1.0, abs=0.05)
    assert gaps_s[densities.argmax()] == pytest.approx(3600 * np.exp(-(0.3**2)), rel=0.1)
    assert max(link["log_odds"]) > 1 > min(link["log_odds"])
    assert len(link["background_densities"]) == len(link["log_odds"]) == len(gaps_s)
    assert [clock["offset_s"] for clock in body["clocks"]] == [0.0, 0.0]


def test_what_is_ingested_later_is_fused_too(small_site):
    calibrate(small_site)
    with open_database(small_site.settings) as database:
        live = LiveIndex(database)
        live.load()
        before = live.current
        small_site.store(2, camera_id="hall", start_s=MORNING_S + 3600)
        live.catch_up()
        assert live.current.fused is before.fused
        assert len(live.current.index) == 12


@pytest.mark.parametrize(("spot", "sign"), [((30 / 640, 100 / 480), 1), ((0.9, 0.9), -1)])
def test_it_matters_by_which_part_of_the_picture_people_leave(small_site, spot, sign):
    # All tracklets stand at one place; walkers leave by the one spot of the zones, which is that place or is not.
    calibrate(small_site, zones=Zones(np.array([spot]), np.array([[0.05, 0.05]]), np.array([0.5, 0.5])))
    with open_database(small_site.settings) as database:
        live = LiveIndex(database)
        live.load()
        assert live.current.knows_places
        entries = live.current.index.sample(99)[1].entries
    assert entries == pytest.approx(np.tile([30 / 640, 100 / 480], (10, 1)))
    with small_site.served() as client:
        matches = asked(client, small_site)["matches"]
    told = [one["evidence"]["time_log_odds"] for one in matches if one["camera_id"] == "hall"]
    assert len(told) == 3
    assert all(sign * one > 0 for one in told)


def test_feet_and_bodies_of_tracklets_that_are_not_stored_are_unknown(small_site):
    with open_database(small_site.settings) as database, database.read() as session:
        bodies, feet = read_bodies_and_feet(session, [2, 777])
    assert feet[0] == pytest.approx(np.tile([30 / 640, 100 / 480], (2, 1)))
    assert np.isnan(feet[1]).all()
    assert bodies.shape == (2, MARKS)
    assert np.isnan(bodies[1]).all()


def test_a_damaged_document_is_refused_and_named(small_site):
    calibrate(small_site)
    with open_database(small_site.settings) as database:
        with database.write() as session:
            CalibrationRepository(session).ensure("calibration-damaged", {"format": "something"})
            session.execute(update(GenerationRow).values(calibration_id="calibration-damaged"))
        with pytest.raises(StorageError, match="calibration-damaged: no calibration of this form"):
            LiveIndex(database).load()


@pytest.fixture
def run(small_site):
    calibrate(small_site)

    def command(*args):
        return CliRunner().invoke(
            app, ["search", "--tracklet", small_site.ids[1], "--data-dir", str(small_site.settings.data_dir), *args]
        )

    return command


def test_the_command_prints_how_sure_it_is_and_why(run):
    done = run()
    assert done.exit_code == 0, done.output
    assert "sure" in done.output
    assert "before either" in done.output
    assert "%" in done.output


def test_the_command_takes_an_error_rate_and_leaves_time_out(run):
    assert "none is sure enough" in run("--max-error-rate", "0").output
    body = json.loads(run("--no-time", "--json", "-").output)
    assert body["ranking"]["uses_time"] is False
    assert body["matches"][0]["evidence"]["probability"] is not None
