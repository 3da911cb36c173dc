"""Key-points of a figure in the picture, and which of them can be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.simulation.figure import COCO_KEYPOINTS, NECK, PELVIS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.simulation.facing import Facing
    from reid_core.simulation.perspective import CameraView
    from reid_core.types import FloatArray

__all__ = ["visible_keypoints"]

_BEHIND_M: Final = 0.06
_TORSO_HALF_WIDTH_M: Final = 0.17


def visible_keypoints(
    joints_m: NDArray[np.float64],
    view: CameraView,
    turn: Facing,
    labels: NDArray[np.uint16],
    label: int,
) -> FloatArray:
    """Where the 17 key-points are and whether they can be seen.

    Args:
        joints_m: As `figure.pose_joints` gives them. Shape ``(25, 3)``.
        view: The camera.
        turn: How the person is turned against it.
        labels: Whose figure each pixel shows. Shape ``(H, W)``.
        label: This person's mark there.

    Returns:
        x, y and 0 = outside the picture, 1 = hidden, 2 = visible. Shape ``(17, 3)``, float32.
    """
    count = len(COCO_KEYPOINTS)
    pixels, depths = view.project(joints_m)
    inside = view.holds(pixels[:count])
    whole = np.floor(np.clip(pixels[:count], 0, (view.width_px - 1, view.height_px - 1))).astype(int)
    uncovered = labels[whole[:, 1], whole[:, 0]] == label
    seen = uncovered & _on_near_side(turn) & ~_behind_torso(pixels, depths, view)
    marks = np.where(inside, np.where(seen, 2, 1), 0)
    return np.column_stack([pixels[:count], marks]).astype(np.float32)


def _on_near_side(turn: Facing) -> NDArray[np.bool_]:
    """Which parts of the head face the camera; every other part may. Shape ``(17,)``."""
    near = np.ones(len(COCO_KEYPOINTS), bool)
    near[0] = turn.towards > -0.3
    near[1:3] = turn.towards + np.array([-0.4, 0.4]) * turn.right > 0
    near[3:5] = np.array([-1.0, 1.0]) * turn.right > -0.5
    return near


def _behind_torso(pixels: NDArray[np.float64], depths: NDArray[np.float64], view: CameraView) -> NDArray[np.bool_]:
    """Which elbows and wrists the person's own torso hides. Shape ``(17,)``."""
    hidden = np.zeros(len(COCO_KEYPOINTS), bool)
    middle = (pixels[NECK] + pixels[PELVIS]) / 2
    depth = (depths[NECK] + depths[PELVIS]) / 2
    arms = slice(7, 11)
    half_width_px = _TORSO_HALF_WIDTH_M * view.focal_px / depth
    hidden[arms] = (
        (depths[arms] > depth + _BEHIND_M)
        & (np.abs(pixels[arms, 0] - middle[0]) < half_width_px)
        & (pixels[arms, 1] > pixels[NECK, 1])
        & (pixels[arms, 1] < pixels[PELVIS, 1])
    )
    return hidden
