"""A dressed body as tapered rods: where each begins and ends, how thick it is and of what colour."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.simulation.figure import HANDS, HEAD, NECK, PELVIS, TOES
from reid_core.simulation.shading import Limbs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.simulation.facing import Facing
    from reid_core.simulation.people import Body, Person
    from reid_core.simulation.perspective import CameraView

__all__ = ["Figure"]

# Places of the rods in every array; pairs are left and right.
THIGHS, SHINS, SHOES = (0, 1), (2, 3), (4, 5)
SLEEVES, FOREARMS, PALMS = (6, 7), (8, 9), (10, 11)
THROAT, CHEST, BELLY, SKIRT, SKULL, MANE, BAG = 12, 13, 14, 15, 16, 17, 18
_RODS: Final = 19


@dataclass(frozen=True, slots=True)
class Figure:
    """One person at one moment as one camera sees them.

    Attributes:
        person: Whom.
        joints: As `figure.pose_joints` gives them. Shape ``(25, 3)``.
        view: The camera.
        turn: How the person is turned against it.
        heading_rad: Direction of the walk.
        carries: Whether the bag is along.
        tint: Factor on blue, green and red, from the light at this place. Shape ``(3,)``.
    """

    person: Person
    joints: NDArray[np.float64]
    view: CameraView
    turn: Facing
    heading_rad: float
    carries: bool
    tint: NDArray[np.float64]

    @property
    def bag_kind(self) -> str:
        """The bag that is along, ``none`` without one."""
        return self.person.bag.kind if self.carries else "none"

    def limbs(self) -> tuple[Limbs, NDArray[np.float64]]:
        """All rods in the picture, and the mean depth of each."""
        start, end = self._ends()
        radii = self._radii() * self.person.body.height_m
        pixels, depths = self.view.project(np.stack([start, end]))
        scale = self.view.focal_px / depths
        roundness = np.full(_RODS, 0.9)
        roundness[[CHEST, BELLY, SKIRT, BAG]] = (0.4, 0.2, 0.12, 0.3)
        limbs = Limbs(
            start_px=pixels[0],
            end_px=pixels[1],
            start_radius_px=radii[:, 0] * scale[0],
            end_radius_px=radii[:, 1] * scale[1],
            roundness=roundness,
            colours=self._colours() * self.tint,
        )
        return limbs, depths.mean(axis=0)

    def _ends(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Start and end of each rod in the world. Shapes ``(19, 3)``."""
        j, tall = self.joints, self.person.body.height_m
        up = np.array([0.0, 0.0, tall])
        waist = j[PELVIS] + 0.1 * (j[NECK] - j[PELVIS]) / 0.295
        hem = j[PELVIS] + 0.9 * ((j[13] + j[14]) / 2 - j[PELVIS]) * self.reach()
        ahead = tall * np.array([math.cos(self.heading_rad), math.sin(self.heading_rad), 0.0])
        start = np.empty((_RODS, 3))
        end = np.empty((_RODS, 3))
        start[:12] = j[[11, 12, 13, 14, 15, 16, 5, 6, 7, 8, 9, 10]]
        end[:12] = j[[13, 14, 15, 16, *TOES, 7, 8, 9, 10, *HANDS]]
        start[THROAT], end[THROAT] = j[HEAD], j[NECK]
        start[CHEST], end[CHEST] = j[NECK] - 0.018 * up, waist
        start[BELLY], end[BELLY] = waist, j[PELVIS] - 0.035 * up
        start[SKIRT], end[SKIRT] = j[PELVIS], hem
        start[SKULL], end[SKULL] = j[HEAD] + 0.021 * up, j[HEAD] - 0.024 * up
        start[MANE], end[MANE] = j[HEAD] + 0.01 * up - 0.014 * ahead, j[NECK] - 0.03 * up - 0.03 * ahead
        start[BAG], end[BAG] = self._bag_ends(ahead, up)
        return start, end

    def reach(self) -> float:
        """How far skirt or coat reaches below the pelvis, as a share of the thigh."""
        outfit = self.person.outfit
        return max(outfit.length, 0.95 if outfit.lower_kind == "skirt" else 0.0, 0.05)

    def _bag_ends(self, ahead: NDArray[np.float64], up: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        j, bag = self.joints, self.person.bag
        aside = bag.side * np.array([-ahead[1], ahead[0], 0.0])
        if self.bag_kind == "backpack":
            behind = j[NECK] - 0.105 * ahead
            return behind - 0.045 * up, behind - 0.225 * up
        if self.bag_kind == "shoulder":
            hip = j[PELVIS] + 0.125 * aside
            return hip + 0.05 * up, hip - 0.075 * up
        hand = j[HANDS[0] if bag.side > 0 else HANDS[1]]
        return hand - 0.02 * up, hand - 0.16 * up

    def _radii(self) -> NDArray[np.float64]:
        """Radius of each rod at both ends, as a share of the body's height. Shape ``(19, 2)``."""
        body, outfit, wide = self.person.body, self.person.outfit, self.turn.half_width
        girth, loose = body.girth, 1.14
        legs = loose if outfit.lower_kind == "trousers" else 1.0
        arms = loose if outfit.long_sleeves else 1.0
        chest = wide(0.118 * body.shoulders * (0.7 + 0.3 * girth), 0.072 * girth)
        waist = wide(0.088 * girth, 0.066 * girth)
        hips = wide(0.098 * body.hips * (0.5 + 0.5 * girth), 0.07 * girth)
        hem = hips * (1.0 + 0.25 * self.reach() * (outfit.lower_kind == "skirt"))
        radii = np.empty((_RODS, 2))
        radii[list(THIGHS)] = (0.05 * girth * legs, 0.034 * girth * (1.3 if outfit.lower_kind == "shorts" else legs))
        radii[list(SHINS)] = (0.032 * girth * legs, 0.022 * girth * legs)
        radii[list(SHOES)] = (0.026, 0.021)
        radii[list(SLEEVES)] = (0.027 * girth * loose, 0.0235 * girth * loose)
        radii[list(FOREARMS)] = (0.023 * girth * arms, 0.017 * girth * arms)
        radii[list(PALMS)] = (0.017, 0.013)
        radii[THROAT] = (0.03, 0.034)
        radii[CHEST], radii[BELLY], radii[SKIRT] = (chest, waist), (waist, hips), (hips, hem)
        radii[SKULL] = (0.046, 0.039)
        radii[MANE] = (0.048, 0.042)
        radii[BAG] = self._bag_radii(body)
        return radii

    def _bag_radii(self, body: Body) -> tuple[float, float]:
        if self.bag_kind == "backpack":
            wide = self.turn.half_width(0.085 * body.shoulders, 0.055)
            return wide, 1.1 * wide
        wide = self.turn.half_width(0.028, 0.085)
        return wide, 1.08 * wide

    def _colours(self) -> NDArray[np.float64]:
        """Colour of each rod. Shape ``(19, 3)``."""
        person, outfit = self.person, self.person.outfit
        colours = np.empty((_RODS, 3))
        colours[:] = person.skin
        colours[list(THIGHS)] = person.skin if outfit.lower_kind == "skirt" else outfit.lower
        if outfit.lower_kind == "trousers":
            colours[list(SHINS)] = outfit.lower
        colours[list(SHOES)] = outfit.shoes
        colours[list(SLEEVES)] = outfit.upper
        if outfit.long_sleeves:
            colours[list(FOREARMS)] = outfit.upper
        colours[[CHEST, BELLY]] = outfit.upper
        colours[SKIRT] = outfit.lower if outfit.lower_kind == "skirt" and outfit.length < 0.4 else outfit.upper
        colours[SKULL] = person.skin if person.hair_style == "bald" else person.hair
        colours[MANE] = person.hair
        colours[BAG] = person.bag.colour
        return colours
