"""A pinhole camera above a ground plane: metres to pixels and back.

The camera stands at ``x = y = 0``, ``height_m`` above the ground, looks along +y and is tilted down; x points right,
y away from the camera, z up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CameraView"]

_NEAREST_M: Final = 0.2


@dataclass(frozen=True)
class CameraView:
    """How one camera sees its ground.

    Attributes:
        width_px: Width of the picture.
        height_px: Height of the picture.
        focal_px: Focal length in pixels.
        height_m: Of the camera above the ground.
        pitch_rad: Tilt downwards from the horizontal.
    """

    width_px: int
    height_px: int
    focal_px: float
    height_m: float
    pitch_rad: float

    @cached_property
    def axes(self) -> NDArray[np.float64]:
        """Rows: right, down in the picture, forward; in world coordinates. Shape ``(3, 3)``."""
        sin, cos = np.sin(self.pitch_rad), np.cos(self.pitch_rad)
        return np.array([[1.0, 0.0, 0.0], [0.0, -sin, -cos], [0.0, cos, -sin]])

    def project(self, points_m: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where points fall in the picture, and how far away they are.

        Args:
            points_m: World points. Shape ``(..., 3)``.

        Returns:
            Pixels, shape ``(..., 2)``, and depths along the view in metres (at least 0.2), shape ``(...)``.

        Example:
            >>> view = CameraView(960, 540, 800.0, 3.0, 0.0)
            >>> pixels, depths = view.project(np.array([[1.0, 10.0, 0.0]]))
            >>> pixels.tolist(), depths.tolist()
            ([[560.0, 510.0]], [10.0])
        """
        seen = (points_m - np.array([0.0, 0.0, self.height_m])) @ self.axes.T
        depths = np.maximum(seen[..., 2], _NEAREST_M)
        scale = self.focal_px / depths
        centre = np.array([self.width_px / 2, self.height_px / 2])
        return centre + seen[..., :2] * scale[..., None], depths

    def rays(self, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        """World directions through pixels, of depth 1. ``(..., 2)`` to ``(..., 3)``."""
        centred = (pixels - np.array([self.width_px / 2, self.height_px / 2])) / self.focal_px
        seen = np.concatenate([centred, np.ones((*centred.shape[:-1], 1))], axis=-1)
        directions: NDArray[np.float64] = seen @ self.axes
        return directions

    def half_width_m(self, depth_y_m: float) -> float:
        """Half of the ground's width that the picture shows at this distance from the camera."""
        along = depth_y_m * np.cos(self.pitch_rad) + self.height_m * np.sin(self.pitch_rad)
        return float(along * self.width_px / 2 / self.focal_px)

    def holds(self, pixels: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which pixels lie inside the picture. ``(..., 2)`` to ``(...)``."""
        inside: NDArray[np.bool_] = (
            (pixels[..., 0] >= 0)
            & (pixels[..., 0] < self.width_px)
            & (pixels[..., 1] >= 0)
            & (pixels[..., 1] < self.height_px)
        )
        return inside
