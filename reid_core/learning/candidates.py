"""Pairs of tracklets that may be one person by looks and times, and pairs that cannot be, found block by block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from reid_core.association.pair_costs import Metric, visual_distances
from reid_core.learning.relations import PairWeights
from reid_core.spatio_temporal.constraints import impossible

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.spatio_temporal.calibration import Calibration
    from reid_core.spatio_temporal.sightings import Sightings
    from reid_core.spatio_temporal.transit import TransitModel

__all__ = ["CandidatePairs", "candidate_pairs"]

_LIKELIER_ONE = 0.0  # log-odds: within a camera all look more alike, and most pairs are two people
_BLOCK = 1024
_CLOCK_UNCERTAINTY_S = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class CandidatePairs:
    """Pairs of any two tracklets, those of one camera among them, lower row first.

    Attributes:
        rows_a: Shape ``(P,)``.
        rows_b: Shape ``(P,)``.
        log_odds: That a pair is one person, in nats. Shape ``(P,)``.
        apart: Rows of pairs that are two people: at two places, or twice in one camera, at once. Shape ``(A, 2)``.
    """

    rows_a: NDArray[np.int64]
    rows_b: NDArray[np.int64]
    log_odds: NDArray[np.float64]
    apart: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows_a)

    def doubtful(self, cameras: NDArray[np.int64]) -> PairWeights:
        """Whom training should not part: of two cameras, or of one that somebody probably came back to."""
        same_camera = cameras[self.rows_a] == cameras[self.rows_b]
        maybe = ~same_camera | (self.log_odds > _LIKELIER_ONE)
        return PairWeights(self.rows_a[maybe], self.rows_b[maybe], expit(self.log_odds[maybe]))


def candidate_pairs(
    vectors: NDArray[np.floating],
    sightings: Sightings,
    calibration: Calibration,
    transit: TransitModel,
    *,
    floor: float,
) -> CandidatePairs:
    """Compare all with all, some rows at a time.

    Args:
        vectors: To compare across cameras. Shape ``(N, d)``.
        sightings: Where and when they were; ``N`` rows.
        calibration: What distances and times are worth.
        transit: Learned transit times.
        floor: Log-odds above which a pair is a candidate.
    """
    corrected, every = transit.corrected(sightings), np.arange(len(vectors))
    pairs, apart, log_odds = [np.zeros((0, 2), np.int64)], [np.zeros((0, 2), np.int64)], [np.zeros(0)]
    for start in range(0, len(vectors), _BLOCK):
        rows = every[start : start + _BLOCK]
        block = sightings.take(rows)
        odds = calibration.log_odds(
            visual_distances(vectors[rows], vectors, metric=Metric.COSINE), transit.llr_matrix(block, sightings)
        )
        elsewhere = impossible(corrected.take(rows), corrected, clock_uncertainty_s=_CLOCK_UNCERTAINTY_S)
        never = elsewhere | _twice_at_once(block, sightings)
        later = rows[:, None] < every[None, :]
        likely = later & ~never & (odds > floor)
        pairs.append(np.argwhere(likely) + np.array([start, 0]))
        log_odds.append(odds[likely])
        apart.append(np.argwhere(later & never) + np.array([start, 0]))
    one, other = np.concatenate(pairs).T
    return CandidatePairs(one, other, np.concatenate(log_odds), np.concatenate(apart))


def _twice_at_once(block: Sightings, every: Sightings) -> NDArray[np.bool_]:
    """Which sightings of one camera overlap in time, by that camera's own clock. Shape ``(n, N)``."""
    begun = block.starts_s[:, None] <= every.ends_s[None, :]
    going_on: NDArray[np.bool_] = begun & (every.starts_s[None, :] <= block.ends_s[:, None])
    twice: NDArray[np.bool_] = going_on & (block.cameras[:, None] == every.cameras[None, :])
    return twice
