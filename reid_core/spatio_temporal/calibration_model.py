"""The probability that two tracklets show one person, from how alike they look and how likely their times are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, logit

from reid_core.spatio_temporal.visual_curve import VisualCurve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from reid_core.spatio_temporal.yardstick import Yardstick

__all__ = ["Calibration"]

_FORMAT = "reknit-calibration-1"
_LEAST_PRIOR, _MOST_PRIOR = 1e-9, 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Turns evidence into a probability: ``logit P = LLR_visual + w LLR_time + logit prior``.

    Attributes:
        curve: LLR_visual over standardised distance, fitted on pairs of different cameras; its own prior is taken out.
        time_weight: ``w`` in ``[0, 1]``; 0 where the transit model did not help on pairs that it was not fitted to.
        matches: True matches that a tracklet had on average among the candidates of the fit, above 0.
        candidates: Tracklets at other cameras that a tracklet was compared with in the fit, above 0.
        span_s: Seconds between the first and the last sighting of the fit, ``None`` where clocks are unknown.
    """

    curve: VisualCurve
    time_weight: float
    matches: float
    candidates: float
    span_s: float | None = None

    def __post_init__(self) -> None:
        """Refuse numbers out of range."""
        if not 0 <= self.time_weight <= 1:
            raise ValueError(f"time_weight must be in [0, 1], got {self.time_weight}")
        if not (self.matches > 0 and self.candidates > 0):
            raise ValueError(f"matches and candidates must be above 0, got {self.matches} and {self.candidates}")

    @property
    def prior_log_odds(self) -> float:
        """Log-odds that a pair of the fit showed one person, before anything was known of it."""
        return self.prior_of(self.candidates)

    @property
    def calibration_id(self) -> str:
        """Names the calibration by its content."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return f"calibration-{sha256(text.encode()).hexdigest()[:16]}"

    def prior_of(self, candidates: float) -> float:
        """Log-odds that one of so many candidates is a true match, if a search has as many of them as in the fit."""
        share = self.matches / max(candidates, 1.0)
        return float(logit(min(max(share, _LEAST_PRIOR), _MOST_PRIOR)))

    def visual_llr(self, distances: NDArray[np.floating], yardstick: Yardstick | None = None) -> NDArray[np.float64]:
        """What looks alone say, in nats: monotone falling in cosine distance, bounded at both ends.

        Args:
            distances: Cosine distances, any shape.
            yardstick: Of the query; default: the site's.
        """
        return self.curve.llr(distances, yardstick)

    def log_odds(
        self,
        distances: NDArray[np.floating],
        time_llr: NDArray[np.floating] | None = None,
        *,
        prior_log_odds: float | None = None,
        yardstick: Yardstick | None = None,
    ) -> NDArray[np.float64]:
        """Log-odds that each pair shows one person.

        Args:
            distances: Cosine distances, any shape.
            time_llr: Of the transit model, in nats, the same shape; ``None`` where there is no evidence of time.
            prior_log_odds: Of the search (`prior_of`); default: of the fit.
            yardstick: Of the query; default: the site's.
        """
        total = self.visual_llr(distances, yardstick)
        total = total + (self.prior_log_odds if prior_log_odds is None else prior_log_odds)
        return total if time_llr is None else total + self.time_weight * np.asarray(time_llr, np.float64)

    def probability(
        self,
        distances: NDArray[np.floating],
        time_llr: NDArray[np.floating] | None = None,
        *,
        prior_log_odds: float | None = None,
        yardstick: Yardstick | None = None,
    ) -> NDArray[np.float64]:
        """The same as probabilities in ``[0, 1]``. See `log_odds`."""
        odds = self.log_odds(distances, time_llr, prior_log_odds=prior_log_odds, yardstick=yardstick)
        probability: NDArray[np.float64] = expit(odds)
        return probability

    def to_json(self) -> dict[str, Any]:
        """As plain values that a person can read, rounded to six digits behind the point."""
        return {
            "format": _FORMAT,
            "visual": self.curve.to_json(),
            "time_weight": self.time_weight,
            "matches": round(self.matches, 6),
            "candidates": round(self.candidates, 6),
            "span_s": None if self.span_s is None else round(self.span_s, 3),
        }

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> Calibration:
        """The calibration that `to_json` wrote.

        Raises:
            ValueError: If it is none.
        """
        if document.get("format") != _FORMAT:
            raise ValueError(f"no calibration of this form: {document.get('format')!r}")
        try:
            span_s = document["span_s"]
            return Calibration(
                VisualCurve.from_json(document["visual"]),
                float(document["time_weight"]),
                float(document["matches"]),
                float(document["candidates"]),
                None if span_s is None else float(span_s),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"no calibration: {error!r}") from error
