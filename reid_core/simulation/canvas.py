"""The picture being painted, far things first, and what each figure's silhouette covers: boxes and visibility."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from reid_core.simulation.shading import Polygon
    from reid_core.types import ImageBGR

__all__ = ["Canvas", "Silhouette"]

_SHIFT: Final = 4
_SCALE: Final = 1 << _SHIFT


@dataclass(frozen=True, slots=True)
class Silhouette:
    """Where one figure was painted.

    Attributes:
        label: Its mark in the label map.
        box_px: Tight around the silhouette inside the picture, xyxy, whole pixels.
        area_px: Pixels of the whole silhouette, those outside the picture included.
    """

    label: int
    box_px: tuple[int, int, int, int]
    area_px: int


class Canvas:
    """One frame on its way: the picture, and for each pixel whose figure is seen there.

    Args:
        background: Copied, so that it serves every frame. Shape ``(H, W, 3)``.
    """

    def __init__(self, background: ImageBGR) -> None:
        self.image: ImageBGR = background.copy()
        self.labels: NDArray[np.uint16] = np.zeros(background.shape[:2], np.uint16)

    def paint(self, polygons: Sequence[Polygon], label: int) -> Silhouette | None:
        """Paint one figure over what is there.

        Args:
            polygons: In the order of painting.
            label: From 1 to 65535, one for each figure of the frame.

        Returns:
            Its silhouette, ``None`` if none of it lies in the picture.
        """
        for polygon in polygons:
            corners = np.rint(polygon.corners_px * _SCALE).astype(np.int32)
            cv2.fillConvexPoly(self.image, corners, polygon.colour, cv2.LINE_AA, _SHIFT)
        return self._mark([polygon.corners_px for polygon in polygons if polygon.solid], label)

    def _mark(self, outlines: list[NDArray[np.float64]], label: int) -> Silhouette | None:
        """Write the silhouette into the label map and measure it."""
        everything = np.concatenate(outlines)
        low = np.floor(everything.min(axis=0)).astype(int) - 1
        high = np.ceil(everything.max(axis=0)).astype(int) + 2
        mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
        for outline in outlines:
            corners = np.rint((outline - low) * _SCALE).astype(np.int32)
            cv2.fillConvexPoly(mask, corners, 255, cv2.LINE_8, _SHIFT)
        height, width = self.labels.shape
        x0, y0, x1, y1 = max(low[0], 0), max(low[1], 0), min(high[0], width), min(high[1], height)
        if x0 >= x1 or y0 >= y1:
            return None
        inside = mask[y0 - low[1] : y1 - low[1], x0 - low[0] : x1 - low[0]]
        x, y, w, h = cv2.boundingRect(inside)
        if w == 0 or h == 0:
            return None
        self.labels[y0:y1, x0:x1][inside > 0] = label
        box = (int(x0 + x), int(y0 + y), int(x0 + x + w), int(y0 + y + h))
        return Silhouette(label, box, int(cv2.countNonZero(mask)))

    def visible_px(self, silhouette: Silhouette) -> int:
        """Pixels of the figure that nothing painted later covers."""
        x0, y0, x1, y1 = silhouette.box_px
        return int(np.count_nonzero(self.labels[y0:y1, x0:x1] == silhouette.label))

    def cover(self, background: ImageBGR, mask: NDArray[np.uint8], corner_px: tuple[int, int]) -> None:
        """Bring a piece of the background back to the front.

        Args:
            background: The picture that the canvas began with.
            mask: Non-zero where the piece is. Shape ``(h, w)``.
            corner_px: x and y of the mask's left top corner.
        """
        x, y = corner_px
        rows, columns = slice(y, y + mask.shape[0]), slice(x, x + mask.shape[1])
        cv2.copyTo(background[rows, columns], mask, self.image[rows, columns])
        self.labels[rows, columns][mask > 0] = 0

    def darken(self, polygons: Sequence[NDArray[np.float64]], *, share: float, blur_px: float) -> None:
        """Lay one soft shadow of overlapping polygons over the picture; ``share`` in ``[0, 1]`` is its depth."""
        everything = np.concatenate(polygons)
        margin = int(2 * blur_px) + 2
        height, width = self.labels.shape
        low = np.clip(np.floor(everything.min(axis=0)).astype(int) - margin, 0, (width, height))
        high = np.clip(np.ceil(everything.max(axis=0)).astype(int) + margin, 0, (width, height))
        if (high - low).min() <= 0:
            return
        light = np.full((high[1] - low[1], high[0] - low[0]), 255, np.uint8)
        for polygon in polygons:
            corners = np.rint((polygon - low) * _SCALE).astype(np.int32)
            cv2.fillConvexPoly(light, corners, int(255 * (1 - share)), cv2.LINE_8, _SHIFT)
        size = 2 * int(blur_px) + 1
        light = cv2.blur(light, (size, size))
        region = self.image[low[1] : high[1], low[0] : high[0]]
        cv2.multiply(region, cv2.merge([light, light, light]), region, scale=1 / 255)
