"""A small installation on disk: real database, real blobs, random vectors, tiny crops; and fakes for the two models."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import structlog
from fastapi.testclient import TestClient

from reid_core.types import (
    Camera,
    CameraLink,
    ClockQuality,
    Crop,
    CropQuality,
    Detections,
    Embedding,
    Tracklet,
    TrackPath,
)
from services.bootstrap import open_blobs, open_database
from services.query.app import create_app
from services.settings import Settings
from services.storage.blobs import blob_key
from services.storage.cameras import CameraRepository
from services.storage.generations import GenerationRepository
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository

DIM = 16
MODEL = "fake-model-1"
MORNING_S = 1_767_254_400.0  # 2026-01-01T08:00:00Z


def unit(*shape, seed=0):
    vectors = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def picture(width=40, height=80, *, extension=".png", colour=(40, 90, 200)):
    image = np.full((height, width, 3), colour, np.uint8)
    done, buffer = cv2.imencode(extension, image)
    assert done
    return buffer.tobytes()


def a_tracklet(track_no, *, start_s, crops=3, quality=0.5):
    times_s = start_s + np.arange(4, dtype=np.float64)
    boxes = np.tile(np.array([[10, 20, 50, 100]], np.float32), (4, 1))
    jpeg = picture(extension=".jpg", colour=(10 * track_no % 256, 80, 160))
    made = tuple(
        Crop(i, float(times_s[i]), (10.0, 20.0, 50.0, 100.0), jpeg, 40, 80, CropQuality(*(4 * [quality])))
        for i in range(crops)
    )
    path = TrackPath(np.arange(4), times_s, boxes, np.full(4, 0.9, np.float32))
    return Tracklet(track_no, path, made, tuple(reversed(range(crops))), (640, 480))


@dataclass
class Site:
    """An installation and what was put into it, by tracklet number."""

    settings: Settings
    ids: dict[int, str] = field(default_factory=dict)
    embeddings: dict[int, Embedding] = field(default_factory=dict)

    def begin(self, *, model_id=MODEL):
        with open_database(self.settings) as database, database.write() as session:
            GenerationRepository(session).ensure_cold_start(model_id)

    def store(
        self, count, *, camera_id="gate", start_s=MORNING_S, clock=ClockQuality.STATED, vectors=None, quality=0.5
    ):
        """``count`` tracklets of one new source, a minute apart."""
        blobs = open_blobs(self.settings)
        numbers = []
        with open_database(self.settings) as database, database.write() as session:
            GenerationRepository(session).ensure_cold_start(MODEL)
            CameraRepository(session).ensure(Camera(camera_id))
            source = SourceRepository(session).open_source(
                camera_id,
                f"hash {len(self.ids)}",
                "video.mp4",
                start_s=start_s,
                clock_quality=clock,
                frame_size_px=(640, 480),
                fps=10.0,
            )
            tracklets = TrackletRepository(session)
            for i in range(count):
                tracklet = a_tracklet(i + 1, start_s=start_s + 60 * i, quality=quality)
                key = blob_key(source.source_id, tracklet.track_no)
                blobs.put_tracklet(key, tracklet)
                seed = len(self.ids) + 1
                vector = unit(DIM, seed=seed) if vectors is None else vectors[i]
                embedding = Embedding(MODEL, vector, unit(3, DIM, seed=1000 + seed))
                no = tracklets.add(source.source_id, camera_id, tracklet, key, embedding)
                self.ids[no] = str(tracklets.by_no(no).tracklet_id)
                self.embeddings[no] = embedding
                numbers.append(no)
        return numbers

    def link(self, *links):
        with open_database(self.settings) as database, database.write() as session:
            CameraRepository(session).ensure_links([CameraLink(*link) for link in links])

    def remove(self, no):
        with open_database(self.settings) as database, database.write() as session:
            TrackletRepository(session).delete(no)

    @contextmanager
    def served(self, *, detector=None, embedder=None):
        """A client of the running service. The follower never wakes: tests call `catch_up` where they need it."""
        app = create_app(
            self.settings,
            detector=lambda: detector or FakeDetector(),
            embedder=lambda _model_id: embedder or FakeEmbedder(),
            poll_s=3600.0,
        )
        with TestClient(app, base_url="http://localhost") as client:
            yield client


@dataclass
class FakeDetector:
    """Finds what it is told to find, in every picture."""

    boxes: list[list[float]] = field(default_factory=lambda: [[5.0, 10.0, 25.0, 70.0]])
    confidences: list[float] = field(default_factory=lambda: [0.9])
    seen: list[tuple[int, ...]] = field(default_factory=list)

    def detect(self, image):
        self.seen.append(image.shape)
        boxes = np.array(self.boxes, np.float32).reshape(-1, 4)
        return Detections(boxes, np.array(self.confidences, np.float32))


@dataclass
class FakeEmbedder:
    """Gives the vectors it is told to give, in turn."""

    vectors: np.ndarray = field(default_factory=lambda: unit(1, DIM, seed=1))
    model_id: str = MODEL
    dim: int = DIM
    seen: list[tuple[int, ...]] = field(default_factory=list)

    def embed(self, crops):
        vector = self.vectors[len(self.seen) % len(self.vectors)]
        self.seen += [crop.shape for crop in crops]
        return Embedding(self.model_id, vector, np.tile(vector, (len(crops), 1)))


@pytest.fixture(autouse=True)
def logs():
    """What was logged, kept off the terminal."""
    structlog.reset_defaults()
    with structlog.testing.capture_logs() as entries:
        yield entries
    structlog.reset_defaults()  # a command may have set them for its process


@pytest.fixture
def site(tmp_path):
    """An installation with nothing in it."""
    return Site(Settings(data_dir=tmp_path / "data"))


@pytest.fixture(scope="session")
def small_site_folder(tmp_path_factory):
    """Where the small site is made once; tests get copies."""
    site = Site(Settings(data_dir=tmp_path_factory.mktemp("site") / "data"))
    site.store(5, camera_id="gate")
    site.store(3, camera_id="hall", start_s=MORNING_S + 3600, quality=0.8)
    site.store(2, camera_id="yard", start_s=0.0, clock=ClockQuality.UNKNOWN)
    site.link(("gate", "hall", 18.5))
    return site


@pytest.fixture
def small_site(small_site_folder, site):
    """Five tracklets at the gate, three in the hall an hour later, two in the yard whose clock is unknown."""
    shutil.copytree(small_site_folder.settings.data_dir, site.settings.data_dir)
    return replace(site, ids=dict(small_site_folder.ids), embeddings=dict(small_site_folder.embeddings))


@pytest.fixture
def fakes():
    """The fakes' classes and the maker of pictures, for tests that shape them."""
    return SimpleNamespace(FakeDetector=FakeDetector, FakeEmbedder=FakeEmbedder, picture=picture, unit=unit)
