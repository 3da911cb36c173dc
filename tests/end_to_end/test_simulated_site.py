"""`reknit simulate` as a user runs it."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
import tomllib
from itertools import pairwise

import pytest


def reknit(*arguments, timeout_s=240.0):
    program = "import sys; from services.cli.main import main; sys.argv[0] = 'reknit'; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def test_tiny_site_is_written_and_told_as_json(tmp_path):
    done = reknit("simulate", tmp_path / "s", "--cameras", 2, "--people", 5, "--minutes", 0.05, "--json", "-")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["cameras"], told["people"], told["frames"]) == (2, 5, 60)
    site = tomllib.loads((tmp_path / "s" / "site.toml").read_text())
    assert all((tmp_path / "s" / camera["source"]).stat().st_size > 1000 for camera in site["cameras"])


def test_events_only_writes_a_log_and_no_video(tmp_path):
    done = reknit("simulate", tmp_path / "s", "--people", 5, "--events-only", "--hours", 0.2, "--json", "-")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["tracklets"] > 10
    assert not list((tmp_path / "s").rglob("*.mp4"))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--people", 0), "people must be at least 1, not 0"),
        (("--minutes", 0), "minutes must be above 0, not 0.0"),
        (("--cameras", 1), "cameras must be at least 2, not 1"),
        (("--difficulty", "brutal"), "difficulty must be one of easy, default, hard, not 'brutal'"),
    ],
)
def test_bad_settings_end_with_one_line_and_exit_code_2(tmp_path, arguments, named):
    done = reknit("simulate", tmp_path / "s", *arguments)
    assert done.returncode == 2
    assert named in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "s").exists()


@pytest.mark.slow
def test_killed_simulation_leaves_no_half_video_and_can_be_repeated(tmp_path):
    program = "import sys; from services.cli.main import main; sys.argv[0] = 'reknit'; main()"
    folder = tmp_path / "s"
    running = subprocess.Popen(
        [sys.executable, "-c", program, "simulate", str(folder), "--cameras", "2", "--people", "5", "--minutes", "1"],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while not list(folder.glob("videos/*.partial")) and time.monotonic() < until:
        time.sleep(0.1)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not (folder / "site.toml").exists()
    assert not list(folder.glob("videos/*.mp4"))
    done = reknit("simulate", folder, "--cameras", 2, "--people", 5, "--minutes", 0.02)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (folder / "videos").iterdir()) == ["cam1.mp4", "cam2.mp4"]


@pytest.mark.slow
def test_default_site_is_as_large_as_promised(tmp_path):
    started_s = time.monotonic()
    done = reknit("simulate", tmp_path / "s", "--json", "-", timeout_s=900.0)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["frames"] == 4800
    assert told["visits"] >= 250
    assert time.monotonic() - started_s < 600
    with (tmp_path / "s" / "truth" / "visits.csv").open() as file:
        visits = list(csv.DictReader(file))
    gaps = {}
    for person in {visit["person_id"] for visit in visits}:
        for before, after in pairwise([visit for visit in visits if visit["person_id"] == person]):
            if before["camera_id"] != after["camera_id"]:
                pair = frozenset((before["camera_id"], after["camera_id"]))
                gaps.setdefault(pair, []).append(float(after["start_s"]) - float(before["end_s"]))
    links = tomllib.loads((tmp_path / "s" / "site.toml").read_text())["links"]
    for link in links:
        walked = sorted(gaps[frozenset(link["cameras"])])
        assert len(walked) >= 15
        assert 6.0 <= walked[len(walked) // 2] <= 25.0
