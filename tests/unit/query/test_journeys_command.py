"""`reknit journeys`."""

from __future__ import annotations

import json

import pytest
from journey_site import calibrate
from typer.testing import CliRunner

from reid_core.errors import InputError, JourneyStateError, NoGenerationError, UnknownCameraError, UnknownJourneyError
from services.cli.main import app
from services.cli.options import with_json_target


@pytest.fixture
def run(small_site):
    calibrate(small_site.settings)

    def runs(*args):
        where = ["--data-dir", str(small_site.settings.data_dir)]
        return CliRunner().invoke(app, with_json_target(["journeys", *args, *where]))

    return runs


def asked(run, *args):
    done = run(*args, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_they_are_built_listed_shown_merged_split_and_put_back(run, small_site):
    assert asked(run, "list") == {"items": [], "next_cursor": None, "state": None}
    assert "reknit journeys rebuild" in run("list").stdout
    assert asked(run, "rebuild")["tracklets"] == 10
    gate = asked(run, "list", "--camera", "gate", "--end", "2026-01-01T08:00:30")["items"][0]["journey_id"]
    hall = asked(run, "list", "--camera", "hall", "--limit", "1")["items"][0]["journey_id"]
    merged = asked(run, "merge", gate, hall, "--author", "anna", "--note", "same bag")
    numbers = [one["tracklet_id"] for one in merged["tracklets"]]
    assert {small_site.ids[1], small_site.ids[6]} <= set(numbers)
    assert asked(run, "show", hall)["successor_id"] == gate
    split = asked(run, "split", gate, small_site.ids[6], "--alone")
    assert [one["tracklet_id"] for one in split["split_off"]["tracklets"]] == [small_site.ids[6]]
    back = asked(run, "undo", gate)
    assert [one["tracklet_id"] for one in back["tracklets"]] == numbers
    assert asked(run, "undo", gate, merged["history"][0]["event_id"])["history"][-1]["undone_by"] == "command line"


def test_people_read_lines(run, small_site):
    built = run("rebuild").stdout
    assert "of 10 tracklets" in built
    gate, other = (line.split()[0] for line in run("list", "--camera", "gate", "--limit", "2").stdout.splitlines()[:2])
    assert "more with --cursor" in run("list", "--limit", "1").stdout
    told = run("merge", gate, other, "--note", "same bag").stdout
    assert "took in" in told
    assert "(command line)  same bag" in told
    assert f"was taken in by {gate}" in run("show", other).stdout
    parted = run("split", gate, small_site.ids[2]).stdout
    assert "lost" in parted
    assert "undone by command line" in run("undo", gate).stdout


def test_what_cannot_be_done_is_told(run, small_site, tmp_path):
    run("rebuild")
    gate = run("list", "--limit", "1").stdout.split()[0]
    for args, error in (
        (("show", "no id"), UnknownJourneyError),
        (("merge", gate, gate), JourneyStateError),
        (("split", gate, small_site.ids[10]), JourneyStateError),
        (("undo", gate), JourneyStateError),
        (("list", "--start", "yesterday"), InputError),
        (("list", "--camera", "nowhere"), UnknownCameraError),
        (("merge", gate, gate, "--note", "x" * 1001), InputError),
    ):
        assert isinstance(run(*args).exception, error), args
    elsewhere = CliRunner().invoke(app, ["journeys", "list", "--data-dir", str(tmp_path / "none")])
    assert isinstance(elsewhere.exception, NoGenerationError)
