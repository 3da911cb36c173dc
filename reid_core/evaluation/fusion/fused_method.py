"""Our fusion as a method of the harness: clocks and transit learned from the training part, graph over the gallery."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.evaluation.fusion.recordings import recording_shifts
from reid_core.graph.fused_rules import FusedRules
from reid_core.graph.pooling import pool_tracklets
from reid_core.graph.rerank import rerank
from reid_core.spatio_temporal.candidates import visual_candidates
from reid_core.spatio_temporal.sightings import Sightings
from reid_core.spatio_temporal.transit import fit_transit

if TYPE_CHECKING:
    from reid_core.evaluation.fusion.case import FusionCase, Rows
    from reid_core.evaluation.fusion.lists import TimedImages
    from reid_core.spatio_temporal.transit_model import TransitModel

__all__ = ["FPS", "LearnedTimes", "fused_rows", "gfusion_default_rows", "learned_times"]

FPS: Final = 25.0
_CLOCKS_DIFFER_S: Final = 5.0  # once recordings are set right


@dataclass(frozen=True, slots=True, eq=False)
class LearnedTimes:
    """What the training part tells of times: a transit model, and all images by the clocks it was fitted to."""

    transit: TransitModel
    query: Sightings
    gallery: Sightings
    train: Sightings


def gfusion_default_rows(case: FusionCase) -> Rows:
    """The default: soft edges of looks and learned transit, pooled tracklets, both heard from neighbours."""
    return fused_rows(case)


def fused_rows(case: FusionCase, rules: FusedRules | None = None, *, repaired: bool = True) -> Rows:
    """The default with other rules.

    Args:
        case: Times and looks.
        rules: How looks and time are fused; default: the frozen ones.
        repaired: Whether clocks are set right recording by recording.
    """
    times = learned_times(case, repaired=repaired)
    looks = case.features
    return rerank(looks.query, looks.gallery, times.query, times.gallery, times.transit, rules=rules)


@lru_cache(maxsize=4)
def learned_times(case: FusionCase, *, repaired: bool = True) -> LearnedTimes:
    """Fit clocks and transit to the training part, without a label; the last four cases' are kept.

    Args:
        case: Times and looks; only cameras, recordings, times and looks of its training part are learned from.
        repaired: Whether clocks are set right recording by recording.
    """
    parts = case.lists.train, case.lists.query, case.lists.gallery
    seen = _sightings(*parts)
    rules = FusedRules()
    pooled = pool_tracklets(case.features.train, seen[0], within_s=rules.pool_s, least_cosine=rules.least_pooled)
    train, pairs = pooled.sightings, visual_candidates(pooled.vectors, pooled.sightings)
    recordings = [_recordings(part) for part in parts]
    if repaired:
        cut = np.zeros(len(train), np.int64)
        cut[pooled.numbers] = recordings[0]
        shifts_s = recording_shifts(train, cut, pairs)
        train = _set_right(train, cut, shifts_s)
        seen = [_set_right(some, numbers, shifts_s) for some, numbers in zip(seen, recordings, strict=True)]
    transit = fit_transit(train, pairs, largest_shift_s=_CLOCKS_DIFFER_S)
    return LearnedTimes(transit, seen[1], seen[2], seen[0])


def _recordings(part: TimedImages) -> np.ndarray:
    return np.ones(len(part), np.int64) if part.recordings is None else part.recordings


def _set_right(seen: Sightings, recordings: np.ndarray, shifts_s: dict[tuple[int, int], float]) -> Sightings:
    """Times with each recording's shift taken off; recordings that nothing was learned of stay as they are."""
    keys = zip(seen.cameras.tolist(), recordings.tolist(), strict=True)
    ahead_s = np.array([shifts_s.get(key, 0.0) for key in keys], np.float64)
    return Sightings(seen.camera_ids, seen.cameras, seen.starts_s - ahead_s, seen.ends_s - ahead_s)


def _sightings(*parts: TimedImages) -> list[Sightings]:
    cameras = np.unique(np.concatenate([part.camera_ids for part in parts]))
    names = tuple(str(camera) for camera in cameras.tolist())
    return [Sightings(names, np.searchsorted(cameras, part.camera_ids), *[part.frames / FPS] * 2) for part in parts]
