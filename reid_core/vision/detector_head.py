"""From the raw output of a YOLO detection head to people in the picture: decode, threshold, suppress."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.geometry import box_area
from reid_core.types import Detections

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.types import BoxArray, FloatArray
    from reid_core.vision.letterbox import Letterbox

__all__ = ["AnchorGrid", "DetectorSettings", "find_people", "suppress"]

STRIDES = (8, 16, 32)
BINS = 16


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """How the detector looks and what it reports.

    Attributes:
        longest_px: Longest side of the network's input, in pixels.
        min_confidence: Weaker boxes are not reported; low, since the tracker's second stage lives on weak boxes.
        max_iou: Of two boxes that overlap more than this, only the more confident is kept.
        max_detections: At most this many boxes a picture, the most confident ones.
    """

    longest_px: int = 640
    min_confidence: float = 0.1
    max_iou: float = 0.7
    max_detections: int = 300

    def __post_init__(self) -> None:
        """Refuse settings that find nothing or mean nothing."""
        if self.longest_px < STRIDES[-1]:
            raise ValueError(f"longest_px must be at least {STRIDES[-1]}, got {self.longest_px}")
        if not 0 < self.min_confidence < 1:
            raise ValueError(f"min_confidence must lie between 0 and 1, got {self.min_confidence}")
        if not 0 < self.max_iou <= 1:
            raise ValueError(f"max_iou must lie in (0, 1], got {self.max_iou}")
        if self.max_detections < 1:
            raise ValueError(f"max_detections must be positive, got {self.max_detections}")


@dataclass(frozen=True, slots=True, eq=False)
class AnchorGrid:
    """Where the cells of the head's three levels lie on the canvas, in the order of its output.

    Attributes:
        centres_px: Cell centres in units of canvas pixels. Shape ``(A, 2)``, float32.
        strides_px: Side of each cell. Shape ``(A, 1)``, float32.
    """

    centres_px: FloatArray
    strides_px: FloatArray

    @staticmethod
    def over(canvas_size_px: tuple[int, int]) -> AnchorGrid:
        """The grid of a canvas ``(width, height)`` whose sides are multiples of 32.

        Example:
            >>> len(AnchorGrid.over((640, 480)).centres_px)
            6300
        """
        width, height = canvas_size_px
        centres, strides = [], []
        for stride in STRIDES:
            rows, columns = np.mgrid[0 : height // stride, 0 : width // stride]
            cells = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32)
            centres.append((cells + np.float32(0.5)) * np.float32(stride))
            strides.append(np.full((len(cells), 1), stride, dtype=np.float32))
        return AnchorGrid(np.concatenate(centres), np.concatenate(strides))


def find_people(
    logits: FloatArray, sides: FloatArray, *, grid: AnchorGrid, letterbox: Letterbox, settings: DetectorSettings
) -> Detections:
    """People in one picture; only cells over the threshold are decoded.

    Args:
        logits: Score of the person class before the sigmoid. Shape ``(A,)``.
        sides: Unnormalised distributions of the distances to the box's four sides. Shape ``(A, 64)``.
        grid: Where the cells lie on the canvas.
        letterbox: How the picture lies on the canvas.
        settings: Thresholds.

    Returns:
        Boxes in pixels of the picture, most confident first; ties in order of the cells.
    """
    least = math.log(settings.min_confidence / (1 - settings.min_confidence))
    over = np.flatnonzero(logits > least)
    order = over[np.argsort(-logits[over], kind="stable")]
    if not len(order):
        return Detections.none()
    boxes = _decode(sides[order], grid.centres_px[order], grid.strides_px[order])
    kept = suppress(boxes, max_iou=settings.max_iou, limit=settings.max_detections)
    boxes = letterbox.to_frame(boxes[kept])
    confidences = 1 / (1 + np.exp(-logits[order[kept]].astype(np.float64)))
    inside = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    return Detections(boxes[inside], confidences[inside].astype(np.float32))


def suppress(boxes_px: BoxArray, *, max_iou: float, limit: int | None = None) -> NDArray[np.int64]:
    """Greedy suppression of boxes that come most confident first. ``(N, 4)`` to the rising indices kept, ``(K,)``.

    A box goes when a kept box before it overlaps it by more than ``max_iou``; at most ``limit`` are kept. The work is
    N times K, since most of many candidates lie on few people.

    Example:
        >>> boxes = np.array([[0, 0, 4, 4], [0, 0, 4, 3.5], [9, 9, 12, 12]], np.float32)
        >>> suppress(boxes, max_iou=0.7).tolist()
        [0, 2]
    """
    left, top, right, bottom = np.ascontiguousarray(boxes_px.T)
    areas = box_area(boxes_px)
    kept: list[int] = []
    rest = np.arange(len(boxes_px))
    while len(rest) and (limit is None or len(kept) < limit):
        best, rest = rest[0], rest[1:]
        kept.append(int(best))
        width = np.minimum(right[rest], right[best]) - np.maximum(left[rest], left[best])
        height = np.minimum(bottom[rest], bottom[best]) - np.maximum(top[rest], top[best])
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        rest = rest[shared <= max_iou * (areas[rest] + areas[best] - shared)]
    return np.array(kept, dtype=np.int64)


def _decode(sides: FloatArray, centres_px: FloatArray, strides_px: FloatArray) -> BoxArray:
    """Expected distance to each side, in cells, then xyxy on the canvas. ``(N, 64)`` to ``(N, 4)``.

    Source:
        Li et al., Generalized Focal Loss, NeurIPS 2020 (distribution over 16 bins).
    """
    bins = sides.reshape(-1, 4, BINS)
    weights = np.exp(bins - bins.max(axis=2, keepdims=True))
    cells = weights @ np.arange(BINS, dtype=np.float32) / weights.sum(axis=2)
    distance_px = cells * strides_px
    boxes: BoxArray = np.concatenate([centres_px - distance_px[:, :2], centres_px + distance_px[:, 2:]], axis=1)
    return boxes
