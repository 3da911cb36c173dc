"""The query service as a process of its own, and with the real networks on real video."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import closing, contextmanager

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient

from reid_core.geometry import iou_matrix
from reid_core.types import Camera, ClockQuality, Crop, CropQuality, Embedding, Tracklet, TrackPath
from services.bootstrap import make_detector, make_embedder, open_blobs, open_database
from services.query.app import create_app
from services.settings import Settings
from services.storage.blobs import blob_key
from services.storage.cameras import CameraRepository
from services.storage.generations import GenerationRepository
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository
from services.trainer.locks import DEFAULT_WORKER, is_worker_alive

MORNING_S = 1_767_254_400.0  # 2026-01-01T08:00:00Z
PATIENCE_S = 30.0


def jpeg_of(image):
    return cv2.imencode(".jpg", image)[1].tobytes()


def store(settings, camera_id, embedded):
    """One tracklet of one crop for each ``(crop, embedding)``; returns their ids."""
    blobs = open_blobs(settings)
    ids = []
    with open_database(settings) as database, database.write() as session:
        GenerationRepository(session).ensure_cold_start(embedded[0][1].model_id)
        CameraRepository(session).ensure(Camera(camera_id))
        source = SourceRepository(session).open_source(
            camera_id,
            f"hash of {camera_id}",
            "video.mp4",
            start_s=MORNING_S,
            clock_quality=ClockQuality.STATED,
            frame_size_px=(768, 576),
            fps=10.0,
        )
        for number, (image, embedding) in enumerate(embedded, start=1):
            height, width = image.shape[:2]
            crop = Crop(0, MORNING_S, (0.0, 0.0, 9.0, 9.0), jpeg_of(image), width, height, CropQuality(1, 1, 1, 1))
            path = TrackPath(np.arange(1), np.array([MORNING_S]), np.ones((1, 4), np.float32), np.ones(1, np.float32))
            tracklet = Tracklet(number, path, (crop,), (0,), (768, 576))
            key = blob_key(source.source_id, number)
            blobs.put_tracklet(key, tracklet)
            no = TrackletRepository(session).add(source.source_id, camera_id, tracklet, key, embedding)
            ids.append(str(TrackletRepository(session).by_no(no).tracklet_id))
    return ids


def random_people(count, *, seed):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    image = np.full((20, 10, 3), 99, np.uint8)
    return [(image, Embedding("fake-model", vector, vector[None])) for vector in vectors]


@contextmanager
def served(data_dir, *options):
    """`reknit serve` on a free port; ended when the block ends, and its exit looked at."""
    command = [sys.executable, "-c", "from services.cli.main import main; main()", "serve", "--data-dir", str(data_dir)]
    child = subprocess.Popen(
        [*command, "--port", "0", *options],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"REKNIT_LOG_LEVEL": "INFO"},
    )
    try:
        line = child.stderr.readline()
        yield re.search(r"http://\S+", line).group(), child
    finally:
        child.terminate()
        try:
            child.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            raise


def answered(url, *, body=None):
    request = urllib.request.Request(
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with closing(urllib.request.urlopen(request, timeout=PATIENCE_S)) as answer:
        return json.load(answer)


def until(condition):
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            if value := condition():
                return value
        except OSError:
            pass  # not listening or not ready yet
        assert time.monotonic() < deadline_s, "waited in vain"
        time.sleep(0.05)


def test_what_is_ingested_while_the_service_runs_becomes_searchable_and_it_stops_when_told(tmp_path):
    settings = Settings(data_dir=tmp_path / "data")
    with served(settings.data_dir, "--no-work") as (url, child):
        until(lambda: answered(f"{url}/healthz"))
        store(settings, "gate", random_people(3, seed=1))
        until(lambda: answered(f"{url}/readyz")["ready"])
        ids = store(settings, "hall", random_people(2, seed=2))
        until(lambda: answered(f"{url}/v1/generations/current")["vectors"] == 5)
        matches = answered(f"{url}/v1/searches", body={"tracklet_ids": ids[:1]})["matches"]
        assert len(matches) == 4
        child.send_signal(signal.SIGTERM)
        _, log = child.communicate(timeout=PATIENCE_S)
    assert child.returncode in {0, 128 + signal.SIGTERM}
    events = [json.loads(line)["event"] for line in log.splitlines() if line.startswith("{")]
    assert events[-1] == "service.stopped"
    assert "Traceback" not in log


def test_a_service_runs_the_jobs_that_it_is_asked_for_and_takes_its_worker_with_it(tmp_path):
    with served(tmp_path / "data") as (url, child):
        until(lambda: answered(f"{url}/healthz"))
        job = answered(f"{url}/v1/jobs", body={"recipe": "site-cpu"})
        assert job["state"] == "queued"
        done = until(lambda: next(iter(answered(f"{url}/v1/jobs?state=failed")["items"]), None))
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=PATIENCE_S)
    assert done["job_id"] == job["job_id"]
    assert done["error"].startswith("prepare: There is too little to learn from: 0 tracklets are stored")
    assert not is_worker_alive(tmp_path / "data" / "locks", DEFAULT_WORKER)


def test_a_killed_service_leaves_no_worker_behind(tmp_path):
    locks_dir = tmp_path / "data" / "locks"
    with served(tmp_path / "data") as (_, child):
        until(lambda: is_worker_alive(locks_dir, DEFAULT_WORKER))
        child.kill()
        until(lambda: not is_worker_alive(locks_dir, DEFAULT_WORKER))


def test_a_second_service_on_the_same_port_is_refused_in_one_line(tmp_path):
    with served(tmp_path / "data", "--no-work") as (url, _):
        command = [
            sys.executable,
            "-c",
            "from services.cli.main import main; main()",
            "serve",
            "--port",
            url.split(":")[-1],
        ]
        second = subprocess.run(
            [*command, "--data-dir", str(tmp_path / "data")], capture_output=True, text=True, check=False
        )
    assert second.returncode == 2
    assert len(second.stderr.splitlines()) == 1
    assert "is in use" in second.stderr


def test_on_either_database_the_service_lists_searches_and_follows(empty_database_url, tmp_path):
    settings = Settings(data_dir=tmp_path / "data", database_url=empty_database_url)
    at_gate = random_people(4, seed=3)
    with TestClient(create_app(settings, poll_s=0.02), base_url="http://localhost") as client:
        assert client.get("/readyz").status_code == 503
        gate = store(settings, "gate", at_gate)
        hall = store(settings, "hall", at_gate[:2])
        until(lambda: client.get("/readyz").json()["ready"])
        until(lambda: client.get("/v1/generations/current").json()["vectors"] == 6)
        body = {"tracklet_ids": [gate[1]], "k": 3, "filters": {"other_cameras_only": True}}
        matches = client.post("/v1/searches", json=body).json()["matches"]
        page = client.get("/v1/tracklets", params={"camera_id": "gate", "limit": 3}).json()
        rest = client.get("/v1/tracklets", params={"camera_id": "gate", "cursor": page["next_cursor"]}).json()
        crop = client.get(matches[0]["crops"][0]["href"])
    assert [match["tracklet_id"] for match in matches] == [hall[1], hall[0]]
    assert matches[0]["evidence"]["visual_distance"] == pytest.approx(0, abs=1e-3)
    assert matches[0]["evidence"]["crop_pairs"][0]["query"]["tracklet_id"] == gate[1]
    assert [one["tracklet_id"] for one in page["items"] + rest["items"]] == gate
    assert crop.headers["content-type"] == "image/jpeg"


@pytest.mark.shared_data
@pytest.mark.weights
@pytest.mark.usefixtures("weights_dir")
def test_a_frame_of_real_video_finds_the_person_it_shows(tmp_path, shared_data):
    """People are cut from one frame and stored; the person chosen from the frame after next is found again, first."""
    from reid_core.vision.crops import cut_crop
    from reid_core.vision.video import open_source

    settings = Settings(data_dir=tmp_path / "data", threads=1)
    detector, embedder = make_detector(settings), make_embedder(settings)
    source = open_source(shared_data / "pets09_s2l1" / "vtest.avi")
    with closing(source):
        images = {frame.index: frame.image for frame, _ in zip(source.frames(first_index=300), range(3), strict=False)}
    found = detector.detect(images[300])
    crops = [cut_crop(images[300], box) for box in found.boxes_px[found.confidences > 0.5].tolist()]
    assert len(crops) >= 4
    ids = store(settings, "vtest", [(crop, embedder.embed([crop])) for crop in crops])

    files = {"images": ("later.png", cv2.imencode(".png", images[302])[1].tobytes())}
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        answer = client.post("/v1/searches/by-image", files=files)
        empty = np.full((200, 300, 3), 127, np.uint8)
        nobody = client.post("/v1/searches/by-image", files={"images": ("wall.jpg", jpeg_of(empty))})

    body = answer.json()
    person = body["query"]["people"][0]
    assert person["people_found"] >= 4
    overlaps = iou_matrix(found.boxes_px[found.confidences > 0.5], np.array([person["box_px"]], np.float32))
    assert overlaps.max() > 0.5
    assert body["matches"][0]["tracklet_id"] == ids[int(overlaps.argmax())]
    assert body["generation"]["model_id"] == embedder.model_id
    assert nobody.status_code == 422
    assert nobody.json()["type"] == "urn:reknit:problem:no-person"
