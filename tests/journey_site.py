"""A small installation whose people are easy to tell, for tests of journeys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from factories import make_tracklet
from sqlalchemy import update
from transits import a_calibration, a_transit_model

from reid_core.types import Camera, ClockQuality, Embedding
from services.bootstrap import open_database
from services.journeys.keeper import JourneyKeeper
from services.storage.cameras import CameraRepository
from services.storage.documents import CalibrationRepository, TransitModelRepository
from services.storage.generations import GenerationRepository
from services.storage.journeys import JourneyRepository
from services.storage.journeys_records import MOST_PARTS
from services.storage.models import Model, ModelKind, ModelRepository
from services.storage.promotions import Promotions
from services.storage.sources import SourceRepository
from services.storage.tables import GenerationRow
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from uuid import UUID

    from services.storage.session import Database

MODEL, NEWER = "model-a", "model-b"
CAMERAS = ("gate", "hall", "yard")
MORNING_S = 1_767_254_400.0
PEOPLE = 8


def looks_of(person: int, *, blend: int | None = None, share: float = 0.0) -> np.ndarray:
    """A unit vector of a person, who may look like another one by a share."""
    vector = np.zeros(PEOPLE, np.float32)
    vector[person] = 1 - share
    if blend is not None:
        vector[blend] = share
    return vector / np.linalg.norm(vector)


def calibrate(settings) -> None:
    """Give the current generation of an installation a transit model and a calibration made by hand."""
    with open_database(settings) as database, database.write() as session:
        session.execute(update(GenerationRow).values(**JourneySite.parts(session)))


@dataclass
class JourneySite:
    """Stores tracklets of people by number; generations are calibrated by hand."""

    database: Database
    sources: dict[str, UUID] = field(default_factory=dict)
    stored: int = 0

    def begin(self, *, calibrated: bool = True) -> None:
        with self.database.write() as session:
            GenerationRepository(session).ensure_cold_start(MODEL)
            for camera in CAMERAS:
                CameraRepository(session).ensure(Camera(camera))
                source = SourceRepository(session).open_source(
                    camera,
                    f"hash {camera}",
                    "video.mp4",
                    start_s=MORNING_S,
                    clock_quality=ClockQuality.STATED,
                    frame_size_px=(640, 480),
                    fps=10.0,
                )
                self.sources[camera] = source.source_id
            if calibrated:
                session.execute(update(GenerationRow).values(**self.parts(session)))

    @staticmethod
    def parts(session) -> dict[str, str]:
        transit, calibration = a_transit_model(*CAMERAS), a_calibration(span_s=None)
        TransitModelRepository(session).ensure(transit.transit_id, transit.to_json())
        CalibrationRepository(session).ensure(calibration.calibration_id, calibration.to_json())
        return {"transit_id": transit.transit_id, "calibration_id": calibration.calibration_id}

    def see(self, person: int, camera: str, after_s: float, *, like: int | None = None, share: float = 0.3) -> int:
        """Somebody seen for six seconds; answers the tracklet's number."""
        self.stored += 1
        tracklet = make_tracklet(self.stored, start_s=MORNING_S + after_s, frames=31)
        looks = looks_of(person, blend=like, share=share if like is not None else 0.0)
        with self.database.write() as session:
            models = [one.model_id for one in GenerationRepository(session).list()]
            return TrackletRepository(session).add(
                self.sources[camera],
                camera,
                tracklet,
                f"blob {self.stored}",
                [Embedding(model, looks, looks[None]) for model in dict.fromkeys(models)],
                crop_nos=[0],
            )

    def remove(self, number: int) -> None:
        with self.database.write() as session:
            TrackletRepository(session).delete(number)

    def promote_newer(self, vectors: dict[int, np.ndarray]) -> None:
        """Let another generation answer, which sees the tracklets so."""
        with self.database.write() as session:
            ModelRepository(session).ensure(Model(NEWER, ModelKind.COLD_START, dim=PEOPLE))
            candidate = GenerationRepository(session).add_candidate(NEWER, **self.parts(session))
            tracklets = TrackletRepository(session)
            for number, vector in vectors.items():
                tracklets._embeddings.add_later(
                    number, Embedding(NEWER, vector, vector[None]), crop_nos=[0], crop_count=3
                )
            Promotions(session).promote(candidate.generation_id, reason="test")

    def keeper(self) -> JourneyKeeper:
        return JourneyKeeper(self.database)

    def groups(self) -> list[tuple[int, ...]]:
        """The stored journeys as tracklet numbers."""
        found: dict[UUID, list[int]] = {}
        with self.database.read() as session:
            for key, journey in sorted(JourneyRepository(session).membership().items()):
                found.setdefault(journey, []).append(key // MOST_PARTS)
        return sorted(tuple(numbers) for numbers in found.values())

    def journey_of(self, number: int) -> UUID:
        with self.database.read() as session:
            return JourneyRepository(session).membership()[number * MOST_PARTS]

    def ask(self, what: str, *args):
        with self.database.read() as session:
            return getattr(JourneyRepository(session), what)(*args)

    def id_of(self, number: int) -> UUID:
        with self.database.read() as session:
            return TrackletRepository(session).by_no(number).tracklet_id
