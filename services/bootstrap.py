"""Settings to adapters, and nothing else. Imports are lazy: a process loads only what it uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from reid_core.ports import Detector, Embedder
    from services.model_store import ModelStore
    from services.settings import Settings
    from services.storage.blobs import BlobStore
    from services.storage.session import Database

DETECTOR_WEIGHTS = "yolov8n.pt"
EMBEDDER_WEIGHTS = "mobilenet_v2-b0353104.pth"


def open_database(settings: Settings) -> Database:
    """The installation's database, brought up to date when it is new; a stale one is refused.

    Raises:
        SchemaVersionError: If the database is behind or ahead of this code's migrations.
    """
    from services.storage.session import Database

    if not settings.database_url:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.resolved_database_url)
    try:
        if database.is_empty():
            database.upgrade()
        database.require_head()
    except BaseException:
        database.close()
        raise
    return database


def open_blobs(settings: Settings) -> BlobStore:
    """The folder of tracklet blobs."""
    from services.storage.blobs import BlobStore

    return BlobStore(settings.blobs_dir)


def open_models(settings: Settings) -> ModelStore:
    """The folder of the installation's own models."""
    from services.model_store import ModelStore

    return ModelStore(settings.models_dir)


def make_detector(settings: Settings, *, threads: int | None = None, lanes: int = 1) -> Detector:
    """The person detector, compiled for this machine's processor.

    Args:
        settings: Of the installation.
        threads: Threads in all; default as the settings say.
        lanes: Pictures worked on at once, each by its share of the threads.

    Raises:
        WeightsError: If the weights are not to be had or have a wrong hash.
    """
    from reid_core.vision import weights
    from reid_core.vision.detector import load_detector

    cache_dir = settings.weights_cache_dir
    path = weights.resolve(DETECTOR_WEIGHTS, folders=_weight_folders(settings), cache_dir=cache_dir)
    return load_detector(
        weights=path,
        cache_dir=cache_dir,
        precision=settings.detector_precision,
        threads=settings.threads if threads is None else threads,
        streams=lanes,
    )


def make_embedder(settings: Settings, *, threads: int | None = None) -> Embedder:
    """The cold-start embedder.

    Raises:
        WeightsError: If the weights are not to be had or have a wrong hash.
    """
    from reid_core.models.embedder import load_embedder
    from reid_core.vision import weights

    cache_dir = settings.weights_cache_dir
    path = weights.resolve(EMBEDDER_WEIGHTS, folders=_weight_folders(settings), cache_dir=cache_dir)
    return load_embedder(weights=path, cache_dir=cache_dir, threads=settings.threads if threads is None else threads)


def make_embedder_for(settings: Settings, database: Database, model_id: str, *, threads: int | None = None) -> Embedder:
    """The embedder of one registered model: the cold start, or one that was learned here.

    Args:
        settings: Of the installation.
        database: Holds the registry of models.
        model_id: As the registry names it.
        threads: Threads in all; default as the settings say.

    Raises:
        UnknownModelError: If the registry has no such model.
        ModelFilesError: If its files are missing or damaged.
        ModelMismatchError: If what was loaded is another model, as after an upgrade that changed the cold start.
        WeightsError: If published weights are not to be had, or the network cannot be converted.
    """
    from reid_core.errors import ModelMismatchError
    from services.storage.models import ModelKind, ModelRepository

    with database.read() as session:
        model = ModelRepository(session).by_id(model_id)
    if model.kind is ModelKind.COLD_START:
        embedder = make_embedder(settings, threads=threads)
    else:
        from reid_core.models.learned import load_learned

        embedder = load_learned(
            open_models(settings).folder(model_id, model.files),
            cache_dir=settings.weights_cache_dir,
            threads=settings.threads if threads is None else threads,
        )
    if embedder.model_id != model_id:
        raise ModelMismatchError(f"{embedder.model_id} here, {model_id} stored")
    return embedder


def start_weights(settings: Settings, name: str | None) -> Path | None:
    """The file of published weights that a training cycle starts from; ``None`` where its recipe names none.

    Raises:
        WeightsError: If the weights are not to be had or have a wrong hash.
    """
    from reid_core.vision import weights

    if name is None:
        return None
    return weights.resolve(name, folders=_weight_folders(settings), cache_dir=settings.weights_cache_dir)


def _weight_folders(settings: Settings) -> list[Path]:
    return [settings.weights_dir] if settings.weights_dir else []
