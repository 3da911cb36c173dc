from __future__ import annotations

import math
from itertools import pairwise

import pytest

from reid_core.simulation.topology import make_topology


@pytest.mark.parametrize("seed", range(5))
def test_four_cameras_stand_in_a_ring(seed):
    topology = make_topology(seed, 4)
    assert [(link.camera_a, link.camera_b) for link in topology.links] == [(0, 1), (1, 2), (2, 3), (3, 0)]
    assert all(len(topology.neighbours(camera)) == 2 for camera in range(4))


def test_two_cameras_have_one_link():
    topology = make_topology(7, 2)
    assert len(topology.links) == 1
    assert list(topology.neighbours(0)) == [1]
    assert list(topology.neighbours(1)) == [0]


@pytest.mark.parametrize("cameras", [2, 3, 4, 9])
def test_walking_paths_are_no_shorter_than_the_plan_allows(cameras):
    topology = make_topology(3, cameras)
    for link in topology.links:
        apart_m = math.dist(topology.positions_m[link.camera_a], topology.positions_m[link.camera_b])
        assert apart_m <= link.distance_m + 12.0


def test_one_pair_has_a_detour_much_longer_than_the_direct_way():
    links = make_topology(7, 4).links
    assert [link.detour_m is not None for link in links] == [True, False, False, False]
    assert links[0].detour_m > 2.5 * links[0].distance_m


def test_equal_seeds_give_equal_plans_and_others_differ():
    assert make_topology(7, 4) == make_topology(7, 4)
    assert all(a != b for a, b in pairwise(make_topology(seed, 4) for seed in range(5)))
