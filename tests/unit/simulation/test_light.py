from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reid_core.simulation.light import Light, Pool, draw_light
from reid_core.simulation.settings import DIFFICULTIES, generator

LIGHT = Light(shade_normal=(1.0, 0.0), shade_offset_m=0.0, shade=0.5, tint=0.0, sun_m=(0.5, 0.5), pools=())


def test_shade_lies_on_one_side_of_its_edge():
    np.testing.assert_allclose(LIGHT.sunlit(np.array([[-5.0, 9.0], [0.0, 9.0], [5.0, 9.0]])), [0, 0.5, 1], atol=1e-6)
    np.testing.assert_allclose(LIGHT.factors(np.array([-5.0, 9.0])), 0.5, atol=1e-6)


def test_sun_is_warmer_than_shade():
    light = replace(LIGHT, tint=0.5)
    blue, _, red = light.factors(np.array([5.0, 9.0]))
    assert red > 1.0 > blue
    blue, _, red = light.factors(np.array([-5.0, 9.0]))
    assert blue > 0.5 > red


def test_pool_colours_its_middle_and_nothing_far_away():
    light = replace(LIGHT, pools=(Pool((8.0, 8.0), 2.0, (1.2, 1.0, 0.8)),))
    np.testing.assert_allclose(light.factors(np.array([8.0, 8.0])), [1.2, 1.0, 0.8], atol=1e-6)
    np.testing.assert_allclose(light.factors(np.array([14.0, 8.0])), 1.0, atol=1e-6)


def test_no_places_give_no_factors():
    assert LIGHT.factors(np.zeros((0, 2))).shape == (0, 3)


@pytest.mark.parametrize("difficulty", list(DIFFICULTIES))
def test_drawn_light_is_never_dark(difficulty):
    light = draw_light(generator(7, 99), DIFFICULTIES[difficulty])
    places = np.stack(np.meshgrid(np.linspace(-10, 10, 30), np.linspace(5, 20, 30)), axis=-1)
    factors = light.factors(places)
    assert factors.min() > 0.1
    assert factors.max() < 2.0
