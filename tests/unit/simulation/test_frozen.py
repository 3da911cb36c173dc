"""The world is frozen (ADR 0013): these numbers change only together with an ADR."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, is_dataclass

import numpy as np
import pytest

from reid_core.simulation.rendering import CameraRenderer
from reid_core.simulation.settings import DIFFICULTIES, SiteSettings
from reid_core.simulation.world import make_world

WORLDS = {"easy": "dc009654b6415412", "default": "8d3b4fdde66befce", "hard": "1f16486d46967f8d"}
PICTURE = (
    106.9,
    105.8,
    104.4,
    105.9,
    103.3,
    103.4,
    88.7,
    102.2,
    84.4,
    101.9,
    97.1,
    105.2,
    61.7,
    61.6,
    61.5,
    58.7,
    50.0,
    54.1,
    67.2,
    66.5,
    66.8,
    64.2,
    52.9,
    37.9,
)


def rounded(value):
    if is_dataclass(value):
        return rounded(asdict(value))
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [rounded(part) for part in value]
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.4f}"
    return value


@pytest.mark.parametrize("difficulty", list(DIFFICULTIES))
def test_drawn_world_is_the_frozen_one(difficulty):
    world = make_world(SiteSettings(seed=7, people=30, difficulty=difficulty))
    stays = [(stay.person, stay.camera, stay.times_s, stay.points_m, stay.carries) for stay in world.stays]
    parts = rounded([DIFFICULTIES[difficulty], world.topology, world.scenes, world.people, stays, world.clocks])
    assert hashlib.sha256(repr(parts).encode()).hexdigest()[:16] == WORLDS[difficulty]


def test_painted_picture_is_the_frozen_one():
    image = CameraRenderer(make_world(SiteSettings(seed=7)), 0).render(50.0).image
    blocks = image.reshape(4, 135, 6, 160, 3).mean(axis=(1, 3, 4))
    np.testing.assert_allclose(blocks.ravel(), PICTURE, atol=1.0)
