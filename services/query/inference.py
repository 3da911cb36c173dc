"""The detector and the embedders, loaded when the first picture is searched for and not before."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

import structlog

from reid_core.errors import ReknitError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reid_core.ports import Detector, Embedder
    from reid_core.types import Detections, Embedding, ImageBGR

__all__ = ["EmbedderShelf", "LazyDetector", "LazyEmbedder"]

_KEPT = 2  # the current generation's and the one before, to which the way back should be short


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
    def is_ready(self) -> bool:
        """True once it was made."""
        return self._made is not None

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


class EmbedderShelf:
    """Embedders by model: each is made at its first use, and the last few that were asked for are kept.

    Args:
        make: Makes the embedder of a model.
    """

    def __init__(self, make: Callable[[str], Embedder]) -> None:
        self._make = make
        self._lock = Lock()
        self._kept: dict[str, LazyEmbedder] = {}
        self._log: Any = structlog.get_logger()

    def of(self, model_id: str) -> LazyEmbedder:
        """The embedder of a model; nothing is loaded yet."""
        with self._lock:
            found = self._kept.pop(model_id, None) or LazyEmbedder(lambda: self._make(model_id))
            self._kept[model_id] = found
            while len(self._kept) > _KEPT:
                del self._kept[next(iter(self._kept))]
            return found

    def prepare(self, model_id: str) -> None:
        """Load a model's embedder if any was loaded before: whoever searched by pictures will go on doing so.

        One that cannot be loaded is told of; searches by pictures will say why, all others do not need it.
        """
        with self._lock:
            in_use = any(one.is_ready for one in self._kept.values())
        if not in_use:
            return
        try:
            _ = self.of(model_id).dim
        except (ReknitError, ValueError) as error:
            self._log.warning("embedder.not_loaded", model_id=model_id, error=str(error))
