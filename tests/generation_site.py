"""An installation with generations for tests: tracklets of real pictures, embedders that anybody can recompute."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np

from reid_core.types import Camera, ClockQuality, Crop, CropQuality, Embedding, Tracklet, TrackPath
from services.storage.blobs import BlobStore, blob_key
from services.storage.cameras import CameraRepository
from services.storage.generations import GenerationRepository
from services.storage.models import Model, ModelKind, ModelRepository
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from uuid import UUID

    from reid_core.types import ImageBGR
    from services.storage.generations import Generation
    from services.storage.session import Database

COLD = "cold-model"
MORNING_S = 1_767_254_400.0


@dataclass
class TurnedColour:
    """Embeds a crop as its mean colour in a basis that the model's id decides: two models never agree."""

    model_id: str
    dim: int = 8
    embedded: int = 0
    _basis: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self._basis = np.random.default_rng(list(self.model_id.encode())).normal(size=(4, self.dim))

    def embed(self, crops: Sequence[ImageBGR]) -> Embedding:
        self.embedded += 1
        colours = np.array([[*crop.reshape(-1, 3).mean(axis=0) / 255, 0.3] for crop in crops])
        vectors = (colours - 0.4) @ self._basis
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        centre = vectors.mean(axis=0)
        return Embedding(
            self.model_id, (centre / np.linalg.norm(centre)).astype(np.float32), vectors.astype(np.float32)
        )


def painted_tracklet(track_no: int, *, start_s: float, crops: int = 3) -> Tracklet:
    """A tracklet whose crops have a colour of their own."""
    rng = np.random.default_rng(track_no)
    times_s = start_s + np.arange(crops, dtype=np.float64)
    boxes = np.tile(np.array([[10, 20, 50, 100]], np.float32), (crops, 1))
    made = []
    colour = rng.integers(0, 256, 3)
    for number in range(crops):
        image = np.full((40, 20, 3), np.clip(colour + 5 * number, 0, 255), np.uint8)
        jpeg = cv2.imencode(".jpg", image)[1].tobytes()
        quality = CropQuality(0.5, 0.5, 0.5, 0.5)
        made.append(Crop(number, float(times_s[number]), (10.0, 20.0, 50.0, 100.0), jpeg, 20, 40, quality))
    path = TrackPath(np.arange(crops), times_s, boxes, np.full(crops, 0.9, np.float32))
    return Tracklet(track_no, path, tuple(made), tuple(range(crops)), (640, 480))


@dataclass
class GenerationSite:
    """Stores tracklets and makes generations of models that need no file."""

    database: Database
    folder: Path
    stored: int = 0

    @property
    def blobs(self) -> BlobStore:
        return BlobStore(self.folder / "blobs")

    def store(
        self,
        count: int,
        *,
        models: Sequence[str] = (COLD,),
        camera_id: str = "gate",
        crops: int = 3,
        embedder: type[TurnedColour] = TurnedColour,
    ) -> list[int]:
        """Store tracklets, each in a transaction of its own, with vectors of the models."""
        numbers = []
        embedders = [embedder(model_id) for model_id in models]
        with self.database.write() as session:
            GenerationRepository(session).ensure_cold_start(COLD)
            CameraRepository(session).ensure(Camera(camera_id))
            source = SourceRepository(session).open_source(
                camera_id,
                f"hash {camera_id} {self.stored}",
                "video.mp4",
                start_s=MORNING_S,
                clock_quality=ClockQuality.STATED,
                frame_size_px=(640, 480),
                fps=10.0,
            )
        for _ in range(count):
            self.stored += 1
            tracklet = painted_tracklet(self.stored, start_s=MORNING_S + 10 * self.stored, crops=crops)
            key = blob_key(source.source_id, tracklet.track_no)
            self.blobs.put_tracklet(key, tracklet)
            images = [cv2.imdecode(np.frombuffer(crop.jpeg, np.uint8), cv2.IMREAD_COLOR) for crop in tracklet.crops]
            vectors = [one.embed(images) for one in embedders]
            with self.database.write() as session:
                no = TrackletRepository(session).add(
                    source.source_id, camera_id, tracklet, key, vectors, crop_nos=range(len(images))
                )
            numbers.append(no)
        return numbers

    def candidate(self, model_id: str) -> Generation:
        """A candidate of a model that needs no file."""
        with self.database.write() as session:
            ModelRepository(session).ensure(Model(model_id, ModelKind.COLD_START, dim=8))
            return GenerationRepository(session).add_candidate(model_id)

    def state_of(self, generation_id: UUID) -> str:
        with self.database.read() as session:
            return GenerationRepository(session).by_id(generation_id).state

    def current(self) -> Generation:
        with self.database.read() as session:
            return GenerationRepository(session).current()
