"""Fit a calibration: to labelled pairs, or to a site without a label.

Without labels, times tell how often tracklets that look so much alike are one person. If pairs at some visual distance
were all of different people, their times would be spread as those of any two people; the more of them show one person,
the more their times look like walks. The share that explains the times best, as a falling curve over distance, is the
probability sought. Pairs whose times rule out one person count fully against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from reid_core.errors import CalibrationError
from reid_core.spatio_temporal.calibration_model import Calibration
from reid_core.spatio_temporal.sightings import MatchedPairs
from reid_core.spatio_temporal.site_pairs import mutual_pairs, site_pairs
from reid_core.spatio_temporal.transit import fit_transit
from reid_core.spatio_temporal.visual_curve import fit_curve
from reid_core.spatio_temporal.yardstick import Yardstick

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from reid_core.spatio_temporal.sightings import Sightings
    from reid_core.spatio_temporal.site_pairs import SitePairs
    from reid_core.spatio_temporal.transit import TransitModel
    from reid_core.spatio_temporal.visual_curve import VisualCurve
    from reid_core.types import CameraLink

__all__ = ["Calibration", "fit_calibration", "fit_site_calibration"]

_WEIGHTS = (1.0, 0.75, 0.5, 0.25, 0.0)
_FOLDS = 5
_MOST_QUERIES = 2000
_FEWEST_MUTUAL = 20
_SURE_TIME, _SURE_LOOKS = 0.75, 0.8  # see docs/calibration.md for where they come from
_SLACK_S = 0.5  # of each camera, for boxes that begin early or end late


def fit_site_calibration(
    vectors: NDArray[np.floating],
    sightings: Sightings,
    transit: TransitModel,
    *,
    seed: int,
    map_links: Sequence[CameraLink] = (),
    overlapping_views: Collection[tuple[str, str]] = (),
) -> Calibration:
    """Fit the calibration of one model and one transit model on the tracklets of a site.

    The times of a pair are judged by a transit model that was not fitted to it: pairs are parted into five folds, and a
    transit model fitted to the mutual neighbours of four judges the fifth (sites beyond 2,000 tracklets, whose model
    one pair hardly moves, take the given one as it is). The weight of time is the one under which held-out pairs are
    likeliest, less a quarter: looks and times are not quite independent where a model was trained on pairs that both
    had chosen. The matches are taken for a fifth fewer than times witness: some tracklets begin as one person and end
    as another, and agree with both.

    Args:
        vectors: L2-normalised, of the model. Shape ``(N, d)``.
        sightings: Where and when the N tracklets were seen.
        transit: The transit model that searches will use.
        seed: Draws from large sites, and seeds the folds' transit models.
        map_links: As `fit_transit` has it.
        overlapping_views: Camera pairs that see a common piece of ground.

    Raises:
        CalibrationError: If times cannot tell anything here: one camera, unknown clocks, or a transit model that finds
            all times alike.
        ValueError: If the lengths differ.
    """
    rng = np.random.default_rng([seed, 0])
    corrected = transit.corrected(sightings)
    try:
        pairs = site_pairs(
            vectors,
            corrected,
            rng=rng,
            most_queries=_MOST_QUERIES,
            clock_uncertainty_s=_SLACK_S + transit.offsets.uncertainty_s(sightings.camera_ids),
            overlapping_views=overlapping_views,
        )
        fit = _Fit(pairs, _time_llr(transit, sightings, pairs))
        if len(vectors) <= _MOST_QUERIES:
            fit = _cross_fitted(fit, sightings, seed=seed, map_links=map_links)
        time_weight = max(_WEIGHTS, key=fit.held_out)
        curve = fit.curve(time_weight)
    except ValueError as error:
        raise CalibrationError(str(error)) from error
    return Calibration(
        curve=curve,
        time_weight=_SURE_TIME * time_weight,
        matches=_SURE_LOOKS * curve.prior * pairs.candidates,
        candidates=pairs.candidates,
        span_s=_span_s(sightings),
    )


def fit_calibration(
    *,
    positive_distances: NDArray[np.floating],
    positive_weights: NDArray[np.floating],
    negative_distances: NDArray[np.floating],
    negative_weights: NDArray[np.floating],
    time_weight: float = 1.0,
) -> Calibration:
    """Fit to pairs of different cameras that are known, each with a certain weight, to be one person or two.

    Args:
        positive_distances: Cosine distances of pairs that show one person. Shape ``(P,)``.
        positive_weights: How many pairs each stands for, at least 0. Shape ``(P,)``.
        negative_distances: Of pairs that show two. Shape ``(N,)``.
        negative_weights: As above. Shape ``(N,)``.
        time_weight: Taken over as it is.

    Raises:
        ValueError: If either kind is missing, or lengths differ.
    """
    if not (np.sum(positive_weights) > 0 and np.sum(negative_weights) > 0):
        raise ValueError("a calibration needs pairs of one person and pairs of two")
    distances = np.concatenate([positive_distances, negative_distances]).astype(np.float64)
    weights = np.concatenate([positive_weights, negative_weights]).astype(np.float64)
    is_same = np.concatenate([np.ones(len(positive_distances)), np.zeros(len(negative_distances))])
    yardstick = Yardstick.of(np.asarray(negative_distances, np.float64))
    curve = fit_curve(yardstick.standardise(distances), is_same, 1.0 - is_same, weights=weights, yardstick=yardstick)
    return Calibration(curve, time_weight, float(np.sum(positive_weights)), float(weights.sum()))


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """Pairs and what their times say, in nats. Shape ``(P,)``."""

    pairs: SitePairs
    time_llr: NDArray[np.float64]

    def ratios(self, time_weight: float) -> NDArray[np.float64]:
        """How much likelier each pair's times are for one person, scaled to a mean of 1 over (mostly) two people."""
        ratios = np.where(self.pairs.forbidden, 0.0, np.exp(time_weight * self.time_llr))
        return ratios / max(float(np.average(ratios, weights=self.pairs.weights)), 1e-9)

    def curve(self, time_weight: float, rows: NDArray[np.bool_] | None = None) -> VisualCurve:
        """The visual curve under a weight of time, from some of the pairs."""
        rows = np.ones(len(self.time_llr), np.bool_) if rows is None else rows
        ratios = self.ratios(time_weight)[rows]
        return fit_curve(
            self.pairs.standard[rows],
            ratios,
            np.ones_like(ratios),
            weights=self.pairs.weights[rows],
            yardstick=self.pairs.yardstick,
        )

    def visual_probability(self, curve: VisualCurve) -> NDArray[np.float64]:
        """From looks alone, in ``[0, 1]``. Shape ``(P,)``."""
        llr = np.interp(self.pairs.standard, curve.standard, curve.log_odds)
        probability: NDArray[np.float64] = expit(llr + curve.prior_log_odds)
        return probability

    def held_out(self, time_weight: float) -> float:
        """Log-likelihood of the times of pairs that the curve was not fitted to, under a weight of time."""
        ratios, folds = self.ratios(time_weight), self.pairs.folds(_FOLDS)
        if (ratios == 1.0).all():
            return 0.0  # no weight on time and nothing ruled out: as likely as anything
        total = 0.0
        for fold in range(_FOLDS):
            left_out = folds == fold
            p = self.visual_probability(self.curve(time_weight, ~left_out))[left_out]
            total += float((self.pairs.weights[left_out] * np.log1p(p * (ratios[left_out] - 1.0))).sum())
        return total


def _cross_fitted(fit: _Fit, sightings: Sightings, *, seed: int, map_links: Sequence[CameraLink]) -> _Fit:
    """The same pairs, the times of each judged by a transit model that was fitted to other folds."""
    pairs = fit.pairs
    mutual = mutual_pairs(pairs, sightings.cameras)
    if len(mutual) < _FEWEST_MUTUAL:
        return fit
    probability = fit.visual_probability(fit.curve(1.0))
    folds, time_llr = pairs.folds(_FOLDS), fit.time_llr.copy()
    for fold in range(_FOLDS):
        used = mutual[folds[mutual] != fold]
        matched = MatchedPairs(pairs.queries[used], pairs.answers[used], probability[used])
        model = fit_transit(sightings, matched, map_links=map_links, seed=seed)
        time_llr[folds == fold] = _time_llr(model, sightings, pairs)[folds == fold]
    return _Fit(pairs, time_llr)


def _time_llr(transit: TransitModel, sightings: Sightings, pairs: SitePairs) -> NDArray[np.float64]:
    return transit.pair_llr(sightings.take(pairs.queries), sightings.take(pairs.answers))


def _span_s(sightings: Sightings) -> float | None:
    known = sightings.clock_known()
    if not known.any():
        return None
    return float(sightings.ends_s[known].max() - sightings.starts_s[known].min())
