"""How far the probabilities that searches state can be believed, where it is known whom each tracklet shows.

Every tracklet of a known person asks; whatever its own camera saw is left out, everything else answers, distractors as
false answers. Over all pairs any calibration looks good, for nearly all are plainly different: what operators see are
the first ten answers of each search, which are scored apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.metrics.calibration import (
    BinSpacing,
    ReliabilityBins,
    brier_score,
    expected_calibration_error,
    log_loss,
    reliability,
)
from reid_core.spatio_temporal.fusion import Yardsticks, judge

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.spatio_temporal.calibration_model import Calibration
    from reid_core.spatio_temporal.sightings import Sightings
    from reid_core.spatio_temporal.transit_model import TransitModel

__all__ = ["CalibrationScore", "StatedPairs", "score_calibration", "state_pairs"]

_NOBODY = 0
_SHOWN = 10


@dataclass(frozen=True, slots=True, eq=False)
class StatedPairs:
    """What searches state of each pair, and whether it is so.

    Attributes:
        probabilities: Shape ``(P,)``.
        truths: Shape ``(P,)``.
        shown: Which are among the first ten answers of their search. Shape ``(P,)``.
    """

    probabilities: NDArray[np.float64]
    truths: NDArray[np.bool_]
    shown: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationScore:
    """Figures over some pairs.

    Attributes:
        pairs: How many.
        ece: Expected calibration error, ten bins of equal width.
        ece_equal_mass: The same with ten bins of equal mass.
        brier: Brier score.
        log_loss: In nats.
        bins: For a reliability plot; of equal width.
    """

    pairs: int
    ece: float
    ece_equal_mass: float
    brier: float
    log_loss: float
    bins: ReliabilityBins

    def as_dict(self) -> dict[str, float | int]:
        """The plain figures."""
        return {
            "pairs": self.pairs,
            "ece": self.ece,
            "ece_equal_mass": self.ece_equal_mass,
            "brier": self.brier,
            "log_loss": self.log_loss,
        }


def state_pairs(
    calibration: Calibration,
    transit: TransitModel | None,
    vectors: NDArray[np.floating],
    sightings: Sightings,
    person_ids: NDArray[np.int64],
) -> StatedPairs:
    """Search for every known tracklet among the other cameras', as the service does.

    Args:
        calibration: Of the model that made the vectors.
        transit: ``None``: by looks alone.
        vectors: L2-normalised. Shape ``(N, d)``.
        sightings: Of the N tracklets.
        person_ids: Whom each shows, 0 for a distractor. Shape ``(N,)``.

    Raises:
        ValueError: If the lengths differ, or nobody known has candidates at other cameras.
    """
    if not len(vectors) == len(sightings) == len(person_ids):
        raise ValueError(f"{len(vectors)} vectors, {len(sightings)} sightings and {len(person_ids)} people do not fit")
    parts = [
        _state(calibration, transit, vectors, sightings, person_ids, row)
        for row in np.flatnonzero(person_ids != _NOBODY).tolist()
        if (sightings.cameras != sightings.cameras[row]).any()
    ]
    if not parts:
        raise ValueError("nobody known has a candidate at another camera")
    return StatedPairs(
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.truths for part in parts]),
        np.concatenate([part.shown for part in parts]),
    )


def score_calibration(stated: StatedPairs, *, only_shown: bool) -> CalibrationScore:
    """Figures over the first ten answers of each search, or over all pairs."""
    chosen = stated.shown if only_shown else np.ones(len(stated.truths), np.bool_)
    probabilities, truths = stated.probabilities[chosen], stated.truths[chosen]
    return CalibrationScore(
        pairs=len(truths),
        ece=expected_calibration_error(probabilities, truths),
        ece_equal_mass=expected_calibration_error(probabilities, truths, spacing=BinSpacing.EQUAL_MASS),
        brier=brier_score(probabilities, truths),
        log_loss=log_loss(probabilities, truths),
        bins=reliability(probabilities, truths),
    )


def _state(
    calibration: Calibration,
    transit: TransitModel | None,
    vectors: NDArray[np.floating],
    sightings: Sightings,
    person_ids: NDArray[np.int64],
    row: int,
) -> StatedPairs:
    elsewhere = np.flatnonzero(sightings.cameras != sightings.cameras[row])
    distances = np.clip(1.0 - np.asarray(vectors[elsewhere] @ vectors[row], np.float64), 0.0, 2.0)
    nowhere_near = np.zeros(len(elsewhere), np.bool_)
    judgement = judge(
        calibration,
        distances,
        yardsticks=Yardsticks.of(distances, nowhere_near, prior=calibration.curve.yardstick),
        is_own_camera=nowhere_near,
        prior_log_odds=calibration.prior_of(len(elsewhere)),
        transit=transit,
        query=sightings.take(np.array([row])),
        candidates=sightings.take(elsewhere),
    )
    shown = np.zeros(len(elsewhere), np.bool_)
    shown[np.lexsort((distances, -judgement.log_odds))[:_SHOWN]] = True
    return StatedPairs(judgement.probabilities, person_ids[elsewhere] == person_ids[row], shown)
