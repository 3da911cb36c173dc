"""Small made-up things for tests; equal arguments make equal things."""

from __future__ import annotations

import numpy as np

from reid_core.types import Crop, CropQuality, Embedding, Tracklet, TrackPath


def make_path(frames: int = 5, *, start_s: float = 100.0, first_frame: int = 10, fps: float = 10.0) -> TrackPath:
    """A path that walks to the right, seen in every second frame."""
    indices = first_frame + 2 * np.arange(frames, dtype=np.int64)
    boxes = np.array([[10 + n, 20, 30 + n, 80] for n in range(frames)], np.float32).reshape(-1, 4)
    confidences = np.linspace(0.5, 0.9, frames, dtype=np.float32)
    return TrackPath(indices, start_s + np.arange(frames) * 2 / fps, boxes, confidences)


def make_tracklet(track_no: int = 1, *, crops: int = 3, start_s: float = 100.0, frames: int = 5) -> Tracklet:
    """A tracklet whose last crop is the best."""
    path = make_path(frames, start_s=start_s)
    made = tuple(
        Crop(
            frame_index=int(path.frame_indices[n % frames]),
            time_s=float(path.times_s[n % frames]),
            box_px=tuple(float(edge) for edge in path.boxes_px[n % frames]),
            jpeg=b"\xff\xd8jpeg %d of track %d\xff\xd9" % (n, track_no),
            width_px=20,
            height_px=60,
            quality=CropQuality(0.1 + 0.01 * n, 0.5, 0.6, 0.7),
        )
        for n in range(crops)
    )
    return Tracklet(track_no, path, made, tuple(reversed(range(crops))), (640, 480))


def make_embedding(seed: int = 0, *, model_id: str = "model-a", dim: int = 8, crops: int = 2) -> Embedding:
    """Unit vectors drawn with a seed."""
    vectors = np.random.default_rng(seed).normal(size=(1 + crops, dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Embedding(model_id, vectors[0], vectors[1:])
