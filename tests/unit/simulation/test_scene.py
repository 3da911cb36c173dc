from __future__ import annotations

import math
from itertools import combinations, pairwise

import numpy as np
import pytest

from reid_core.simulation.scene import lane_middle, make_scene
from reid_core.simulation.settings import SiteSettings
from reid_core.simulation.topology import make_topology


def scenes(cameras=4, seed=7):
    settings = SiteSettings(seed=seed, cameras=cameras)
    topology = make_topology(seed, cameras)
    return [make_scene(settings, topology, camera) for camera in range(cameras)]


def test_every_view_has_gates_to_both_neighbours_and_to_the_street():
    for camera, scene in enumerate(scenes()):
        assert [gate.camera for gate in scene.gates] == [(camera - 1) % 4, (camera + 1) % 4, None]


def test_one_neighbour_is_reached_by_one_gate():
    assert [[gate.camera for gate in scene.gates] for scene in scenes(cameras=2)] == [[None, 1, None], [None, 0, None]]


@pytest.mark.parametrize("seed", range(4))
def test_every_way_between_gates_is_seen_for_at_least_five_metres(seed):
    for scene in scenes(seed=seed):
        for first, second in combinations([gate.position_m for gate in scene.gates], 2):
            legs = [first, lane_middle(first, second, 0.5), second]
            walked = np.concatenate([np.linspace(*leg, 200) for leg in pairwise(np.array(legs))])
            seen = scene.view.holds(scene.view.project(np.column_stack([walked, np.full(400, 0.9)]))[0])
            steps_m = np.linalg.norm(np.diff(walked, axis=0), axis=1)
            assert steps_m[seen[1:]].sum() >= 5.0


def test_way_between_opposite_gates_is_straight():
    assert lane_middle((-4.0, 8.0), (8.0, 14.0), 0.25) == (-1.0, 9.5)


def test_way_between_gates_of_one_side_bends_before_the_camera():
    assert lane_middle((5.0, 7.0), (9.0, 15.0), 0.25) == (0.0, 11.0)
    assert lane_middle((1.0, 1.6), (7.0, 10.0), 0.25) == (0.0, 8.5)


@pytest.mark.parametrize("seed", range(4))
def test_furniture_stands_apart_and_inside_the_view(seed):
    for scene in scenes(seed=seed):
        assert 3 <= len(scene.furniture) <= 7
        for piece in scene.furniture:
            assert abs(piece.position_m[0]) <= scene.view.half_width_m(piece.position_m[1])
            others = [other for other in scene.furniture if other is not piece]
            assert all(math.dist(piece.position_m, other.position_m) > piece.radius_m for other in others)
