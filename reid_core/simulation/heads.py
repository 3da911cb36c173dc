"""A head: hair, face, a hint of eyes and mouth, and a hat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.simulation.rods import SKULL
from reid_core.simulation.shading import Polygon, ellipse, solid_colour

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.simulation.rods import Figure
    from reid_core.simulation.shading import Limbs

__all__ = ["head_polygons"]

_CHEEK: Final = 0.8
"""Brightness of the face's edge against its middle."""


def head_polygons(figure: Figure, limbs: Limbs, skull: list[Polygon]) -> list[Polygon]:
    """Hair as a cap (``skull``), the face where it is turned to, and a hat, in the order of painting."""
    person, turn = figure.person, figure.turn
    centre = (limbs.start_px[SKULL] + limbs.end_px[SKULL]) / 2
    radius = float(limbs.start_radius_px[SKULL])
    skin = np.array(person.skin) * figure.tint
    painted = list(skull)
    if turn.towards > -0.6:
        wide = radius * (0.52 + 0.36 * max(turn.towards, 0.0) + 0.5 * min(turn.towards, 0.0))
        place = centre + np.array([0.5 * radius * turn.right, 0.3 * radius])
        painted.append(_blob(place, (wide, radius * 1.08), skin * _CHEEK))
        painted.append(_blob(place + np.array([-0.12 * wide, -0.05 * radius]), (0.8 * wide, radius * 0.95), skin))
    if turn.towards > 0.25 and radius > 4:
        painted += _features(figure, radius)
    if person.outfit.hat is not None:
        hat = np.array(person.outfit.hat) * figure.tint
        top = centre + np.array([0.0, -0.78 * radius])
        painted.append(Polygon(ellipse(top, (1.12 * radius, 0.62 * radius)), solid_colour(hat), solid=True))
        brim = top + np.array([0.9 * radius * turn.right, 0.42 * radius])
        painted.append(_blob(brim, (radius * 0.85, 0.16 * radius), hat * 0.7))
    return painted


def _features(figure: Figure, radius: float) -> list[Polygon]:
    """Eyes, mouth: a hint of them."""
    points, _ = figure.view.project(figure.joints[[0, 1, 2]])
    dark = np.array(figure.person.skin) * figure.tint * 0.35
    mouth = points[0] + np.array([0.0, 0.55 * radius])
    painted = [_blob(point, (0.16 * radius, 0.1 * radius), dark) for point in points[1:]]
    return [*painted, _blob(mouth, (0.28 * radius, 0.08 * radius), dark * 1.5)]


def _blob(centre: NDArray[np.float64], radii: tuple[float, float], colour: NDArray[np.float64]) -> Polygon:
    return Polygon(ellipse(centre, radii), solid_colour(colour))
