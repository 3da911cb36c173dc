"""Light on the ground of one view: sun and shade, trees that dapple it, and coloured glows of shops and awnings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.simulation.settings import Difficulty

__all__ = ["Light", "Pool", "draw_light"]

_EDGE_M: Final = 0.3
_TREES: Final = 3
_GLOWS: Final = 3
_WARM: Final = np.array([-0.35, 0.0, 0.3])


@dataclass(frozen=True, slots=True)
class Pool:
    """A round patch of other light: its middle on the ground, its radius, and factors on blue, green and red."""

    centre_m: tuple[float, float]
    radius_m: float
    factors: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Light:
    """Sun and shade on the ground of one view.

    Attributes:
        shade_normal: Direction across the edge of the shade, into the sun. Unit length.
        shade_offset_m: Where the edge lies along that direction.
        shade: Brightness in the shade; the sun has 1.
        tint: How much warmer the sun is than the shade, in ``[0, 1]``.
        sun_m: Ground metres by which a shadow's tip moves for each metre of height.
        pools: Patches of other light.
    """

    shade_normal: tuple[float, float]
    shade_offset_m: float
    shade: float
    tint: float
    sun_m: tuple[float, float]
    pools: tuple[Pool, ...]

    def sunlit(self, ground_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """0 in the shade to 1 in the sun, by the building's shadow alone. ``(..., 2)`` to ``(...)``."""
        across = ground_m @ np.array(self.shade_normal) - self.shade_offset_m
        share: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-np.clip(across / _EDGE_M, -30, 30)))
        return share

    def factors(self, ground_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the light does to blue, green and red at places on the ground. ``(..., 2)`` to ``(..., 3)``."""
        sunlit = self.sunlit(ground_m)[..., None]
        warmth = 1.0 + self.tint * _WARM * (2.0 * sunlit - 1.0)
        factors: NDArray[np.float64] = (self.shade + (1.0 - self.shade) * sunlit) * warmth
        for pool in self.pools:
            far = np.linalg.norm(ground_m - np.array(pool.centre_m), axis=-1)[..., None] / pool.radius_m
            factors = factors * (1.0 + (np.array(pool.factors) - 1.0) * np.exp(-(far**4)))
        return factors


def draw_light(rng: np.random.Generator, level: Difficulty) -> Light:
    """Draw the light of one view at this difficulty."""
    angle, sun_angle = (float(rng.uniform(0, 2 * np.pi)) for _ in range(2))
    normal = (math.cos(angle), math.sin(angle))
    middle = np.array([float(rng.uniform(-2, 2)), float(rng.uniform(8, 12))])
    length = float(rng.uniform(0.5, 0.9))
    trees = [_draw_pool(rng, np.full(3, 0.5 + 0.5 * level.shade)) for _ in range(_TREES)]
    glows = [_draw_pool(rng, _glow(rng, level.tint)) for _ in range(_GLOWS)]
    return Light(
        shade_normal=normal,
        shade_offset_m=float(middle @ np.array(normal)),
        shade=level.shade,
        tint=level.tint,
        sun_m=(length * math.cos(sun_angle), length * abs(math.sin(sun_angle)) * 0.7),
        pools=tuple(trees + glows),
    )


def _glow(rng: np.random.Generator, tint: float) -> NDArray[np.float64]:
    """Light thrown back by an awning or a shop: warm or cold, brighter or darker. Shape ``(3,)``."""
    warm, bright, green = rng.uniform(-1, 1, 3).tolist()
    return 1.0 + tint * np.array([0.6 * bright - 1.1 * warm, 0.6 * bright + 0.3 * green, 0.6 * bright + 1.1 * warm])


def _draw_pool(rng: np.random.Generator, factors: NDArray[np.float64]) -> Pool:
    """A patch somewhere in the view."""
    blue, green, red = factors.tolist()
    centre = (float(rng.uniform(-8, 8)), float(rng.uniform(6, 17)))
    return Pool(centre, float(rng.uniform(1.5, 3.5)), (blue, green, red))
