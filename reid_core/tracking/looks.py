"""What the people of one camera look like: described only when asked, remembered while they are tracked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.geometry import box_area, intersection
from reid_core.vision.appearance import stripe_descriptor
from reid_core.vision.crops import cut_crop

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from reid_core.types import BoxArray, FloatArray, ImageBGR

__all__ = ["FrameLooks", "LooksMemory", "covered_shares"]


def covered_shares(boxes_px: NDArray[np.floating]) -> NDArray[np.float64]:
    """The largest share of each box that one other box covers, in ``[0, 1]``. ``(N, 4)`` to ``(N,)``.

    Example:
        >>> covered_shares(np.array([[0.0, 0.0, 10.0, 10.0], [5.0, 0.0, 25.0, 10.0]])).tolist()
        [0.5, 0.25]
    """
    shared = intersection(boxes_px, boxes_px)
    np.fill_diagonal(shared, 0.0)
    covered: NDArray[np.float64] = shared.max(1, initial=0.0) / np.maximum(box_area(boxes_px), 1e-9)
    return covered


class FrameLooks:
    """Descriptors of one frame's detections, computed at most once each and only when asked for.

    Args:
        image: The frame.
        boxes_px: Its detections. Shape ``(N, 4)``.
        describe: From a crop to an L2-normalised vector of fixed length.
    """

    def __init__(
        self,
        image: ImageBGR,
        boxes_px: BoxArray,
        *,
        describe: Callable[[ImageBGR], FloatArray] = stripe_descriptor,
    ) -> None:
        if image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(f"an image must have shape (H, W, 3), got {image.shape}")
        self._image, self._boxes_px, self._describe = image, boxes_px, describe
        self._found: dict[int, FloatArray | None] = {}

    def __contains__(self, index: int) -> bool:
        """Whether this detection was described already."""
        return self._found.get(index) is not None

    def of(self, index: int) -> FloatArray | None:
        """The descriptor of one detection, ``None`` where its box lies outside of the picture."""
        if index not in self._found:
            self._found[index] = self._look(index)
        return self._found[index]

    def _look(self, index: int) -> FloatArray | None:
        try:
            crop = cut_crop(self._image, self._boxes_px[index])
        except ValueError:
            return None
        return self._describe(crop)


class LooksMemory:
    """What each track looked like lately: a running mean of descriptors, one row for each track."""

    def __init__(self, *, inertia: float) -> None:
        """Start without tracks; ``inertia`` is the old mean's share when a new descriptor comes in."""
        self._inertia = inertia
        self._means: list[FloatArray | None] = []

    def __len__(self) -> int:
        return len(self._means)

    def knows(self, row: int) -> bool:
        """Whether this track was ever described."""
        return self._means[row] is not None

    def add(self, count: int) -> None:
        """Append tracks that were not described yet."""
        self._means.extend([None] * count)

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Forget the tracks whose entry in ``rows`` is False. Shape ``(T,)``."""
        self._means = [mean for mean, kept in zip(self._means, rows.tolist(), strict=True) if kept]

    def learn(self, row: int, descriptor: FloatArray) -> None:
        """Take in what a track looks like now."""
        mean = self._means[row]
        if mean is not None:
            descriptor = self._inertia * mean + (1 - self._inertia) * descriptor
            descriptor /= np.linalg.norm(descriptor)
        self._means[row] = descriptor

    def likeness(self, rows: NDArray[np.intp], descriptor: FloatArray) -> FloatArray:
        """Cosine with each track's mean, NaN for tracks that were never described. Shape ``(R,)``."""
        means = [self._means[row] for row in rows.tolist()]
        return np.array([np.nan if mean is None else mean @ descriptor for mean in means], np.float32)
