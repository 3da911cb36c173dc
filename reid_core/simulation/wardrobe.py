"""What people wear in the street: many blacks, greys, navies, denims and beiges, few saturated colours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reid_core.simulation.settings import Difficulty

__all__ = ["COLOURS", "ColourBGR", "Outfit", "draw_outfit", "shift_shades"]

ColourBGR: TypeAlias = tuple[int, int, int]

COLOURS: Final[Mapping[str, ColourBGR]] = {
    "black": (34, 32, 32),
    "charcoal": (62, 60, 58),
    "grey": (112, 110, 108),
    "light_grey": (168, 166, 164),
    "white": (216, 218, 220),
    "navy": (74, 46, 34),
    "denim": (124, 88, 62),
    "pale_denim": (164, 138, 116),
    "beige": (138, 168, 188),
    "brown": (48, 70, 98),
    "olive": (52, 80, 82),
    "burgundy": (48, 34, 98),
    "red": (42, 38, 178),
    "green": (66, 124, 44),
    "blue": (178, 92, 30),
    "yellow": (46, 176, 214),
    "orange": (36, 106, 212),
    "pink": (152, 118, 208),
}

_UPPER: Final = {
    "black": 0.32,
    "charcoal": 0.16,
    "grey": 0.13,
    "light_grey": 0.05,
    "white": 0.07,
    "navy": 0.18,
    "beige": 0.04,
    "brown": 0.02,
    "olive": 0.02,
    "burgundy": 0.01,
}
_LOWER: Final = {
    "black": 0.36,
    "charcoal": 0.14,
    "grey": 0.06,
    "navy": 0.14,
    "denim": 0.24,
    "pale_denim": 0.03,
    "beige": 0.03,
}
_SHOES: Final = {"black": 0.7, "white": 0.12, "brown": 0.1, "grey": 0.08}
_SATURATED: Final = {"red": 0.24, "green": 0.16, "blue": 0.24, "yellow": 0.1, "orange": 0.1, "pink": 0.16}
_PATTERNS: Final = {"stripes": 0.3, "check": 0.2, "block": 0.3, "print": 0.2}
_LOWER_KINDS: Final = {"trousers": 0.78, "shorts": 0.1, "skirt": 0.12}


@dataclass(frozen=True, slots=True)
class Outfit:
    """Clothes of one person; equal outfits look equal.

    Attributes:
        upper: Colour of jacket, shirt or coat.
        pattern: ``plain``, ``stripes``, ``check``, ``block`` (a band across the chest) or ``print`` (front only).
        pattern_colour: Second colour of the upper garment.
        inner: Colour of the shirt that an open jacket shows from the front, ``None`` for a closed one.
        long_sleeves: Whether sleeves reach the wrist.
        length: How far the upper garment reaches below the hips, as a share of the thigh in ``[0, 1]``.
        lower_kind: ``trousers``, ``shorts`` or ``skirt``.
        lower: Colour of it.
        shoes: Colour of the shoes.
        hat: Colour of a cap, ``None`` for none.
    """

    upper: ColourBGR
    pattern: str
    pattern_colour: ColourBGR
    inner: ColourBGR | None
    long_sleeves: bool
    length: float
    lower_kind: str
    lower: ColourBGR
    shoes: ColourBGR
    hat: ColourBGR | None


def draw_outfit(rng: np.random.Generator, level: Difficulty) -> Outfit:
    """Draw clothes as the street has them at this difficulty."""
    jacket_open = rng.random() < level.open_jacket_share
    return Outfit(
        upper=_garment(rng, _UPPER, level.saturated_share),
        pattern=_pick(rng, _PATTERNS) if rng.random() < level.pattern_share else "plain",
        pattern_colour=_garment(rng, _UPPER, 2 * level.saturated_share),
        inner=_garment(rng, _UPPER, level.saturated_share) if jacket_open else None,
        long_sleeves=jacket_open or bool(rng.random() < 0.72),
        length=float(rng.choice([0.0, 0.0, 0.15, 0.45, 0.8], p=[0.4, 0.2, 0.2, 0.12, 0.08])),
        lower_kind=_pick(rng, _LOWER_KINDS),
        lower=_garment(rng, _LOWER, 0.5 * level.saturated_share),
        shoes=COLOURS[_pick(rng, _SHOES)],
        hat=_garment(rng, _UPPER, 0.2) if rng.random() < 0.1 else None,
    )


def shift_shades(rng: np.random.Generator, outfit: Outfit) -> Outfit:
    """The same kind of clothes in slightly other shades: no two black coats are of one black."""
    return replace(
        outfit,
        upper=_shifted(rng, outfit.upper),
        pattern_colour=_shifted(rng, outfit.pattern_colour),
        inner=None if outfit.inner is None else _shifted(rng, outfit.inner),
        lower=_shifted(rng, outfit.lower),
        shoes=_shifted(rng, outfit.shoes),
    )


def _shifted(rng: np.random.Generator, colour: ColourBGR) -> ColourBGR:
    gain = float(np.exp(rng.normal(0, 0.07)))
    tint = rng.normal(0, 2.0, 3)
    blue, green, red = (int(np.clip(round(c * gain + t), 12, 236)) for c, t in zip(colour, tint, strict=True))
    return (blue, green, red)


def _garment(rng: np.random.Generator, weights: Mapping[str, float], saturated_share: float) -> ColourBGR:
    return COLOURS[_pick(rng, _SATURATED if rng.random() < saturated_share else weights)]


def _pick(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    """Draw a name by weight; weights need not sum to 1."""
    shares = np.array(list(weights.values()))
    return list(weights)[int(rng.choice(len(shares), p=shares / shares.sum()))]
