from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from reid_core.simulation.settings import SiteSettings
from reid_core.simulation.world import World, make_world

if TYPE_CHECKING:
    from reid_core.simulation.walks import Stay

SEEDS = (1, 2, 7)


@pytest.fixture(scope="module", params=SEEDS)
def world(request) -> World:
    return make_world(SiteSettings(seed=request.param))


def by_person(world: World) -> list[list[Stay]]:
    return [[stay for stay in world.stays if stay.person == person] for person in range(len(world.people))]


def gaps_s(world: World) -> dict[frozenset[int], list[float]]:
    found: dict[frozenset[int], list[float]] = {}
    for stays in by_person(world):
        for before, after in pairwise(stays):
            if before.camera != after.camera and before.end_s > 0 and after.start_s < world.settings.duration_s:
                found.setdefault(frozenset((before.camera, after.camera)), []).append(after.start_s - before.end_s)
    return found


def test_nobody_is_in_two_views_at_once(world):
    for stays in by_person(world):
        assert all(before.end_s < after.start_s for before, after in pairwise(stays))


def test_every_link_is_walked_at_least_fifteen_times(world):
    gaps = gaps_s(world)
    for link in world.topology.links:
        assert len(gaps[frozenset((link.camera_a, link.camera_b))]) >= 15


def test_median_walk_between_views_takes_6_to_25_seconds(world):
    gaps = gaps_s(world)
    for link in world.topology.links:
        assert 6.0 <= np.median(gaps[frozenset((link.camera_a, link.camera_b))]) <= 25.0


def test_there_are_at_least_250_visits(world):
    assert sum(stay.end_s > 5.0 and stay.start_s < world.settings.duration_s - 2.0 for stay in world.stays) >= 250


def test_walks_begin_and_end_outside_the_picture(world):
    for stay in world.stays:
        view = world.scenes[stay.camera].view
        feet = np.column_stack([stay.points_m[[0, -1]], np.full(2, 0.9)])
        assert not view.holds(view.project(feet)[0]).any()


def test_transit_over_the_first_link_has_two_peaks():
    world = make_world(SiteSettings(seed=7), until_s=3600.0)
    link = world.topology.links[0]
    gaps = [
        after.start_s - before.end_s
        for stays in by_person(world)
        for before, after in pairwise(stays)
        if {before.camera, after.camera} == {link.camera_a, link.camera_b} and after.start_s - before.end_s < 90
    ]
    counts, _ = np.histogram(gaps, bins=np.arange(0, 92, 6.0))
    low, high = int(np.argmax(counts[:4])), 4 + int(np.argmax(counts[4:]))
    valley = counts[low:high].min()
    assert counts[high] > 1.5 * valley
    assert counts[low] > 3 * valley


def test_some_turn_back_and_some_come_again(world):
    turned = returned = 0
    for stays in by_person(world):
        turned += sum(bool(np.linalg.norm(stay.points_m[0] - stay.points_m[-1]) < 2.0) for stay in stays)
        returned += sum(before.camera == after.camera for before, after in pairwise(stays))
    assert turned >= 5
    assert returned >= 5


def test_bags_come_and_go_between_visits(world):
    changed = sum(before.carries != after.carries for stays in by_person(world) for before, after in pairwise(stays))
    assert changed >= 10


def test_nobody_walks_through_furniture(world):
    for stay in world.stays:
        places = stay.positions_m(np.linspace(stay.start_s, stay.end_s, 40))
        for piece in world.scenes[stay.camera].furniture:
            assert np.linalg.norm(places - np.array(piece.position_m), axis=1).min() > piece.radius_m


def test_longer_horizon_brings_more_walks():
    short = make_world(SiteSettings(seed=7, people=5), until_s=200.0)
    longer = make_world(SiteSettings(seed=7, people=5), until_s=2000.0)
    assert len(longer.stays) > 2 * len(short.stays)


def test_equal_settings_give_equal_walks():
    first, again = (make_world(SiteSettings(seed=7, people=5)) for _ in range(2))
    assert [(stay.person, stay.camera, stay.start_s) for stay in first.stays] == [
        (stay.person, stay.camera, stay.start_s) for stay in again.stays
    ]
