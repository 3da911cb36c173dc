"""All that an installation holds, in a form that two installations can be compared by."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

from services.storage.cameras import CameraRepository
from services.storage.embeddings import EmbeddingRepository
from services.storage.generations import GenerationRepository
from services.storage.outbox import Outbox
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from services.storage.blobs import BlobStore
    from services.storage.session import Database

MANY = 1_000_000


def stored(database: Database, blobs: BlobStore) -> dict[str, object]:
    """What is stored, without the ids and times that each installation draws for itself."""
    with database.read() as session:
        sources = {source.source_id: source for source in SourceRepository(session).list()}
        models = [generation.model_id for generation in GenerationRepository(session).list()]
        vectors = EmbeddingRepository(session)
        tracklets = {}
        keys = []
        for tracklet, path in TrackletRepository(session).iter_paths():
            keys.append(tracklet.blob_key)
            embedding = vectors.by_no(tracklet.tracklet_no, models[0])
            name = (tracklet.camera_id, sources[tracklet.source_id].content_hash, tracklet.track_no)
            assert name not in tracklets, f"{name} is there twice"
            tracklets[name] = {
                "path": _digest(path.frame_indices, path.times_s, path.boxes_px, path.confidences),
                "observations": len(path),
                "crops": [hashlib.sha256(jpeg).hexdigest() for jpeg in blobs.read_crops(tracklet.blob_key)],
                "crop_records": TrackletRepository(session).crops(tracklet.tracklet_no),
                "display_order": tracklet.display_order,
                "quality": tracklet.quality,
                "vectors": _digest(embedding.vector, embedding.crop_vectors),
                "embedded_crops": embedding.crop_nos,
            }
        events = Outbox(session).after(0, limit=MANY)
        told = Counter((event.kind, event.payload.get("camera_id")) for event in events)
        news = [event.payload["tracklet_id"] for event in events if event.kind == "tracklet.added"]
        cameras = [camera.camera_id for camera in CameraRepository(session).list()]
    assert len(set(news)) == len(news) == len(tracklets), "every tracklet is told of once"
    assert sorted(keys) == sorted(blobs.keys()), "every tracklet has its blob, and every blob its tracklet"
    return {
        "cameras": cameras,
        "sources": {
            (source.camera_id, source.content_hash): (source.is_finished, source.problems, source.start_s)
            for source in sources.values()
        },
        "models": models,
        "tracklets": tracklets,
        "events": told,
    }


def _digest(*arrays: object) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()  # type: ignore[attr-defined]
