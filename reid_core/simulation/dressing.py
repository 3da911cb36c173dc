"""A dressed figure as polygons: body, clothes, hair and bag of one person as one camera sees them, far parts first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reid_core.simulation.garments import torso_patches
from reid_core.simulation.heads import head_polygons
from reid_core.simulation.rods import (
    BAG,
    BELLY,
    CHEST,
    FOREARMS,
    MANE,
    PALMS,
    SHINS,
    SHOES,
    SKIRT,
    SKULL,
    SLEEVES,
    THIGHS,
    THROAT,
)
from reid_core.simulation.shading import limb_polygons

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reid_core.simulation.rods import Figure
    from reid_core.simulation.shading import Lamp, Limbs, Polygon

__all__ = ["dress"]

_SHORTEST_SKIRT: Final = 0.1


def dress(figure: Figure, lamp: Lamp) -> list[Polygon]:
    """Everything to paint of one person, in the order of painting; solid polygons make the silhouette."""
    limbs, depths = figure.limbs()
    return _in_order(figure, limbs, limb_polygons(limbs, lamp), depths)


def _in_order(figure: Figure, limbs: Limbs, rods: list[list[Polygon]], depths: NDArray[np.float64]) -> list[Polygon]:
    """Far parts first: far arm, legs, torso, head, near arm, with bag and hair where the turn puts them."""
    arms = sorted((0, 1), key=lambda side: -depths[SLEEVES[side]])
    behind = [side for side in arms if depths[SLEEVES[side]] > depths[CHEST] + 0.03]
    before = [side for side in arms if side not in behind]
    bag = rods[BAG] if figure.bag_kind != "none" else []
    bag_in_front = bool(depths[BAG] < depths[CHEST])
    mane = rods[MANE] if figure.person.hair_style == "long" else []
    painted: list[Polygon] = [] if bag_in_front else list(bag)
    painted += mane if figure.turn.towards > 0 else []
    painted += [polygon for side in behind for polygon in _arm(rods, side)]
    for side in sorted((0, 1), key=lambda side: -depths[SHINS[side]]):
        painted += rods[SHOES[side]] + rods[SHINS[side]] + rods[THIGHS[side]]
    painted += _torso(figure, limbs, rods)
    painted += rods[THROAT] + head_polygons(figure, limbs, rods[SKULL])
    painted += mane if figure.turn.towards <= 0 else []
    painted += bag if bag_in_front and figure.bag_kind == "backpack" else []
    painted += [polygon for side in before for polygon in _arm(rods, side)]
    return painted + (bag if bag_in_front and figure.bag_kind != "backpack" else [])


def _arm(rods: list[list[Polygon]], side: int) -> list[Polygon]:
    return rods[PALMS[side]] + rods[FOREARMS[side]] + rods[SLEEVES[side]]


def _torso(figure: Figure, limbs: Limbs, rods: list[list[Polygon]]) -> list[Polygon]:
    skirt = rods[SKIRT] if figure.reach() > _SHORTEST_SKIRT else []
    return skirt + rods[BELLY] + rods[CHEST] + torso_patches(figure, limbs)
