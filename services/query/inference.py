"""The detector and the embedder, loaded when the first picture is searched for and not before."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reid_core.ports import Detector, Embedder
    from reid_core.types import Detections, Embedding, ImageBGR

__all__ = ["LazyDetector", "LazyEmbedder"]


@dataclass(slots=True)
class LazyDetector:
    """The `Detector` port over one that is made at the first use; one picture at a time."""

    make: Callable[[], Detector]
    _lock: Lock = field(default_factory=Lock)
    _made: Detector | None = None

    def detect(self, image: ImageBGR) -> Detections:
        """People in one picture."""
        with self._lock:
            if self._made is None:
                self._made = self.make()
            return self._made.detect(image)


@dataclass(slots=True)
class LazyEmbedder:
    """The `Embedder` port over one that is made at the first use; one picture at a time."""

    make: Callable[[], Embedder]
    _lock: Lock = field(default_factory=Lock)
    _made: Embedder | None = None

    @property
    def model_id(self) -> str:
        """Names weights and recipe."""
        with self._lock:
            return self._ready().model_id

    @property
    def dim(self) -> int:
        """Length d of a vector."""
        with self._lock:
            return self._ready().dim

    def embed(self, crops: Sequence[ImageBGR]) -> Embedding:
        """Embed one person's crops."""
        with self._lock:
            return self._ready().embed(crops)

    def _ready(self) -> Embedder:
        if self._made is None:
            self._made = self.make()
        return self._made
