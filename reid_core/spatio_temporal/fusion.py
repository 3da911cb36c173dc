"""One search's evidence put together: looks, times, and how likely a match was before either."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from reid_core.spatio_temporal.yardstick import Yardstick

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.spatio_temporal.calibration_model import Calibration
    from reid_core.spatio_temporal.sightings import Sightings
    from reid_core.spatio_temporal.transit_model import TransitModel

__all__ = ["Judgement", "Yardsticks", "judge", "longest_prefix"]


@dataclass(frozen=True, slots=True)
class Yardsticks:
    """How far a query lies from other people: at other cameras, and at its own.

    Pictures of one camera are alike in light and angle, so that near means less there. A query whose camera is not
    known is measured by the first one everywhere.
    """

    elsewhere: Yardstick
    own_camera: Yardstick

    @staticmethod
    def of(distances: NDArray[np.floating], is_own_camera: NDArray[np.bool_], *, prior: Yardstick) -> Yardsticks:
        """From distances to a sample of the site's tracklets, none of them the query's own.

        Args:
            distances: Cosine distances. Shape ``(n,)``.
            is_own_camera: Which of them the query's camera saw. Shape ``(n,)``.
            prior: Of the site.
        """
        return Yardsticks(
            Yardstick.of(distances[~is_own_camera], prior=prior), Yardstick.of(distances[is_own_camera], prior=prior)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What speaks for and against each candidate of a search, in nats.

    Attributes:
        visual: Log-likelihood ratio of the looks. Shape ``(n,)``.
        time: Weighted log-likelihood ratio of the times; NaN where there is no evidence of time: an unknown clock or
            place, the query's own camera, or a way that nobody was seen to take. Shape ``(n,)``.
        prior_log_odds: Of any candidate, before anything is known of it.
    """

    visual: NDArray[np.float64]
    time: NDArray[np.float64]
    prior_log_odds: float

    @property
    def log_odds(self) -> NDArray[np.float64]:
        """Of showing one person with the query: the sum of all parts. Shape ``(n,)``."""
        total: NDArray[np.float64] = self.prior_log_odds + self.visual + np.nan_to_num(self.time)
        return total

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Of showing one person with the query, in ``[0, 1]``. Shape ``(n,)``."""
        probabilities: NDArray[np.float64] = expit(self.log_odds)
        return probabilities


def judge(
    calibration: Calibration,
    distances: NDArray[np.floating],
    *,
    yardsticks: Yardsticks,
    is_own_camera: NDArray[np.bool_],
    prior_log_odds: float,
    transit: TransitModel | None = None,
    query: Sightings | None = None,
    candidates: Sightings | None = None,
) -> Judgement:
    """Weigh the candidates of one search.

    Args:
        calibration: Of the model that made the vectors.
        distances: Cosine distances. Shape ``(n,)``.
        yardsticks: Of the query.
        is_own_camera: Which candidates the query's camera saw. Shape ``(n,)``.
        prior_log_odds: Of this search (`Calibration.prior_of`).
        transit: Without it there is no evidence of time.
        query: Where and when the query was seen, one sighting; ``None`` where it has no place or time.
        candidates: Where and when the candidates were seen, over the same cameras. Shape ``(n,)``.

    Raises:
        ValueError: If the lengths differ.
    """
    if len(distances) != len(is_own_camera) or (candidates is not None and len(candidates) != len(distances)):
        raise ValueError(f"{len(distances)} distances do not fit {len(is_own_camera)} candidates")
    visual = np.where(
        is_own_camera,
        calibration.visual_llr(distances, yardsticks.own_camera),
        calibration.visual_llr(distances, yardsticks.elsewhere),
    )
    time = np.full(len(distances), np.nan)
    if transit is not None and query is not None and candidates is not None:
        told = _has_evidence(transit, query, candidates)
        rows = np.flatnonzero(told)
        evidence = transit.pair_llr(query.take(np.zeros(len(rows), np.int64)), candidates.take(rows))
        time[rows] = calibration.time_weight * evidence
    return Judgement(visual, time, prior_log_odds)


def longest_prefix(probabilities: NDArray[np.float64], max_error_rate: float) -> int:
    """How many answers, best first, can be given so that on average at most this share of them is false.

    Args:
        probabilities: Of being right, in the order of the answers. Shape ``(n,)``.
        max_error_rate: In ``[0, 1]``.

    Raises:
        ValueError: If the rate is out of range.

    Example:
        >>> longest_prefix(np.array([0.99, 0.91, 0.6, 0.2]), 0.2)  # 0.5 false answers among three
        3
    """
    if not 0 <= max_error_rate <= 1:
        raise ValueError(f"max_error_rate must be in [0, 1], got {max_error_rate}")
    shares = np.cumsum(1.0 - probabilities) / np.arange(1, len(probabilities) + 1)
    fitting = np.flatnonzero(shares <= max_error_rate)
    return int(fitting[-1]) + 1 if len(fitting) else 0


def _has_evidence(transit: TransitModel, query: Sightings, candidates: Sightings) -> NDArray[np.bool_]:
    """Whose times can be compared with the query's along a way that is known. Shape ``(n,)``."""
    here = query.camera_ids[int(query.cameras[0])]
    known_ways = np.array(
        [(here, there) in transit.links and (there, here) in transit.links for there in candidates.camera_ids], np.bool_
    )
    if not query.clock_known()[0] or not len(known_ways):
        return np.zeros(len(candidates), np.bool_)
    told: NDArray[np.bool_] = known_ways[candidates.cameras] & candidates.clock_known()
    return told
