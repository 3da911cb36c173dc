"""The people of the site: bodies, skin, hair, bags, and who wears the same uniform."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.simulation.settings import SiteSettings, generator
from reid_core.simulation.wardrobe import COLOURS, draw_outfit, shift_shades

if TYPE_CHECKING:
    from reid_core.simulation.wardrobe import ColourBGR, Outfit

__all__ = ["BAGS", "Bag", "Body", "Person", "make_people"]

_STAGE: Final = 3
_SKINS: Final[tuple[ColourBGR, ...]] = (
    (170, 190, 224),
    (140, 170, 212),
    (116, 150, 198),
    (90, 122, 172),
    (66, 92, 138),
    (46, 64, 98),
)
_HAIRS: Final[tuple[ColourBGR, ...]] = (
    (26, 24, 24),
    (34, 40, 52),
    (44, 62, 86),
    (92, 138, 172),
    (150, 150, 150),
    (40, 66, 122),
)
_HAIR_STYLES: Final = ("short", "long", "long", "tied")
_TALL_HAIR_STYLES: Final = ("short", "short", "short", "bald")
BAGS: Final = ("none", "backpack", "shoulder", "tote")
_BAG_COLOURS: Final = ("black", "charcoal", "navy", "brown", "olive", "beige", "red", "grey")


@dataclass(frozen=True, slots=True)
class Body:
    """Build of a person.

    Attributes:
        height_m: From the ground to the top of the head.
        girth: Thickness of torso and limbs against the mean, about 0.8 to 1.3.
        shoulders: Width of the shoulders against the mean.
        hips: Width of the hips against the mean.
        swing: How far arms and legs swing against the mean.
    """

    height_m: float
    girth: float
    shoulders: float
    hips: float
    swing: float


@dataclass(frozen=True, slots=True)
class Bag:
    """A bag that a person may carry: one of `BAGS`, its colour, and on which side (1 = left, -1 = right)."""

    kind: str
    colour: ColourBGR
    side: int


@dataclass(frozen=True, slots=True)
class Person:
    """One identity.

    Attributes:
        person_id: From 1; the identity in ground truth.
        body: Build.
        skin: Colour.
        hair: Colour.
        hair_style: ``short``, ``long``, ``tied`` or ``bald``.
        outfit: Clothes.
        bag: The bag of those visits on which a bag is carried.
        carries: Chance that a trip begins with the bag.
        uniform_group: Number of the group that shares this outfit, 0 for none.
        speed_mps: Usual walking speed, metres a second.
    """

    person_id: int
    body: Body
    skin: ColourBGR
    hair: ColourBGR
    hair_style: str
    outfit: Outfit
    bag: Bag
    carries: float
    uniform_group: int
    speed_mps: float


def make_people(settings: SiteSettings) -> tuple[Person, ...]:
    """Draw everybody, ``person_id`` 1 to ``settings.people``; uniform groups hold at least the level's share."""
    rng = generator(settings.seed, _STAGE)
    groups = _group_numbers(rng, settings.people, settings.level.uniform_share)
    uniforms: dict[int, Outfit] = {}
    people = []
    for index, group in enumerate(groups):
        outfit = shift_shades(rng, draw_outfit(rng, settings.level))
        if group:
            outfit = uniforms.setdefault(group, outfit)
        people.append(_draw_person(rng, index + 1, outfit, group))
    return tuple(people)


def _group_numbers(rng: np.random.Generator, people: int, share: float) -> list[int]:
    """Group of each person, 0 for none: groups of two to five, until at least ``share`` of all are in one."""
    numbers: list[int] = []
    wanted = math.ceil(people * share)
    group = 0
    while len(numbers) < wanted and people - len(numbers) >= 2:
        group += 1
        size = min(int(rng.integers(2, 6)), people - len(numbers))
        numbers += [group] * size
    numbers += [0] * (people - len(numbers))
    return [numbers[place] for place in rng.permutation(people)]


def _draw_person(rng: np.random.Generator, person_id: int, outfit: Outfit, group: int) -> Person:
    tall = rng.random() < 0.5
    skin = int(rng.choice(len(_SKINS), p=[0.2, 0.42, 0.22, 0.08, 0.05, 0.03]))
    return Person(
        person_id=person_id,
        body=Body(
            height_m=_normal(rng, 1.77 if tall else 1.65, 0.06),
            girth=_normal(rng, 1.0, 0.1),
            shoulders=_normal(rng, 1.04 if tall else 0.95, 0.05),
            hips=_normal(rng, 0.96 if tall else 1.05, 0.05),
            swing=_normal(rng, 1.0, 0.09),
        ),
        skin=_SKINS[skin],
        hair=_HAIRS[int(rng.choice(len(_HAIRS), p=[0.44, 0.3, 0.14, 0.05, 0.05, 0.02]))],
        hair_style=str(rng.choice(_TALL_HAIR_STYLES if tall else _HAIR_STYLES)),
        outfit=outfit,
        bag=Bag(
            kind=BAGS[int(rng.integers(1, len(BAGS)))],
            colour=COLOURS[_BAG_COLOURS[int(rng.integers(0, len(_BAG_COLOURS)))]],
            side=1 if rng.random() < 0.5 else -1,
        ),
        carries=float(rng.choice([0.05, 0.5, 0.95], p=[0.45, 0.2, 0.35])),
        uniform_group=group,
        speed_mps=float(rng.lognormal(0.27, 0.16)),
    )


def _normal(rng: np.random.Generator, mean: float, deviation: float) -> float:
    """A normal draw cut at 2.5 standard deviations."""
    return mean + deviation * float(np.clip(rng.normal(), -2.5, 2.5))
