from __future__ import annotations

import numpy as np
import pytest

from reid_core.simulation.shading import Lamp, Limbs, band, ellipse, limb_polygons

LAMP = Lamp(direction=(-1.0, 0.0, 0.0), ambient=0.5, diffuse=0.5)


def hanging_rod(count=1):
    return Limbs(
        start_px=np.tile([100.0, 20.0], (count, 1)),
        end_px=np.tile([100.0, 80.0], (count, 1)),
        start_radius_px=np.full(count, 10.0),
        end_radius_px=np.full(count, 6.0),
        roundness=np.ones(count),
        colours=np.full((count, 3), 100.0),
    )


def test_hull_bounds_the_rod_and_its_round_ends():
    hull = limb_polygons(hanging_rod(), LAMP)[0][0]
    assert hull.solid
    np.testing.assert_allclose(hull.corners_px.min(axis=0), [90.0, 10.0])
    np.testing.assert_allclose(hull.corners_px.max(axis=0), [110.0, 86.0])


def test_side_towards_the_light_is_brighter():
    polygons = limb_polygons(hanging_rod(), LAMP)[0]
    greys = [polygon.colour[0] for polygon in polygons]
    assert greys == sorted(greys, reverse=True)
    assert greys[0] == pytest.approx(100 * (0.5 + 0.5 * 0.85))


def test_no_rods_give_no_polygons():
    assert limb_polygons(hanging_rod(0), LAMP) == []


def test_many_rods_at_once_equal_one_by_one():
    one, many = limb_polygons(hanging_rod(), LAMP)[0], limb_polygons(hanging_rod(3), LAMP)
    for rod in many:
        for single, polygon in zip(one, rod, strict=True):
            np.testing.assert_array_equal(single.corners_px, polygon.corners_px)
            assert single.colour == polygon.colour


def test_band_lies_between_its_shares():
    corners = band(hanging_rod(), 0, along=(0.0, 0.5), across=(-1.0, 1.0))
    np.testing.assert_allclose(corners, [[90.0, 20.0], [110.0, 20.0], [108.0, 50.0], [92.0, 50.0]])


def test_ellipse_has_the_radii_asked_for():
    outline = ellipse(np.array([5.0, 6.0]), (3.0, 2.0))
    np.testing.assert_allclose(outline.max(axis=0) - outline.min(axis=0), [6.0, 4.0])
