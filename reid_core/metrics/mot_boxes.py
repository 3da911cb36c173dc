"""The rows of a MOTChallenge file as arrays: what ground truth, detections and results have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["DISTRACTOR", "PEDESTRIAN", "MotBoxes"]

PEDESTRIAN = 1
DISTRACTOR = 8


@dataclass(frozen=True, slots=True, eq=False)
class MotBoxes:
    """Boxes over time, one row each.

    Attributes:
        frames: Frame numbers from 1. Shape ``(N,)``, int64.
        ids: Track or person ids, -1 for a bare detection. Shape ``(N,)``, int64.
        boxes_px: xyxy boxes. Shape ``(N, 4)``, float64.
        confidences: Detector confidence; in ground truth 0 marks a row that is not to be scored. Shape ``(N,)``.
        classes: MOTChallenge class numbers, 1 = pedestrian. Shape ``(N,)``, int64.
        visibility: Visible share of the person in ``[0, 1]``, 1 where the file does not say. Shape ``(N,)``.
    """

    frames: NDArray[np.int64]
    ids: NDArray[np.int64]
    boxes_px: NDArray[np.float64]
    confidences: NDArray[np.float64]
    classes: NDArray[np.int64]
    visibility: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        if self.boxes_px.ndim != 2 or self.boxes_px.shape[1] != 4:
            raise ValueError(f"boxes_px must have shape (N, 4), got {self.boxes_px.shape}")
        for name in ("frames", "ids", "confidences", "classes", "visibility"):
            shape = getattr(self, name).shape
            if shape != (len(self.boxes_px),):
                raise ValueError(f"{name} must have shape ({len(self.boxes_px)},), got {shape}")

    def __len__(self) -> int:
        return len(self.frames)

    @staticmethod
    def of(
        frames: Sequence[int] | NDArray[np.int64],
        ids: Sequence[int] | NDArray[np.int64],
        boxes_px: Sequence[Sequence[float]] | NDArray[np.floating],
        *,
        confidences: Sequence[float] | NDArray[np.floating] | None = None,
        classes: Sequence[int] | NDArray[np.int64] | None = None,
        visibility: Sequence[float] | NDArray[np.floating] | None = None,
    ) -> MotBoxes:
        """Boxes from anything like arrays; what is left out becomes certain, pedestrian and wholly visible.

        Example:
            >>> len(MotBoxes.of([1, 2], [7, 7], [[0, 0, 10, 20], [1, 0, 11, 20]]))
            2
        """
        count = len(frames)
        return MotBoxes(
            frames=np.asarray(frames, np.int64),
            ids=np.asarray(ids, np.int64),
            boxes_px=np.asarray(boxes_px, np.float64).reshape(-1, 4),
            confidences=np.ones(count) if confidences is None else np.asarray(confidences, np.float64),
            classes=np.full(count, PEDESTRIAN, np.int64) if classes is None else np.asarray(classes, np.int64),
            visibility=np.ones(count) if visibility is None else np.asarray(visibility, np.float64),
        )

    @staticmethod
    def none() -> MotBoxes:
        """No rows: ``(0, 4)`` boxes."""
        return MotBoxes.of([], [], np.zeros((0, 4)))

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> MotBoxes:
        """The rows of a mask or of row numbers, in that order."""
        return MotBoxes(
            frames=self.frames[rows],
            ids=self.ids[rows],
            boxes_px=self.boxes_px[rows],
            confidences=self.confidences[rows],
            classes=self.classes[rows],
            visibility=self.visibility[rows],
        )

    @property
    def heights_px(self) -> NDArray[np.float64]:
        """Height of each box. Shape ``(N,)``."""
        return self.boxes_px[:, 3] - self.boxes_px[:, 1]
