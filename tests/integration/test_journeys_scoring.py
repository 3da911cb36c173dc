"""Stored journeys against a truth that is known box by box."""

from __future__ import annotations

import json

import numpy as np
import pytest
from journey_site import JourneySite
from typer.testing import CliRunner

from reid_core.errors import GroundTruthError, InputError, NoGenerationError
from reid_core.evaluation.mot_files import write_mot
from reid_core.metrics.mot_boxes import MotBoxes
from services.bootstrap import open_database
from services.cli.demo_journeys import journey_rows, score_demo_journeys
from services.cli.main import app
from services.journeys import acts
from services.journeys.scoring import best_identities, score_identities, score_journeys
from services.settings import Settings
from services.storage.tracklets import TrackletRepository

PEOPLE = {1: 1, 2: 1, 3: 2, 4: 2, 5: 3}


@pytest.fixture
def settings(tmp_path):
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def site(settings):
    """Three people: two at the gate and in the hall, one in the yard; each tracklet has 31 boxes."""
    with open_database(settings) as database:
        made = JourneySite(database)
        made.begin()
        for person, camera, after_s in (
            (0, "gate", 0),
            (0, "hall", 20),
            (1, "gate", 60),
            (1, "hall", 85),
            (2, "yard", 20),
        ):
            made.see(person, camera, after_s)
        yield made


def truth_of(site, people=None):
    """True boxes that lie on the tracklets, each moved in time as the tracklet is."""
    boxes = {camera: [] for camera in ("gate", "hall", "yard")}
    with site.database.read() as session:
        for one, path in TrackletRepository(session).iter_paths():
            person = (people or PEOPLE)[one.tracklet_no]
            frames = path.frame_indices + 1
            boxes[one.camera_id].append((frames, np.full(len(path), person), path.boxes_px))
    return {
        camera: MotBoxes.of(*(np.concatenate(part) for part in zip(*some, strict=True)))
        for camera, some in boxes.items()
    }


@pytest.fixture
def apart(site, monkeypatch):
    """Tracklets of one camera share their frames in the making; here each has frames of its own."""
    paths = TrackletRepository.iter_paths

    def moved(self, *args):
        from dataclasses import replace

        for one, path in paths(self, *args):
            yield one, replace(path, frame_indices=path.frame_indices + 1000 * one.tracklet_no)

    monkeypatch.setattr(TrackletRepository, "iter_paths", moved)
    return site


def scored(site, truth):
    with site.database.read() as session:
        return score_journeys(session, truth).as_dict()


def test_right_journeys_score_a_hundred_and_a_split_one_loses_its_share(apart):
    truth = truth_of(apart)
    apart.keeper().rebuild()
    figures = scored(apart, truth)
    assert [figures[name] for name in ("IDF1", "pair_precision", "pair_recall", "MCTA")] == [100, 100, 100, 100]
    acts.split(apart.database, apart.journey_of(1), apart.id_of(2), author="me")
    figures = scored(apart, truth)
    assert figures["IDF1"] == pytest.approx(80), "four of five tracklets are whose they should be"
    assert (figures["pair_recall"], figures["tracklets"], figures["cameras"]) == (50, 5, 3)


def test_who_has_no_journey_is_alone(apart):
    figures = scored(apart, truth_of(apart))
    assert figures["IDF1"] == pytest.approx(60), "one tracklet of each of the three people"
    assert figures["joined_pairs"] == 0


def test_the_best_identities_give_tracklets_to_whom_they_show(apart):
    truth = truth_of(apart)
    with apart.database.read() as session:
        best = best_identities(session, truth, cut=False)
        assert {one.part.tracklet_no: one.identity for one in best} == PEOPLE
        assert score_identities(session, truth, best).as_dict()["IDF1"] == 100
        one_person = best_identities(session, truth_of(apart, dict.fromkeys(PEOPLE, 7)), cut=True)
        assert {one.identity for one in one_person} == {7}


def test_of_two_tracklets_at_one_time_one_is_the_person(site):
    truth = {camera: MotBoxes.none() for camera in ("gate", "hall", "yard")}
    truth["gate"] = truth_of(site)["gate"].take(np.arange(31))
    with site.database.read() as session:
        (one,) = best_identities(session, truth, cut=False)
        assert (one.part.tracklet_no, one.identity) == (1, 1), "3 lies on the same boxes in the same frames"


def test_a_truth_that_does_not_fit_is_refused(apart):
    truth = truth_of(apart)
    del truth["yard"]
    with pytest.raises(GroundTruthError, match="there is none for camera 'yard'"):
        scored(apart, truth)
    with pytest.raises(GroundTruthError, match="camera 'attic' must have one video, it has 0"):
        scored(apart, truth_of(apart) | {"attic": MotBoxes.none()})


def test_the_demo_builds_them_and_tells_what_the_tracks_allow(apart, tmp_path):
    folder = written(apart, tmp_path)
    figures = score_demo_journeys(apart.database, folder)
    assert [figures[name] for name in ("idf1", "idf1_of_tracklets", "idf1_of_parts")] == [1.0, 1.0, 1.0]
    assert (figures["journeys"], figures["cut_tracklets"]) == (3, 0)
    assert journey_rows(figures)[0] == ("journeys", "IDF1 over all cameras", "1.000; at best 1.000 with these tracks")
    assert journey_rows({}) == []


def written(site, tmp_path):
    folder = tmp_path / "truth" / "boxes"
    folder.mkdir(parents=True)
    for camera, boxes in truth_of(site).items():
        write_mot(folder / f"{camera}.txt", boxes)
    return folder


def test_the_command_scores_the_stored_site(apart, settings, tmp_path):
    folder = written(apart, tmp_path).parent

    def run(*args):
        return CliRunner().invoke(app, ["evaluate", "journeys", *map(str, args)])

    here = ("--truth", folder, "--data-dir", settings.data_dir)
    assert "no journeys were built yet" in str(run(*here).exception)
    apart.keeper().rebuild()
    done = run(*here, "--json", "-", "--report", tmp_path / "page.html", "--csv", tmp_path / "rows.csv")
    assert json.loads(done.stdout)["IDF1"] == 100
    assert "Journeys across cameras" in (tmp_path / "page.html").read_text()
    assert "MCTA" in run(*here).stdout
    assert isinstance(run(*here, "--result", folder).exception, InputError)
    assert isinstance(run("--result", folder).exception, InputError)
    assert isinstance(run("--truth", folder, "--data-dir", tmp_path / "none").exception, NoGenerationError)
