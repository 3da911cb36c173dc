from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reid_core.simulation.figure import COCO_KEYPOINTS, CROWN, NECK, PELVIS, pose_joints
from reid_core.simulation.people import Body
from reid_core.simulation.walks import WalkState

BODY = Body(height_m=1.8, girth=1.0, shoulders=1.0, hips=1.0, swing=1.0)
STANDING = WalkState(position_m=(2.0, 9.0), heading_rad=0.0, walked_m=0.0, stride=0.0)


def joint(joints, name):
    return joints[COCO_KEYPOINTS.index(name)]


def test_standing_figure_is_about_as_tall_as_its_body():
    joints = pose_joints(BODY, STANDING)
    assert joints[CROWN, 2] == pytest.approx(1.8, abs=0.06)
    assert joints[PELVIS, :2] == pytest.approx([2.0, 9.0])


def test_left_is_left_of_the_direction_of_walk():
    joints = pose_joints(BODY, STANDING)
    assert joint(joints, "left_shoulder")[1] > joint(joints, "right_shoulder")[1]
    assert joint(joints, "nose")[0] > joints[NECK, 0]


@pytest.mark.parametrize("walked_m", np.linspace(0, 1.5, 9))
def test_lower_foot_always_stands_on_the_ground(walked_m):
    joints = pose_joints(BODY, replace(STANDING, walked_m=walked_m, stride=1.0))
    ankles = [joint(joints, side + "_ankle")[2] for side in ("left", "right")]
    assert min(ankles) == pytest.approx(0.045 * 1.8)


def test_limbs_keep_their_lengths_while_walking():
    def thigh(walked_m):
        joints = pose_joints(BODY, replace(STANDING, walked_m=walked_m, stride=1.0))
        return np.linalg.norm(joint(joints, "left_hip") - joint(joints, "left_knee"))

    assert {round(thigh(walked_m), 9) for walked_m in (0.0, 0.2, 0.5, 0.9)} == {round(0.245 * 1.8, 9)}


def test_arm_swings_against_the_leg_of_its_side():
    joints = pose_joints(BODY, replace(STANDING, walked_m=0.82 * 1.8 / 4, stride=1.0))
    assert joint(joints, "left_knee")[0] > joint(joints, "right_knee")[0]
    assert joint(joints, "left_elbow")[0] < joint(joints, "right_elbow")[0]


def test_turning_the_walker_turns_every_joint():
    ahead = pose_joints(BODY, STANDING) - np.array([2.0, 9.0, 0.0])
    turned = pose_joints(BODY, replace(STANDING, heading_rad=np.pi / 2)) - np.array([2.0, 9.0, 0.0])
    np.testing.assert_allclose(turned, np.stack([-ahead[:, 1], ahead[:, 0], ahead[:, 2]], axis=1), atol=1e-12)


def test_whole_cycle_brings_the_same_pose():
    first = pose_joints(BODY, replace(STANDING, stride=1.0, walked_m=0.3))
    again = pose_joints(BODY, replace(STANDING, stride=1.0, walked_m=0.3 + 0.82 * 1.8))
    np.testing.assert_allclose(first, again, atol=1e-9)
