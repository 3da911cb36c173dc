"""An embedder that needs no network, and pictures of one colour for it to look at."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import cv2
import numpy as np

from reid_core.types import Embedding

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reid_core.types import ImageBGR


class MeanColour:
    """A crop's vector is its mean colour, B G R; a tracklet's is the normalised mean of its crops'."""

    dim = 3

    def __init__(self, model_id: str = "mean-colour-1", *, fail_after: int | None = None) -> None:
        self.model_id = model_id
        self.calls: list[int] = []
        self._fail_after = fail_after

    def embed(self, crops: Sequence[ImageBGR]) -> Embedding:
        self.calls.append(len(crops))
        if self._fail_after is not None and sum(self.calls) > self._fail_after:
            raise RuntimeError("somebody pulled the plug")
        vectors = np.stack([crop.mean(axis=(0, 1)) for crop in crops]).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        pooled = vectors.mean(axis=0)
        return Embedding(self.model_id, pooled / np.linalg.norm(pooled), vectors)


def paint(root: Path, path: str, colour_bgr: tuple[int, int, int], *, mtime_s: float | None = None) -> str:
    """Write a small picture of one colour under its path, and answer the path."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    done, content = cv2.imencode((root / path).suffix, np.full((9, 5, 3), colour_bgr, np.uint8))
    assert done
    (root / path).write_bytes(content.tobytes())
    if mtime_s is not None:
        os.utime(root / path, (mtime_s, mtime_s))
    return path
