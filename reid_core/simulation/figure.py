"""An articulated walker: where every joint is, from build, place, heading and phase of the step.

Joints 0 to 16 are the 17 COCO key-points in COCO's order; the rest serve drawing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.simulation.people import Body
    from reid_core.simulation.walks import WalkState

__all__ = ["COCO_KEYPOINTS", "CROWN", "HANDS", "HEAD", "NECK", "PELVIS", "TOES", "pose_joints"]

COCO_KEYPOINTS: Final = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)
PELVIS: Final = 17
NECK: Final = 18
HEAD: Final = 19
CROWN: Final = 20
TOES: Final = (21, 22)
HANDS: Final = (23, 24)
_JOINTS: Final = 25

# Shares of the body's height.
_ANKLE, _SHIN, _THIGH = 0.045, 0.235, 0.245
_TORSO, _NECK_TO_HEAD, _HEAD_RADIUS = 0.295, 0.105, 0.065
_UPPER_ARM, _FOREARM, _HAND = 0.17, 0.145, 0.05
_SHOULDER, _HIP, _FOOT = 0.102, 0.052, 0.115
_CYCLE = 0.82  # two steps of a usual walk


def pose_joints(body: Body, state: WalkState) -> NDArray[np.float64]:
    """World positions of all joints.

    Args:
        body: Build of the walker.
        state: Where the walker is in the world and in the step.

    Returns:
        Metres, z up. Shape ``(25, 3)``. The lower foot stands on the ground.
    """
    return _to_world(_local_joints(body, state), state)


def _local_joints(body: Body, state: WalkState) -> NDArray[np.float64]:
    """Joints with x forward, y left, z up, the pelvis over the origin. Shape ``(25, 3)``."""
    tall = body.height_m
    stride = state.stride * body.swing
    left_phase = 2 * np.pi * state.walked_m / (_CYCLE * tall)
    phase = np.array([left_phase, left_phase + np.pi])
    side = np.array([1.0, -1.0])

    thigh = 0.42 * stride * np.sin(phase) + 0.04
    knee = 0.1 + 0.85 * min(stride, 1.0) * np.maximum(0.0, np.cos(phase)) ** 1.5
    shin = thigh - knee
    hips = _points(0.0, side * _HIP * body.hips, 0.0)
    knees = hips + _rod(thigh, _THIGH)
    ankles = knees + _rod(shin, _SHIN)
    pelvis_z = _ANKLE - float(ankles[:, 2].min())
    toes = ankles + _points(_FOOT * np.cos(0.7 * shin), side * 0.012, _FOOT * np.sin(0.7 * shin) - 0.6 * _ANKLE)

    twist = -0.12 * stride * np.sin(left_phase)
    lean = 0.035 + 0.02 * stride
    neck = np.array([lean, 0.0, _TORSO])
    shoulders = neck + _points(side * twist * _SHOULDER, side * _SHOULDER * body.shoulders, -0.032)
    arm = -0.55 * stride * np.sin(phase) + 0.02
    forearm = arm + 0.22 + 0.3 * stride * np.maximum(0.0, -np.sin(phase))
    spread = side * 0.02 * body.girth
    elbows = shoulders + _rod(arm, _UPPER_ARM) + _points(0.0, spread, 0.0)
    wrists = elbows + _rod(forearm, _FOREARM) + _points(0.0, 0.2 * spread, 0.0)
    hands = wrists + _rod(forearm, _HAND)

    head = neck + np.array([0.025, 0.0, _NECK_TO_HEAD])
    radius = _HEAD_RADIUS
    face = [
        head + np.array([radius, 0.0, -0.1 * radius]),
        *(head + _points(0.86 * radius, side * 0.45 * radius, 0.2 * radius)),
        *(head + _points(0.0, side * 0.95 * radius, 0.0)),
    ]
    joints = np.empty((_JOINTS, 3))
    joints[:5] = face
    joints[5:17] = np.stack([shoulders, elbows, wrists, hips, knees, ankles]).reshape(12, 3)
    joints[PELVIS] = 0.0
    joints[NECK], joints[HEAD], joints[CROWN] = neck, head, head + np.array([0.0, 0.0, radius])
    joints[list(TOES)], joints[list(HANDS)] = toes, hands
    joints[:, 2] += pelvis_z
    return joints * tall


def _rod(angle_rad: NDArray[np.float64], length: float) -> NDArray[np.float64]:
    """A hanging rod swung forward by the angle. ``(2,)`` to ``(2, 3)``."""
    return _points(length * np.sin(angle_rad), 0.0, -length * np.cos(angle_rad))


def _points(x: object, y: object, z: object) -> NDArray[np.float64]:
    """Left and right points from coordinates or pairs of them. Shape ``(2, 3)``."""
    return np.stack([np.broadcast_to(np.asarray(part, np.float64), (2,)) for part in (x, y, z)], axis=1)


def _to_world(joints: NDArray[np.float64], state: WalkState) -> NDArray[np.float64]:
    """Turn by the heading and move to the place. ``(J, 3)`` to ``(J, 3)``."""
    cos, sin = np.cos(state.heading_rad), np.sin(state.heading_rad)
    turned = joints.copy()
    turned[:, 0] = cos * joints[:, 0] - sin * joints[:, 1] + state.position_m[0]
    turned[:, 1] = sin * joints[:, 0] + cos * joints[:, 1] + state.position_m[1]
    return turned
