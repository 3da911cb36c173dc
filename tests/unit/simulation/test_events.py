from __future__ import annotations

import csv
import json
import tomllib
from datetime import datetime

import numpy as np
import pytest

from reid_core.errors import SimulationSettingsError
from reid_core.simulation.events import simulate_events
from reid_core.simulation.settings import SiteSettings

SETTINGS = SiteSettings(seed=7, people=20)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return simulate_events(tmp_path_factory.mktemp("events") / "out", SETTINGS, hours=0.5)


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def seconds(text):
    return datetime.fromisoformat(text).timestamp()


def test_log_knows_cameras_and_times_but_no_person(log):
    rows = rows_of(log.tracklets_file)
    assert list(rows[0]) == ["tracklet_no", "camera_id", "start", "end"]
    assert len(rows) == log.tracklets > 200
    assert [int(row["tracklet_no"]) for row in rows] == list(range(1, len(rows) + 1))
    assert all(seconds(row["start"]) < seconds(row["end"]) for row in rows)


def test_site_file_of_a_log_names_no_video(log):
    site = tomllib.loads((log.folder / "site.toml").read_text())
    assert all("source" not in camera for camera in site["cameras"])
    assert len(site["links"]) == 4


def test_tracklets_lie_inside_true_visits_once_the_clock_is_corrected(log):
    offsets = json.loads((log.folder / "truth" / "offsets.json").read_text())
    visits = rows_of(log.folder / "truth" / "visits.csv")
    people = {row["tracklet_no"]: row["person_id"] for row in rows_of(log.folder / "truth" / "tracklets.csv")}
    for row in rows_of(log.tracklets_file)[::25]:
        offset_s = offsets[row["camera_id"]]["offset_s"]
        start_s, end_s = seconds(row["start"]) - offset_s, seconds(row["end"]) - offset_s
        assert any(
            visit["person_id"] == people[row["tracklet_no"]]
            and visit["camera_id"] == row["camera_id"]
            and float(visit["start_s"]) - 0.01 <= start_s
            and end_s <= float(visit["end_s"]) + 0.01
            for visit in visits
        )


def test_few_visits_are_missed_and_some_are_broken(log):
    found = len({row["person_id"] for row in rows_of(log.folder / "truth" / "tracklets.csv")})
    assert found == 20
    assert 0.9 < log.tracklets / log.visits < 1.1


def test_equal_settings_give_equal_logs(log, tmp_path):
    again = simulate_events(tmp_path / "out", SETTINGS, hours=0.5)
    assert again.tracklets_file.read_bytes() == log.tracklets_file.read_bytes()


@pytest.mark.parametrize("hours", [0.0, -1.0, np.nan])
def test_hours_must_be_above_zero(hours, tmp_path):
    with pytest.raises(SimulationSettingsError, match="hours must be above 0"):
        simulate_events(tmp_path / "out", SETTINGS, hours=hours)
