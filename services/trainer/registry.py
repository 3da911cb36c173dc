"""Takes what a learning cycle made into the installation: files, registry, and a candidate generation."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from reid_core.errors import ModelFilesError
from services.storage.documents import CalibrationRepository, TransitModelRepository
from services.storage.generations import GenerationRepository
from services.storage.models import Model, ModelKind, ModelRepository

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from uuid import UUID

    from services.model_store import ModelStore
    from services.storage.generations import Generation
    from services.storage.session import Database

__all__ = ["Origin", "model_id_of", "register"]

WEIGHTS, RECIPE = "model.safetensors", "recipe.json"
_TRANSIT, _CALIBRATION, _METRICS, _VECTORS = "transit.json", "calibration.json", "metrics.json", "vectors.npy"


@dataclass(frozen=True, slots=True)
class Origin:
    """What a model was made from.

    Attributes:
        job_id: The job that made it.
        data_from_s: Start of the earliest tracklet that it learned from; ``None`` where no clock is known.
        data_to_s: End of the latest.
        tracklet_count: How many it learned from.
        metrics: Further figures to keep with it.
    """

    job_id: UUID | None = None
    data_from_s: float | None = None
    data_to_s: float | None = None
    tracklet_count: int | None = None
    metrics: Mapping[str, Any] | None = None


def register(database: Database, store: ModelStore, finished: Path, origin: Origin) -> Generation:
    """Publish a cycle's model, store its transit model and calibration, and make the candidate of them.

    Doing it again, after a crash at any point, leads to the same one candidate.

    Args:
        database: Of the installation.
        store: Its models.
        finished: Folder of the cycle's last step: weights and recipe, and where times told something, transit model and
            calibration.
        origin: What it was made from.

    Raises:
        ModelFilesError: If weights or recipe are missing, or a file cannot be read.
        NoGenerationError: If nothing was ingested yet.
        StorageFullError: If there is no space left.
    """
    model_id = model_id_of(finished)
    hashes = store.publish(model_id, {name: finished / name for name in (WEIGHTS, RECIPE)})
    transit, calibration = _document(finished / _TRANSIT), _document(finished / _CALIBRATION)
    metrics = {**(_document(finished / _METRICS) or {}), **(origin.metrics or {})}
    with database.write() as session:
        generations = GenerationRepository(session)
        model = Model(
            model_id,
            ModelKind.LEARNED,
            recipe=_recipe_name(finished),
            code_version=version("reknit"),
            parent_model_id=_parent(generations, model_id),
            data_from_s=origin.data_from_s,
            data_to_s=origin.data_to_s,
            tracklet_count=origin.tracklet_count,
            dim=_dim(finished / _VECTORS),
            job_id=origin.job_id,
            metrics=metrics,
            files=hashes,
        )
        ModelRepository(session).ensure(model)
        if transit is not None:
            TransitModelRepository(session).ensure(_transit_id(transit), transit)
        if calibration is not None:
            CalibrationRepository(session).ensure(_calibration_id(calibration), calibration)
        return generations.add_candidate(
            model_id,
            transit_id=None if transit is None else _transit_id(transit),
            calibration_id=None if calibration is None else _calibration_id(calibration),
            job_id=origin.job_id,
        )


def model_id_of(folder: Path) -> str:
    """The id of the model in a folder, as `reid_core.models.learned.load_learned` gives it: recipe and weights.

    Raises:
        ModelFilesError: If weights or recipe are missing or cannot be read.
    """
    try:
        with (folder / WEIGHTS).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelFilesError(f"{folder / WEIGHTS}: {error.strerror}") from error
    return f"{_recipe_name(folder)}-{digest[:16]}"


def _recipe_name(folder: Path) -> str:
    document = _document(folder / RECIPE)
    if document is None or not isinstance(document.get("name"), str):
        raise ModelFilesError(f"{folder / RECIPE} names no recipe")
    return str(document["name"])


def _parent(generations: GenerationRepository, model_id: str) -> str | None:
    """The model that answers now, from whose vectors the cycle began."""
    current = generations.current().model_id
    return None if current == model_id else current


def _transit_id(document: Mapping[str, Any]) -> str:
    from reid_core.spatio_temporal.transit_model import TransitModel

    try:
        return TransitModel.from_json(document).transit_id
    except ValueError as error:
        raise ModelFilesError(f"{_TRANSIT}: {error}") from error


def _calibration_id(document: Mapping[str, Any]) -> str:
    from reid_core.spatio_temporal.calibration_model import Calibration

    try:
        return Calibration.from_json(document).calibration_id
    except ValueError as error:
        raise ModelFilesError(f"{_CALIBRATION}: {error}") from error


def _dim(vectors: Path) -> int | None:
    if not vectors.is_file():
        return None
    return int(np.load(vectors, mmap_mode="r", allow_pickle=False).shape[1])


def _document(path: Path) -> dict[str, Any] | None:
    """A JSON object, ``None`` where there is no such file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ModelFilesError(f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise ModelFilesError(f"{path} holds no JSON object")
    return document
