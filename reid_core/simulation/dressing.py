"""A dressed figure as polygons: body, clothes, hair and bag of one person as one camera sees them, far parts first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.simulation.figure import HANDS, HEAD, NECK, PELVIS, TOES
from reid_core.simulation.shading import Lamp, Limbs, Polygon, band, ellipse, limb_polygons

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.simulation.people import Body, Person
    from reid_core.simulation.perspective import CameraView

__all__ = ["Facing", "dress", "facing"]

# Rods of the body, in the order of the arrays below.
_THIGHS, _SHINS, _SHOES = (0, 1), (2, 3), (4, 5)
_SLEEVES, _FOREARMS, _PALMS = (6, 7), (8, 9), (10, 11)
_THROAT, _CHEST, _BELLY, _SKIRT, _SKULL, _MANE, _BAG = 12, 13, 14, 15, 16, 17, 18
_RODS: Final = 19
_TAN_LINE: Final = 0.62


@dataclass(frozen=True, slots=True)
class Facing:
    """How a person is turned against the camera: 1 = to the picture's right, and 1 = towards the camera."""

    right: float
    towards: float

    def half_width(self, wide: float, deep: float) -> float:
        """Half of the width that an elliptical body of these half axes shows."""
        return math.hypot(wide * self.towards, deep * self.right)


def facing(position_m: NDArray[np.float64], heading_rad: float) -> Facing:
    """Turn of somebody at this place on the ground who looks along this heading.

    Example:
        >>> facing(np.array([0.0, 5.0]), -math.pi / 2).towards
        1.0
    """
    away = position_m / max(float(np.linalg.norm(position_m)), 1e-6)
    ahead = (math.cos(heading_rad), math.sin(heading_rad))
    return Facing(
        right=float(ahead[0] * away[1] - ahead[1] * away[0]),
        towards=-float(ahead[0] * away[0] + ahead[1] * away[1]),
    )


def dress(
    person: Person,
    joints_m: NDArray[np.float64],
    *,
    view: CameraView,
    turn: Facing,
    heading_rad: float,
    carries: bool,
    lamp: Lamp,
    tint: NDArray[np.float64],
) -> list[Polygon]:
    """Everything to paint of one person, in the order of painting.

    Args:
        person: Whom.
        joints_m: As `figure.pose_joints` gives them. Shape ``(25, 3)``.
        view: The camera.
        turn: How the person is turned against it.
        heading_rad: Direction of the walk.
        carries: Whether the bag is along.
        lamp: Light as the camera sees it.
        tint: Factor on blue, green and red, from the light at this place. Shape ``(3,)``.
    """
    figure = _Figure(person, joints_m, view, turn, heading_rad, carries, tint)
    limbs, depths = figure.limbs()
    rods = limb_polygons(limbs, lamp)
    return _in_order(figure, limbs, rods, depths)


@dataclass(slots=True)
class _Figure:
    person: Person
    joints: NDArray[np.float64]
    view: CameraView
    turn: Facing
    heading_rad: float
    carries: bool
    tint: NDArray[np.float64]

    @property
    def bag_kind(self) -> str:
        return self.person.bag.kind if self.carries else "none"

    def limbs(self) -> tuple[Limbs, NDArray[np.float64]]:
        """All rods in the picture, and the mean depth of each."""
        start, end = self._ends()
        radii = self._radii() * self.person.body.height_m
        pixels, depths = self.view.project(np.stack([start, end]))
        scale = self.view.focal_px / depths
        roundness = np.full(_RODS, 0.9)
        roundness[[_CHEST, _BELLY, _SKIRT, _BAG]] = (0.34, 0.2, 0.12, 0.3)
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
        start[_THROAT], end[_THROAT] = j[HEAD], j[NECK]
        start[_CHEST], end[_CHEST] = j[NECK] - 0.018 * up, waist
        start[_BELLY], end[_BELLY] = waist, j[PELVIS] - 0.035 * up
        start[_SKIRT], end[_SKIRT] = j[PELVIS], hem
        start[_SKULL], end[_SKULL] = j[HEAD] + 0.021 * up, j[HEAD] - 0.024 * up
        start[_MANE], end[_MANE] = j[HEAD] + 0.01 * up - 0.014 * ahead, j[NECK] - 0.03 * up - 0.03 * ahead
        start[_BAG], end[_BAG] = self._bag_ends(ahead, up)
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
        radii[list(_THIGHS)] = (0.05 * girth * legs, 0.034 * girth * (1.3 if outfit.lower_kind == "shorts" else legs))
        radii[list(_SHINS)] = (0.032 * girth * legs, 0.022 * girth * legs)
        radii[list(_SHOES)] = (0.026, 0.021)
        radii[list(_SLEEVES)] = (0.03 * girth * loose, 0.025 * girth * loose)
        radii[list(_FOREARMS)] = (0.023 * girth * arms, 0.017 * girth * arms)
        radii[list(_PALMS)] = (0.017, 0.013)
        radii[_THROAT] = (0.03, 0.034)
        radii[_CHEST], radii[_BELLY], radii[_SKIRT] = (chest, waist), (waist, hips), (hips, hem)
        radii[_SKULL] = (0.046, 0.039)
        radii[_MANE] = (0.048, 0.042)
        radii[_BAG] = self._bag_radii(body)
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
        colours[list(_THIGHS)] = person.skin if outfit.lower_kind == "skirt" else outfit.lower
        if outfit.lower_kind == "trousers":
            colours[list(_SHINS)] = outfit.lower
        colours[list(_SHOES)] = outfit.shoes
        colours[list(_SLEEVES)] = outfit.upper
        if outfit.long_sleeves:
            colours[list(_FOREARMS)] = outfit.upper
        colours[[_CHEST, _BELLY]] = outfit.upper
        colours[_SKIRT] = outfit.lower if outfit.lower_kind == "skirt" and outfit.length < 0.4 else outfit.upper
        colours[_SKULL] = person.skin if person.hair_style == "bald" else person.hair
        colours[_MANE] = person.hair
        colours[_BAG] = person.bag.colour
        return colours


def _in_order(figure: _Figure, limbs: Limbs, rods: list[list[Polygon]], depths: NDArray[np.float64]) -> list[Polygon]:
    """Far parts first: far arm, legs, torso, head, near arm, with bag and hair where the turn puts them."""
    arms = sorted((0, 1), key=lambda side: -depths[_SLEEVES[side]])
    behind = [side for side in arms if depths[_SLEEVES[side]] > depths[_CHEST] + 0.03]
    before = [side for side in arms if side not in behind]
    bag = rods[_BAG] if figure.bag_kind != "none" else []
    bag_in_front = bool(depths[_BAG] < depths[_CHEST])
    mane = rods[_MANE] if figure.person.hair_style == "long" else []
    painted: list[Polygon] = [] if bag_in_front else list(bag)
    painted += mane if figure.turn.towards > 0 else []
    painted += [polygon for side in behind for polygon in _arm(rods, side)]
    for side in sorted((0, 1), key=lambda side: -depths[_SHINS[side]]):
        painted += rods[_SHOES[side]] + rods[_SHINS[side]] + rods[_THIGHS[side]]
    painted += _torso(figure, limbs, rods)
    painted += rods[_THROAT] + _head(figure, limbs, rods)
    painted += mane if figure.turn.towards <= 0 else []
    painted += bag if bag_in_front and figure.bag_kind == "backpack" else []
    painted += [polygon for side in before for polygon in _arm(rods, side)]
    return painted + (bag if bag_in_front and figure.bag_kind != "backpack" else [])


def _arm(rods: list[list[Polygon]], side: int) -> list[Polygon]:
    return rods[_PALMS[side]] + rods[_FOREARMS[side]] + rods[_SLEEVES[side]]


def _torso(figure: _Figure, limbs: Limbs, rods: list[list[Polygon]]) -> list[Polygon]:
    outfit = figure.person.outfit
    painted = list(rods[_SKIRT]) if figure.reach() > 0.1 else []
    painted += rods[_BELLY] + rods[_CHEST]
    painted += _pattern(figure, limbs)
    if outfit.inner is not None and figure.turn.towards > 0.1:
        painted += _opening(figure, limbs, outfit.inner)
    if figure.bag_kind == "backpack" and figure.turn.towards > 0.1:
        painted += _straps(figure, limbs)
    return painted


def _pattern(figure: _Figure, limbs: Limbs) -> list[Polygon]:
    """Stripes, checks, a band, or a print on the chest."""
    outfit = figure.person.outfit
    second = np.array(outfit.pattern_colour) * figure.tint
    rows: dict[str, tuple[tuple[int, float, float], ...]] = {
        "stripes": tuple((rod, low, low + 0.13) for rod in (_CHEST, _BELLY) for low in (0.08, 0.38, 0.68)),
        "check": tuple((rod, low, low + 0.07) for rod in (_CHEST, _BELLY) for low in (0.1, 0.45, 0.8)),
        "block": ((_CHEST, 0.3, 0.72),),
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
            for rod in (_CHEST, _BELLY)
            for left in (-0.65, -0.1, 0.45)
        ]
    if outfit.pattern == "print" and figure.turn.towards > 0.15:
        middle, half = 0.7 * figure.turn.right, 0.34 * figure.turn.towards
        painted.append(_patch(limbs, _CHEST, (0.3, 0.75), (middle - half, middle + half), second))
    return painted


def _opening(figure: _Figure, limbs: Limbs, inner: tuple[int, int, int]) -> list[Polygon]:
    """The shirt under an open jacket, seen from the front only."""
    middle, half = 0.75 * figure.turn.right, 0.3 * figure.turn.towards
    span = (max(-0.95, middle - half), min(0.95, middle + half))
    colour = np.array(inner) * figure.tint * 0.92
    return [_patch(limbs, _CHEST, (-0.05, 1.02), span, colour), _patch(limbs, _BELLY, (-0.02, 0.85), span, colour)]


def _straps(figure: _Figure, limbs: Limbs) -> list[Polygon]:
    colour = np.array(figure.person.bag.colour) * figure.tint
    middle = 0.6 * figure.turn.right
    spans = [(middle + aside - 0.09, middle + aside + 0.09) for aside in (-0.5, 0.5)]
    return [_patch(limbs, _CHEST, (-0.1, 0.8), span, colour) for span in spans if span[0] > -1 and span[1] < 1]


def _patch(
    limbs: Limbs, rod: int, along: tuple[float, float], across: tuple[float, float], colour: NDArray[np.float64]
) -> Polygon:
    blue, green, red = np.clip(colour, 0, 255).tolist()
    return Polygon(band(limbs, rod, along=along, across=across), (blue, green, red))


def _head(figure: _Figure, limbs: Limbs, rods: list[list[Polygon]]) -> list[Polygon]:
    """Hair as a cap, the face where it is turned to, and a hat."""
    person, turn = figure.person, figure.turn
    centre = (limbs.start_px[_SKULL] + limbs.end_px[_SKULL]) / 2
    radius = float(limbs.start_radius_px[_SKULL])
    skin = np.array(person.skin) * figure.tint
    painted = list(rods[_SKULL])
    if turn.towards > -0.6:
        wide = radius * (0.52 + 0.36 * max(turn.towards, 0.0) + 0.5 * min(turn.towards, 0.0))
        place = centre + np.array([0.5 * radius * turn.right, 0.3 * radius])
        painted.append(_blob(place, (wide, radius * 1.08), skin * _TAN_LINE * 1.3))
        painted.append(_blob(place + np.array([-0.12 * wide, -0.05 * radius]), (0.8 * wide, radius * 0.95), skin))
    if turn.towards > 0.25 and radius > 4:
        painted += _features(figure, radius)
    if person.outfit.hat is not None:
        hat = np.array(person.outfit.hat) * figure.tint
        top = centre + np.array([0.0, -0.78 * radius])
        painted.append(Polygon(ellipse(top, (1.12 * radius, 0.62 * radius)), _colour(hat), solid=True))
        brim = top + np.array([0.9 * radius * turn.right, 0.42 * radius])
        painted.append(_blob(brim, (radius * 0.85, 0.16 * radius), hat * 0.7))
    return painted


def _features(figure: _Figure, radius: float) -> list[Polygon]:
    """Eyes, mouth: a hint of them."""
    points, _ = figure.view.project(figure.joints[[0, 1, 2]])
    dark = np.array(figure.person.skin) * figure.tint * 0.35
    mouth = points[0] + np.array([0.0, 0.55 * radius])
    painted = [_blob(point, (0.16 * radius, 0.1 * radius), dark) for point in points[1:]]
    return [*painted, _blob(mouth, (0.28 * radius, 0.08 * radius), dark * 1.5)]


def _blob(centre: NDArray[np.float64], radii: tuple[float, float], colour: NDArray[np.float64]) -> Polygon:
    return Polygon(ellipse(centre, radii), _colour(colour))


def _colour(colour: NDArray[np.float64]) -> tuple[float, float, float]:
    blue, green, red = np.clip(colour, 0, 255).tolist()
    return (blue, green, red)
