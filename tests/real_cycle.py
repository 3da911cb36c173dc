"""The trainer's real steps in small: recipes of seconds, and a site of striped people stored as real JPEG crops."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import cv2
import numpy as np

from reid_core.learning import recipes
from reid_core.learning.learner_parts import AssociationForm, Clustering, Distillation, LossForm, MeanTeacher
from reid_core.learning.recipes import Optimisation, Pairing, Recipe, Sampling
from reid_core.models.network_recipe import NetworkRecipe
from reid_core.types import Camera, ClockQuality, Crop, CropQuality, Embedding, Tracklet, TrackPath
from services.storage.blobs import blob_key
from services.storage.cameras import CameraRepository
from services.storage.gaps import VectorGaps
from services.storage.generations import GenerationRepository
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.storage.blobs import BlobStore
    from services.storage.generations import Generation
    from services.storage.session import Database

CAMERAS = ("gate", "hall", "yard")
COLD = "blind-1"
PEOPLE = 14
_MORNING_S = 1_767_254_400.0
_WIDTH, _HEIGHT = 32, 64
_CROPS = 6

TINY = Recipe(
    name="tiny",
    network=NetworkRecipe("mobilenetv2_035", None, 64, 32, whitened=True, global_dim=16, stripes=2, stripe_dim=8),
    loss=LossForm.PROXIES,
    sampling=Sampling(tracklets=6, crops=2),
    optimisation=Optimisation(within_iterations=8, cross_iterations=8, checkpoint_every=2, warm_up=1),
    pairing=Pairing(rounds=1, min_weight=0.25, crops=3, smoothing=5.0, first_colours=0.4),
)

TINY_CLUSTERS = replace(
    TINY,
    name="tiny+clusters",
    loss=LossForm.CONTRAST,
    pairing=replace(TINY.pairing, form=AssociationForm.CLUSTERS),
    clustering=Clustering(k1=4, k2=2, eps=0.5, fewest=2, centred=True),
    distillation=Distillation(rounds=1, iterations=8, weight=0.5, wide=10),
    teacher=MeanTeacher(instance=1.0),
)


def know_tiny_recipe() -> None:
    """Let `recipe_named` find them, in this process."""
    recipes.RECIPES = MappingProxyType({**recipes.RECIPES, TINY.name: TINY, TINY_CLUSTERS.name: TINY_CLUSTERS})


def store_people(
    database: Database,
    blobs: BlobStore,
    *,
    seen: Mapping[str, int] = MappingProxyType(dict.fromkeys(CAMERAS, PEOPLE)),
    spacing_s: float = 30.0,
    transit_s: float = 16.0,
):
    """People pass the cameras in turn, so many of them by each; the vectors stored with them recognise nobody."""
    rng = np.random.default_rng(5)
    looks = rng.integers(30, 226, (max(seen.values()), 4, 1, 3))
    for place, (camera_id, people) in enumerate(seen.items()):
        cast = rng.uniform(0.8, 1.2, 3)
        source_id = _open_source(database, camera_id)
        for person in range(people):
            start_s = _MORNING_S + spacing_s * person + transit_s * place + rng.normal(0, 0.5)
            tracklet = _tracklet(person + 1, start_s, [_picture(looks[person], cast, rng) for _ in range(_CROPS)])
            key = blob_key(source_id, tracklet.track_no)
            blobs.put_tracklet(key, tracklet)
            with database.write() as session:
                TrackletRepository(session).add(
                    source_id, camera_id, tracklet, key, _noise(rng), crop_nos=range(_CROPS)
                )


def standing(database: Database) -> dict[str, Generation]:
    """Generations by the id of their model, each in one state only; what answers lacks no vector."""
    with database.read() as session:
        generations = GenerationRepository(session)
        current, known = generations.current(), generations.list()
        assert [one.state for one in known].count("current") == 1
        assert VectorGaps(session).count(current.model_id) == 0, "what answers lacks a vector"
    made = {one.model_id: one for one in known}
    assert len(made) == len(known), "a model has two generations"
    return made


def _open_source(database: Database, camera_id: str):
    with database.write() as session:
        GenerationRepository(session).ensure_cold_start(COLD)
        CameraRepository(session).ensure(Camera(camera_id))
        source = SourceRepository(session).open_source(
            camera_id,
            f"hash {camera_id}",
            "video.mp4",
            start_s=_MORNING_S,
            clock_quality=ClockQuality.STATED,
            frame_size_px=(640, 480),
            fps=10.0,
        )
    return source.source_id


def _picture(look: np.ndarray, cast: np.ndarray, rng: np.random.Generator) -> bytes:
    bands = np.repeat(look, _HEIGHT // 4, axis=0) * cast
    noisy = np.clip(bands + rng.normal(0, 12, (_HEIGHT, _WIDTH, 3)), 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", noisy)[1].tobytes()


def _tracklet(track_no: int, start_s: float, pictures: list[bytes]) -> Tracklet:
    times_s = start_s + np.linspace(0.0, 4.0, len(pictures))
    boxes = np.tile(np.array([[10, 20, 42, 84]], np.float32), (len(pictures), 1))
    path = TrackPath(np.arange(len(pictures)), times_s, boxes, np.full(len(pictures), 0.9, np.float32))
    quality = CropQuality(0.5, 0.5, 0.5, 0.5)
    crops = tuple(
        Crop(number, float(times_s[number]), (10.0, 20.0, 42.0, 84.0), jpeg, _WIDTH, _HEIGHT, quality)
        for number, jpeg in enumerate(pictures)
    )
    return Tracklet(track_no, path, crops, tuple(range(len(crops))), (640, 480))


def _noise(rng: np.random.Generator) -> Embedding:
    vectors = rng.normal(size=(_CROPS, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    centre = vectors.mean(axis=0)
    centre /= np.linalg.norm(centre)
    return Embedding(COLD, centre.astype(np.float32), vectors.astype(np.float32))
