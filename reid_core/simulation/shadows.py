"""Shadows that people throw on the ground."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.simulation.figure import CROWN, NECK, PELVIS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.simulation.perspective import CameraView

__all__ = ["contact_shadow", "sun_shadow"]

_ANGLES: Final = np.linspace(0.0, 2 * np.pi, 16, endpoint=False)
_RING: Final = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
# start joint, end joint, half width in metres
_RODS: Final = ((PELVIS, NECK, 0.19), (11, 15, 0.08), (12, 16, 0.08), (NECK, CROWN, 0.1), (5, 9, 0.05), (6, 10, 0.05))


def contact_shadow(joints_m: NDArray[np.float64], view: CameraView) -> NDArray[np.float64]:
    """The dark patch under a person's feet in pixels. Shape ``(16, 2)``."""
    feet = joints_m[15:17, :2]
    middle = feet.mean(axis=0)
    spread = 0.2 + 0.35 * np.abs(feet[0] - feet[1])
    ring = np.column_stack([middle + spread * _RING, np.zeros(len(_RING))])
    pixels, _ = view.project(ring)
    return pixels


def sun_shadow(
    joints_m: NDArray[np.float64], sun_m: tuple[float, float], view: CameraView
) -> list[NDArray[np.float64]]:
    """The figure's shadow on the ground in the sun.

    Args:
        joints_m: As `figure.pose_joints` gives them. Shape ``(25, 3)``.
        sun_m: How far a shadow falls for each metre of height.
        view: The camera.

    Returns:
        One convex polygon in pixels for each part of the body, shape ``(4, 2)``.
    """
    ground = joints_m[:, :2] + joints_m[:, 2:] * np.array(sun_m)
    polygons = []
    for start, end, half_width_m in _RODS:
        along = ground[end] - ground[start]
        across = np.array([-along[1], along[0]]) / max(float(np.linalg.norm(along)), 1e-6) * half_width_m
        corners = np.stack([ground[start] - across, ground[start] + across, ground[end] + across, ground[end] - across])
        pixels, _ = view.project(np.column_stack([corners, np.zeros(4)]))
        polygons.append(pixels)
    return polygons
