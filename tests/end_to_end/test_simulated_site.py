"""`reknit simulate` as a user runs it."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
import time
import tomllib
from dataclasses import replace
from itertools import pairwise

import av
import numpy as np
import psutil
import pytest

from reid_core.geometry import iou_matrix, xywh_to_xyxy
from reid_core.metrics.junk import SameCamera
from reid_core.metrics.ranking import evaluate_ranking
from reid_core.models.embedder import load_embedder
from reid_core.simulation.settings import SiteSettings
from reid_core.simulation.site import simulate_site
from reid_core.vision.detector import load_detector

PROGRAM = "import sys; from services.cli.main import main; sys.argv[0] = 'reknit'; main()"


def reknit(*arguments, timeout_s=240.0):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
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


def test_two_processes_write_the_same_bytes_as_one(tmp_path):
    settings = SiteSettings(seed=7, cameras=2, people=20, minutes=0.04, processes=1)
    simulate_site(tmp_path / "one", settings)
    simulate_site(tmp_path / "two", replace(settings, processes=2))
    assert digests(tmp_path / "two") == digests(tmp_path / "one")


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def running(tmp_path):
    """A simulation at work, its children known."""
    arguments = ["simulate", str(tmp_path / "s"), "--cameras", "2", "--people", "5", "--minutes", "2"]
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 120
    while not list((tmp_path / "s").glob("videos/*.partial")) and time.monotonic() < until:
        time.sleep(0.1)
    yield process
    process.kill()
    process.wait()
    process.stderr.close()


def test_killed_simulation_leaves_no_half_video_and_no_process(tmp_path, running):
    children = psutil.Process(running.pid).children(recursive=True)
    running.kill()
    running.wait()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []
    assert not (tmp_path / "s" / "site.toml").exists()
    assert not list((tmp_path / "s").glob("videos/*.mp4"))
    done = reknit("simulate", tmp_path / "s", "--cameras", 2, "--people", 5, "--minutes", 0.02)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "s" / "videos").iterdir()) == ["cam1.mp4", "cam2.mp4"]


def test_dead_worker_ends_the_simulation_with_one_clear_line(tmp_path, running):
    for child in psutil.Process(running.pid).children(recursive=True):
        if "spawn_main" in " ".join(child.cmdline()):
            child.kill()
            break
    _, told = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "The site could not be simulated: the process that rendered cam" in told.splitlines()[-1]
    assert not (tmp_path / "s" / "site.toml").exists()


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


@pytest.mark.slow
@pytest.mark.weights
def test_default_detector_finds_people_that_are_large_and_not_hidden(tmp_path, weights_dir):
    detector = load_detector(weights=weights_dir / "yolov8n.pt", cache_dir=tmp_path / "cache")
    site = simulate_site(tmp_path / "s", SiteSettings(minutes=0.5, people=60))
    found = wanted = strangers = 0
    for video in site.videos:
        truth = read_rows(site.truth_dir / "boxes" / f"{video.stem}.txt")
        for number, image in pictures(video, every=6):
            rows = truth[truth[:, 0] == number]
            boxes = xywh_to_xyxy(rows[:, 2:6])
            detections = detector.detect(image)
            people = detections.boxes_px[detections.confidences >= 0.25]
            overlaps = iou_matrix(boxes, people)
            clear = (rows[:, 5] > 60) & (rows[:, 8] >= 0.7)
            wanted += int(clear.sum())
            found += sum(bool(overlaps[row].size and overlaps[row].max() >= 0.5) for row in np.flatnonzero(clear))
            strangers += sum(not (overlaps[:, column] > 0.1).any() for column in range(len(people)))
    assert wanted > 300
    assert found / wanted >= 0.85
    assert strangers / wanted < 0.02


@pytest.mark.slow
@pytest.mark.weights
def test_untrained_descriptor_is_neither_blind_nor_done(tmp_path, weights_dir):
    embedder = load_embedder(weights=weights_dir / "mobilenet_v2-b0353104.pth", cache_dir=tmp_path / "cache")
    site = simulate_site(tmp_path / "s", SiteSettings())
    vectors, people, cameras = [], [], []
    for camera, video in enumerate(site.videos):
        for person, crops in crops_by_visit(video, site.truth_dir / "boxes" / f"{video.stem}.txt"):
            vectors.append(embedder.embed(crops).vector)
            people.append(person)
            cameras.append(camera)
    matrix = np.stack(vectors)
    scores = evaluate_ranking(
        1 - matrix @ matrix.T,
        query_ids=np.array(people),
        gallery_ids=np.array(people),
        query_cameras=np.array(cameras),
        gallery_cameras=np.array(cameras),
        same_camera=SameCamera.EVERYBODY,
    )
    assert 0.25 <= scores.map_rectangle <= 0.5


def read_rows(path):
    return np.loadtxt(path, delimiter=",", ndmin=2)


def pictures(video, *, every):
    with av.open(str(video)) as container:
        for number, frame in enumerate(container.decode(video=0), start=1):
            if number % every == 0:
                yield number, frame.to_ndarray(format="bgr24")


def crops_by_visit(video, boxes):
    """Crops of people over 60 px that are at least 60% visible, twice a second, by visit."""
    truth = read_rows(boxes)
    visits = {}
    open_visits = {}
    for number, image in pictures(video, every=5):
        for _, person, x, y, width, height, _, _, visibility in truth[truth[:, 0] == number].astype(float):
            if height > 60 and visibility >= 0.6:
                last, visit = open_visits.get(person, (-100, -1))
                visit = visit if number - last <= 20 else len(visits)
                open_visits[person] = (number, visit)
                crop = image[int(y) : int(y + height), int(x) : int(x + width)]
                visits.setdefault(visit, (int(person), []))[1].append(crop)
    return [(person, crops[:12]) for person, crops in visits.values() if len(crops) >= 3]
