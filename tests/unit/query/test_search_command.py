"""`reknit search` over a data folder."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from reid_core.errors import InputError, NoGenerationError, NotAnImageError, UnknownTrackletError
from services.cli.main import app


@pytest.fixture
def run(small_site, fakes, monkeypatch):
    """Runs the command over the small site, with fakes for the models."""
    embedder = fakes.FakeEmbedder(vectors=small_site.embeddings[7].vector[None])
    monkeypatch.setattr("services.bootstrap.make_detector", lambda _: fakes.FakeDetector())
    monkeypatch.setattr("services.bootstrap.make_embedder", lambda _settings, **_options: embedder)

    def runner(*args):
        return CliRunner().invoke(app, ["search", *args, "--data-dir", str(small_site.settings.data_dir)])

    return runner


def test_a_tracklet_is_searched_for_as_the_service_does(run, small_site):
    done = run("--tracklet", small_site.ids[1], "-k", "3", "--json", "-")
    assert done.exit_code == 0
    with small_site.served() as client:
        served = client.post("/v1/searches", json={"tracklet_ids": [small_site.ids[1]], "k": 3}).json()
    assert json.loads(done.stdout) == served


def test_pictures_and_filters_are_passed_on(run, small_site, fakes, tmp_path):
    picture = tmp_path / "who.png"
    picture.write_bytes(fakes.picture())
    found = tmp_path / "found.json"
    options = ["--camera", "hall", "--from", "2026-01-01T09:00:30Z", "--to", "2026-01-01 10:01:30+01:00"]
    done = run("--image", str(picture), *options, "--min-quality", "0.7", "--json", str(found))
    answer = json.loads(found.read_text())
    assert [match["tracklet_id"] for match in answer["matches"]] == [small_site.ids[7]]
    said = " ".join(done.stdout.split())  # a long path makes a line of its own
    assert "who.png: the person at 5,10 to 25,70 (1 of 1 found, confidence 0.90)" in said


def test_other_cameras_and_whole_pictures_are_passed_on(run, small_site, fakes, tmp_path):
    others = run("--tracklet", small_site.ids[1], "--other-cameras", "--json", "-")
    assert {match["camera_id"] for match in json.loads(others.stdout)["matches"]} == {"hall", "yard"}
    picture = tmp_path / "crop.png"
    picture.write_bytes(fakes.picture())
    whole = run("--image", str(picture), "--whole-image", "--json", "-")
    assert json.loads(whole.stdout)["query"]["people"][0]["box_px"] == [0.0, 0.0, 40.0, 80.0]


def test_the_table_shows_every_answer(run, small_site):
    done = run("--tracklet", small_site.ids[1])
    assert done.exit_code == 0
    for no in range(2, 11):
        assert small_site.ids[no] in done.stdout
    assert "+3597.0" in done.stdout


def test_no_answer_is_said_so(run, small_site):
    assert "No tracklet passes" in run("--tracklet", small_site.ids[1], "--from", "2030-01-01").stdout


@pytest.mark.parametrize(
    ("args", "error", "line"),
    [
        ((), InputError, "either --image or --tracklet"),
        (("--tracklet", "x", "--image", "y"), InputError, "either --image or --tracklet"),
        (("--tracklet", "nonsense"), UnknownTrackletError, "nonsense"),
        (("--image", "nowhere.png"), InputError, "nowhere.png: No such file or directory"),
        (("--image", __file__), NotAnImageError, "not a JPEG"),
        (("--tracklet", "x", "--from", "yesterday"), InputError, "'yesterday' is no time"),
        (("--tracklet", "x", "--from", "2030-01-01", "--to", "2029-01-01"), InputError, "--from lies after --to"),
        (("--tracklet", "x", "--camera", "attic"), UnknownTrackletError, "x"),
    ],
)
def test_a_mistake_gets_one_clear_line(run, args, error, line):
    done = run(*args)
    assert type(done.exception) is error
    assert line in str(done.exception)
    assert done.exception.exit_code == 2


def test_a_folder_without_an_installation_is_refused_and_not_made(tmp_path):
    done = CliRunner().invoke(app, ["search", "--tracklet", "x", "--data-dir", str(tmp_path / "none")])
    assert isinstance(done.exception, NoGenerationError)
    assert not (tmp_path / "none").exists()
