"""A world that needs no weights: coloured blocks walk through noise, and a detector that knows their colours.

For tests of everything around the networks: files, threads, commits, crashes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from reid_core.types import Detections, Embedding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from reid_core.types import FloatArray, ImageBGR

SIZE_PX = (160, 120)
FPS = 10.0
_COLOURS = ((255, 40, 40), (40, 255, 40), (40, 40, 255))
_BLOCK_PX = (20, 50)


@dataclass(frozen=True)
class Walk:
    """A block that walks to the right, seen from ``first`` to before ``last``; ``lane`` is its colour and height."""

    lane: int
    first: int
    last: int

    def box_px(self, index: int) -> tuple[int, int, int, int]:
        left = 5 + 2 * (index - self.first)
        top = 5 + 30 * self.lane
        return left, top, left + _BLOCK_PX[0], top + _BLOCK_PX[1]


@cache
def paint(walks: tuple[Walk, ...], index: int, *, size_px: tuple[int, int] = SIZE_PX) -> ImageBGR:
    """Frame ``index``: a flickering grey ground and the blocks that are seen in it."""
    width, height = size_px
    grey = np.random.default_rng(index).integers(40, 120, (height // 8, width // 8), dtype=np.uint8)
    image = cv2.cvtColor(cv2.resize(grey, (width, height), interpolation=cv2.INTER_NEAREST), cv2.COLOR_GRAY2BGR)
    for walk in walks:
        if walk.first <= index < walk.last:
            left, top, right, bottom = walk.box_px(index)
            image[top:bottom, left:right] = _COLOURS[walk.lane]
    image.setflags(write=False)
    return image


def film(walks: Sequence[Walk], frames: int, *, size_px: tuple[int, int] = SIZE_PX) -> Iterator[ImageBGR]:
    """All frames in order."""
    return (paint(tuple(walks), index, size_px=size_px) for index in range(frames))


def record(path: Path, walks: Sequence[Walk], frames: int, *, size_px: tuple[int, int] = SIZE_PX) -> Path:
    """Write a video file; the codec follows the suffix (.avi: motion JPEG, .mp4 and .ts: by FFmpeg's choice)."""
    import av

    codec = {".avi": "mjpeg", ".mp4": "mpeg4", ".ts": "mpeg2video"}[path.suffix]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25 if path.suffix == ".ts" else int(FPS))
        stream.width, stream.height = size_px
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.bit_rate = 2_000_000
        for image in film(walks, frames, size_px=size_px):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return path


class BlockDetector:
    """Finds blocks by colour, one box for each lane."""

    def detect(self, image: ImageBGR) -> Detections:
        boxes = []
        for colour in _COLOURS:
            near = cv2.inRange(image, tuple(c - 80 for c in colour), tuple(c + 80 for c in colour)) > 0
            rows, columns = np.flatnonzero(near.sum(axis=1) > 5), np.flatnonzero(near.sum(axis=0) > 5)
            if len(rows) and len(columns):
                boxes.append((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
        array = np.array(boxes, np.float32).reshape(-1, 4)
        return Detections(array, np.full(len(array), 0.9, np.float32))


class ColourEmbedder:
    """A crop's mean colour as its vector."""

    model_id = "mean-colour"
    dim = 3

    def embed(self, crops: Sequence[ImageBGR]) -> Embedding:
        means = np.array([crop.reshape(-1, 3).mean(axis=0) for crop in crops], np.float32)
        vectors: FloatArray = means / np.linalg.norm(means, axis=1, keepdims=True)
        centre = vectors.mean(axis=0)
        return Embedding(self.model_id, centre / np.linalg.norm(centre), vectors)
