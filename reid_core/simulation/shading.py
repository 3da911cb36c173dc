"""Rounded, shaded shapes as lists of polygons: limbs that are lit from one side, without a pixel being touched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Lamp", "Limbs", "Polygon", "band", "ellipse", "limb_polygons", "solid_colour"]

_EDGES: Final = np.array([-0.62, -0.15, 0.35, 0.78])
_MIDDLES: Final = np.array([-0.85, -0.4, 0.1, 0.57, 0.9])
_ARC: Final = np.linspace(0.0, np.pi, 7)
_CIRCLE: Final = np.linspace(0.0, 2 * np.pi, 16, endpoint=False)


@dataclass(frozen=True, slots=True)
class Lamp:
    """Light as the camera sees it.

    Attributes:
        direction: Towards the light: right, down in the picture, towards the camera. Unit length.
        ambient: Light from everywhere; with ``diffuse`` it makes 1 where a surface faces the light.
        diffuse: Light from ``direction``.
    """

    direction: tuple[float, float, float]
    ambient: float
    diffuse: float

    def brightness(
        self, right: NDArray[np.float64], down: NDArray[np.float64], towards: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Brightness of surfaces by their normals' parts."""
        x, y, z = self.direction
        facing = np.maximum(right * x + down * y + towards * z, 0.0)
        lit: NDArray[np.float64] = self.ambient + self.diffuse * facing
        return lit


@dataclass(frozen=True, slots=True)
class Polygon:
    """A filled convex polygon: corners in pixels, shape ``(n, 2)``; ``solid`` ones make the silhouette."""

    corners_px: NDArray[np.float64]
    colour: tuple[float, float, float]
    solid: bool = False


@dataclass(frozen=True, slots=True)
class Limbs:
    """Tapered round rods in the picture, L of them.

    Attributes:
        start_px: Shape ``(L, 2)``.
        end_px: Shape ``(L, 2)``.
        start_radius_px: Shape ``(L,)``.
        end_radius_px: Shape ``(L,)``.
        roundness: How far the ends bulge against a half circle, in ``[0, 1]``. Shape ``(L,)``.
        colours: Shape ``(L, 3)``.
    """

    start_px: NDArray[np.float64]
    end_px: NDArray[np.float64]
    start_radius_px: NDArray[np.float64]
    end_radius_px: NDArray[np.float64]
    roundness: NDArray[np.float64]
    colours: NDArray[np.float64]


def limb_polygons(limbs: Limbs, lamp: Lamp) -> list[list[Polygon]]:
    """A hull and four lighter or darker strips for each rod, all rods at once; the hull is the silhouette."""
    axis, across = _frames(limbs)
    right, down = across[:, 0, None] * _MIDDLES, across[:, 1, None] * _MIDDLES
    shades = lamp.brightness(right, down, np.broadcast_to(np.sqrt(1 - _MIDDLES**2), right.shape))
    colours = np.clip(limbs.colours[:, None, :] * shades[..., None], 0, 255)
    hulls = _hulls(limbs, axis, across)
    strips = _strips(limbs, across)
    painted = []
    for index in range(len(hulls)):
        tints = [(tint[0], tint[1], tint[2]) for tint in colours[index].tolist()]
        polygons = [Polygon(hulls[index], tints[0], solid=True)]
        polygons += [Polygon(strips[index, k], tints[k + 1]) for k in range(len(_EDGES))]
        painted.append(polygons)
    return painted


def _frames(limbs: Limbs) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Unit vectors along each rod and across it (to the picture's right for a hanging rod)."""
    along = limbs.end_px - limbs.start_px
    axis = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    return axis, np.stack([axis[:, 1], -axis[:, 0]], axis=1)


def _hulls(limbs: Limbs, axis: NDArray[np.float64], across: NDArray[np.float64]) -> NDArray[np.float64]:
    """Outlines: half an ellipse around each end. Shape ``(L, 14, 2)``."""
    sideways = np.cos(_ARC)[None, :, None] * across[:, None, :]
    forward = (np.sin(_ARC)[None, :] * limbs.roundness[:, None])[..., None] * axis[:, None, :]
    head = limbs.start_px[:, None, :] + limbs.start_radius_px[:, None, None] * (-sideways - forward)
    foot = limbs.end_px[:, None, :] + limbs.end_radius_px[:, None, None] * (sideways + forward)
    return np.concatenate([head, foot], axis=1)


def _strips(limbs: Limbs, across: NDArray[np.float64]) -> NDArray[np.float64]:
    """From each edge to the far side, so that later strips cover earlier ones without seams. Shape ``(L, 4, 4, 2)``."""
    start = across[:, None, :] * limbs.start_radius_px[:, None, None]
    end = across[:, None, :] * limbs.end_radius_px[:, None, None]
    edge = _EDGES[None, :, None]
    corners = [
        limbs.start_px[:, None, :] + edge * start,
        limbs.end_px[:, None, :] + edge * end,
        limbs.end_px[:, None, :] + end + 0 * edge,
        limbs.start_px[:, None, :] + start + 0 * edge,
    ]
    return np.stack(corners, axis=2)


def ellipse(centre_px: NDArray[np.float64], radii_px: tuple[float, float]) -> NDArray[np.float64]:
    """Outline of an upright ellipse. Shape ``(16, 2)``."""
    outline: NDArray[np.float64] = centre_px + np.stack([np.cos(_CIRCLE), np.sin(_CIRCLE)], axis=1) * radii_px
    return outline


def band(limbs: Limbs, index: int, *, along: tuple[float, float], across: tuple[float, float]) -> NDArray[np.float64]:
    """A patch on one rod.

    Args:
        limbs: The rods.
        index: Which of them.
        along: From and to, as shares of the way from start to end.
        across: From and to, -1 = one side, 1 = the other.

    Returns:
        Four corners, shape ``(4, 2)``.
    """
    _, sideways = _frames(limbs)
    start, end = limbs.start_px[index], limbs.end_px[index]
    wide = (limbs.start_radius_px[index], limbs.end_radius_px[index])
    corners = []
    for share, side in ((along[0], across[0]), (along[0], across[1]), (along[1], across[1]), (along[1], across[0])):
        radius = wide[0] + share * (wide[1] - wide[0])
        corners.append(start + share * (end - start) + side * radius * sideways[index])
    return np.array(corners)


def solid_colour(colour: NDArray[np.float64]) -> tuple[float, float, float]:
    """A colour as painting takes it: cut to ``[0, 255]``. ``(3,)`` to blue, green, red."""
    blue, green, red = np.clip(colour, 0, 255).tolist()
    return (blue, green, red)
