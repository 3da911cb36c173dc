"""What the core asks of the world. Adapters implement these; algorithms take them as arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from reid_core.types import Detections, Embedding, FloatArray, Frame, ImageBGR, SearchFilter, VideoInfo


class FrameSource(Protocol):
    """A stream of frames with times that never fall."""

    @property
    def info(self) -> VideoInfo:
        """What the source says of itself."""
        ...

    @property
    def problems(self) -> Sequence[str]:
        """What went wrong while decoding without ending the source: one line each, complete after the last frame."""
        ...

    def frames(self, *, first_index: int = 0) -> Iterator[Frame]:
        """Yield frames in order, from ``first_index`` on; earlier ones are decoded but not converted."""
        ...

    def close(self) -> None:
        """Let go of the file or connection."""
        ...


class Detector(Protocol):
    """Finds people in a picture."""

    def detect(self, image: ImageBGR) -> Detections:
        """People in one picture, most confident first, boxes clipped to the picture."""
        ...


class Embedder(Protocol):
    """Turns the crops of one tracklet into its vector and its crops' vectors."""

    @property
    def model_id(self) -> str:
        """Names weights and recipe; equal ids mean comparable vectors."""
        ...

    @property
    def dim(self) -> int:
        """Length d of a vector."""
        ...

    def embed(self, crops: Sequence[ImageBGR]) -> Embedding:
        """Embed one tracklet's crops (at least one)."""
        ...


class VectorIndex(Protocol):
    """Nearest neighbours by cosine, with filters applied inside the search."""

    def __len__(self) -> int: ...

    def search(self, query: FloatArray, k: int, *, where: SearchFilter) -> tuple[NDArray[np.int64], FloatArray]:
        """Tracklet numbers and cosine distances of at most ``k`` nearest, nearest first; ties by smaller number."""
        ...


class Clock(Protocol):
    """The time of day, as an argument."""

    def __call__(self) -> float:
        """UTC epoch seconds."""
        ...
