"""What lies on a torso: stripes, checks, prints, an open jacket's shirt, the straps of a backpack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.simulation.rods import BELLY, CHEST
from reid_core.simulation.shading import Polygon, band, solid_colour

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.simulation.rods import Figure
    from reid_core.simulation.shading import Limbs
    from reid_core.simulation.wardrobe import ColourBGR

__all__ = ["torso_patches"]

_SIDEWAYS = 0.1


def torso_patches(figure: Figure, limbs: Limbs) -> list[Polygon]:
    """Everything to paint on chest and belly, in the order of painting; fronts only where they are turned to us."""
    outfit = figure.person.outfit
    painted = _pattern(figure, limbs)
    if outfit.inner is not None and figure.turn.towards > _SIDEWAYS:
        painted += _opening(figure, limbs, outfit.inner)
    if figure.bag_kind == "backpack" and figure.turn.towards > _SIDEWAYS:
        painted += _straps(figure, limbs)
    return painted


def _pattern(figure: Figure, limbs: Limbs) -> list[Polygon]:
    """Stripes, checks, a band, or a print on the chest."""
    outfit = figure.person.outfit
    second = np.array(outfit.pattern_colour) * figure.tint
    rows: dict[str, tuple[tuple[int, float, float], ...]] = {
        "stripes": tuple((rod, low, low + 0.13) for rod in (CHEST, BELLY) for low in (0.08, 0.38, 0.68)),
        "check": tuple((rod, low, low + 0.07) for rod in (CHEST, BELLY) for low in (0.1, 0.45, 0.8)),
        "block": ((CHEST, 0.3, 0.72),),
        "plain": (),
        "print": (),
    }
    painted = [
        _patch(limbs, rod, (low, high), (left, left + 0.5), second * (0.72 + 0.12 * step))
        for rod, low, high in rows[outfit.pattern]
        for step, left in enumerate((-1.0, -0.5, 0.0, 0.5))
    ]
    if outfit.pattern == "check":
        painted += [
            _patch(limbs, rod, (0.0, 1.0), (left, left + 0.1), second * 0.85)
            for rod in (CHEST, BELLY)
            for left in (-0.65, -0.1, 0.45)
        ]
    if outfit.pattern == "print" and figure.turn.towards > 0.15:
        middle, half = 0.7 * figure.turn.right, 0.34 * figure.turn.towards
        painted.append(_patch(limbs, CHEST, (0.3, 0.75), (middle - half, middle + half), second))
    return painted


def _opening(figure: Figure, limbs: Limbs, inner: ColourBGR) -> list[Polygon]:
    """The shirt under an open jacket, seen from the front only."""
    middle, half = 0.75 * figure.turn.right, 0.3 * figure.turn.towards
    span = (max(-0.95, middle - half), min(0.95, middle + half))
    colour = np.array(inner) * figure.tint * 0.92
    return [_patch(limbs, CHEST, (-0.05, 1.02), span, colour), _patch(limbs, BELLY, (-0.02, 0.85), span, colour)]


def _straps(figure: Figure, limbs: Limbs) -> list[Polygon]:
    colour = np.array(figure.person.bag.colour) * figure.tint
    middle = 0.6 * figure.turn.right
    spans = [(middle + aside - 0.09, middle + aside + 0.09) for aside in (-0.5, 0.5)]
    return [_patch(limbs, CHEST, (-0.1, 0.8), span, colour) for span in spans if span[0] > -1 and span[1] < 1]


def _patch(
    limbs: Limbs, rod: int, along: tuple[float, float], across: tuple[float, float], colour: NDArray[np.float64]
) -> Polygon:
    return Polygon(band(limbs, rod, along=along, across=across), solid_colour(colour))
