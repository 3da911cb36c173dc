"""What heights and paces say of two sightings being one person: learned without a label, each camera's crowd its scale.

A camera's ground is a line: how tall people usually are where they stand. Of a pair only the differences count, told
against those of any two people; how far one person's differ is fitted to pairs that may be one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from reid_core.spatio_temporal.bodies import heights_and_feet, paces, statures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from reid_core.spatio_temporal.sightings import MatchedPairs, Sightings

__all__ = ["WEIGHT", "Ground", "Physique", "Trait", "fit_ground", "fit_physique", "fit_trait"]

WEIGHT: Final = 2.0  # a calibration takes times for about half of what they say, for training has its say in them
OUTLIERS: Final = 0.1  # tracklets that change from one person to another, people who run or carry somebody
_FEWEST: Final = 12
_ROUNDS: Final = 30
_SCALE: Final = 0.06  # of one camera's log heights about the line, beyond which a box counts little
_QUARTILES_TO_SD: Final = 1.349
_PRIOR_PAIRS: Final = 5.0
_PRIOR_RATIO: Final = 0.7
_LEAST_RATIO: Final = 0.2


@dataclass(frozen=True, slots=True)
class Ground:
    """How tall, and how fast, people usually are before one camera.

    Attributes:
        slope: Height over the place of the feet, both in shares of the picture's height.
        base: Height where the feet are at the picture's upper edge.
        stature: Median log of heights over what the line says; taken off.
        pace: Median log of paces; taken off.
    """

    slope: float
    base: float
    stature: float
    pace: float


@dataclass(frozen=True, slots=True)
class Trait:
    """How far a figure differs between two sightings, as standard deviations of normal differences.

    Attributes:
        of_two: Of two people, above 0.
        of_one: Of one person seen twice, above 0 and at most ``of_two``: then it says nothing.
    """

    of_two: float
    of_one: float

    def llr(self, differences: NDArray[np.float64]) -> NDArray[np.float64]:
        """Nats for one person, never below the log of the outliers' share; 0 where a difference is NaN."""
        rest = differences**2 * (self.of_one**-2 - self.of_two**-2) / 2
        ratio = self.of_two / self.of_one * np.exp(-rest)
        evidence: NDArray[np.float64] = np.log(OUTLIERS + (1 - OUTLIERS) * ratio)
        return np.nan_to_num(evidence)

    @property
    def most_llr(self) -> float:
        """No difference says more than this for one person, in nats."""
        return float(np.log(OUTLIERS + (1 - OUTLIERS) * self.of_two / self.of_one))


_SILENT: Final = Trait(1.0, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Physique:
    """Statures and paces of a site's people.

    Attributes:
        grounds: By camera id; cameras that are missing tell nothing.
        stature: How far log heights differ.
        pace: How far log paces differ.
    """

    grounds: Mapping[str, Ground]
    stature: Trait
    pace: Trait

    def figures(self, sightings: Sightings) -> NDArray[np.float64]:
        """Log stature and log pace over the camera's usual ones; NaN where not known. Shape ``(N, 2)``."""
        return _figures(sightings, self.grounds)

    def evidence(self, one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
        """What pairs of figures say beside times: their log-likelihood ratios in nats, doubled.

        Whoever weighs the sum of both takes it for about half; no training knows heights and paces, so they count full.

        Args:
            one: As `figures` has them. Shape ``(..., 2)``.
            other: The same; shapes broadcast.

        Returns:
            Shape ``(...)``.
        """
        apart = one - other
        return WEIGHT * (self.stature.llr(apart[..., 0]) + self.pace.llr(apart[..., 1]))

    @property
    def most_evidence(self) -> float:
        """No pair's evidence is above this."""
        return WEIGHT * (self.stature.most_llr + self.pace.most_llr)

    def to_json(self) -> dict[str, Any]:
        """A document that a person can read."""
        return {
            "grounds": {
                camera: {"slope": one.slope, "base": one.base, "stature": one.stature, "pace": one.pace}
                for camera, one in sorted(self.grounds.items())
            },
            "stature": {"of_two": self.stature.of_two, "of_one": self.stature.of_one},
            "pace": {"of_two": self.pace.of_two, "of_one": self.pace.of_one},
        }

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> Physique:
        """The inverse of `to_json`."""
        grounds = {camera: Ground(**one) for camera, one in document["grounds"].items()}
        return Physique(grounds, Trait(**document["stature"]), Trait(**document["pace"]))


def fit_physique(sightings: Sightings, pairs: MatchedPairs) -> Physique | None:
    """Fit every camera's ground and how far one person's figures differ.

    Args:
        sightings: Of the whole site.
        pairs: That may show one person, with probabilities from looks alone. Most may be wrong.

    Returns:
        ``None`` where too few bodies are known to tell anything.
    """
    if sightings.bodies is None:
        return None
    grounds = {}
    for camera, camera_id in enumerate(sightings.camera_ids):
        ground = fit_ground(sightings.bodies[sightings.cameras == camera])
        if ground is not None:
            grounds[camera_id] = ground
    figures = _figures(sightings, grounds)
    apart = figures[pairs.rows_a] - figures[pairs.rows_b]
    stature, pace = (fit_trait(figures[:, place], apart[:, place], pairs.weights) for place in (0, 1))
    if stature is None and pace is None:
        return None
    return Physique(grounds, stature or _SILENT, pace or _SILENT)


def fit_ground(bodies: NDArray[np.float64]) -> Ground | None:
    """The line of one camera's heights, told by its usual passers-by; ``None`` where fewer than twelve are known.

    Args:
        bodies: Of one camera's sightings, as `body_marks` has them. Shape ``(n, 7)``.
    """
    feet, heights = heights_and_feet(bodies)
    if np.count_nonzero(np.isfinite(statures(bodies, 0.0, 1.0))) < _FEWEST:
        return None
    line, weights = np.column_stack([feet, np.ones(len(feet))]), np.ones(len(feet))
    slope, base = 1.0, 0.0
    for _ in range(_ROUNDS):
        root = np.sqrt(weights)
        slope, base = np.linalg.lstsq(line * root[:, None], heights * root, rcond=None)[0].tolist()
        usual = np.maximum(slope * feet + base, 1e-3)
        off = np.log(heights / usual)
        weights = 1 / (1 + ((off - np.median(off)) / _SCALE) ** 2)
    known_paces = paces(bodies)[np.isfinite(paces(bodies))]
    pace = float(np.median(known_paces)) if len(known_paces) else 0.0
    return Ground(slope, base, float(np.nanmedian(statures(bodies, slope, base))), pace)


def fit_trait(figures: NDArray[np.float64], apart: NDArray[np.float64], weights: NDArray[np.float64]) -> Trait | None:
    """How far a figure differs between two people and, by expectation-maximisation, between two views of one.

    Args:
        figures: Of all sightings; NaN where not known. Shape ``(N,)``.
        apart: Differences of pairs that may be one person. Shape ``(P,)``.
        weights: Their probabilities from looks. Shape ``(P,)``.

    Returns:
        ``None`` where fewer than twelve figures are known, or all are equal.
    """
    known = np.isfinite(apart) & (weights > 0)
    if np.count_nonzero(np.isfinite(figures)) < _FEWEST:
        return None
    low, high = np.nanpercentile(figures, (25, 75))
    of_two = float(high - low) / _QUARTILES_TO_SD * 2**0.5
    if not of_two > 0:
        return None
    squares, prior = apart[known] ** 2, np.clip(weights[known], 0.0, 0.98)
    of_one, believed = _PRIOR_RATIO * of_two, 1.0
    for _ in range(_ROUNDS):
        likelier = of_two / of_one * np.exp(-squares * (of_one**-2 - of_two**-2) / 2)
        chance = believed * (1 - OUTLIERS) * prior
        share = chance * likelier / (chance * likelier + 1 - chance)
        believed = min(1.0, float((share.sum() + _PRIOR_PAIRS) / ((1 - OUTLIERS) * prior.sum() + _PRIOR_PAIRS)))
        spread = (share @ squares + _PRIOR_PAIRS * (_PRIOR_RATIO * of_two) ** 2) / (share.sum() + _PRIOR_PAIRS)
        of_one = float(np.clip(np.sqrt(spread), _LEAST_RATIO * of_two, of_two))
    return Trait(of_two, of_one)


def _figures(sightings: Sightings, grounds: Mapping[str, Ground]) -> NDArray[np.float64]:
    found = np.full((len(sightings), 2), np.nan)
    if sightings.bodies is None:
        return found
    for camera in np.unique(sightings.cameras).tolist():
        ground = grounds.get(sightings.camera_ids[camera])
        if ground is not None:
            rows = np.flatnonzero(sightings.cameras == camera)
            bodies = sightings.bodies[rows]
            found[rows, 0] = statures(bodies, ground.slope, ground.base) - ground.stature
            found[rows, 1] = paces(bodies) - ground.pace
    return found
