"""Learn a transit model from pairs that may show one person."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.spatio_temporal.clocks import ClockOffsets, estimate_offsets
from reid_core.spatio_temporal.link_pairs import LinkPairs, pairs_by_link
from reid_core.spatio_temporal.mixture import Mixture, PeakPrior, fit_mixture, same_person
from reid_core.spatio_temporal.paths import walking_seconds
from reid_core.spatio_temporal.physique import fit_physique
from reid_core.spatio_temporal.shifts import clock_shifts, shift_profile
from reid_core.spatio_temporal.sightings import MatchedPairs
from reid_core.spatio_temporal.transit_model import TransitModel
from reid_core.spatio_temporal.weights import recalibrate
from reid_core.spatio_temporal.zones import Zones, find_zones

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from reid_core.spatio_temporal.density import LinkDensity
    from reid_core.spatio_temporal.sightings import Sightings
    from reid_core.types import CameraLink

__all__ = ["MatchedPairs", "TransitModel", "cross_fitted_llr", "fit_transit"]

_MAP_SPREAD: Final = 0.7
_MAP_PAIRS: Final = 2.0
_MAP_LOG_SD: Final = 0.35
_UNKNOWN_LOG_SD: Final = 1.0
_WALK_S: Final = 12.0
_DIRECT_PAIRS: Final = 1.5
_SLOW_PAIRS: Final = 2.0
_ROUNDS: Final = 3
_WINDOW_SHARE: Final = 0.5
_EDGE_FROM: Final = 0.75
_MOST_PAIRS: Final = 120_000
_LARGEST_OFFSET_S: Final = 45.0  # of two clocks that are 20 s off each, and some more


def fit_transit(
    sightings: Sightings,
    pairs: MatchedPairs,
    *,
    map_links: Sequence[CameraLink] = (),
    seed: int = 0,
    largest_shift_s: float = _LARGEST_OFFSET_S,
) -> TransitModel:
    """Fit clocks, zones and both ways' densities of every pair of cameras.

    Args:
        sightings: Of the whole site; all of them make the background.
        pairs: That may show one person, with probabilities from looks alone. Most may be wrong.
        map_links: Walking paths, where a map is known.
        seed: Of what is drawn at random.
        largest_shift_s: Two clocks are not further apart than this.

    Returns:
        The model; links without any evidence are missing from it.

    Raises:
        ValueError: If a pair is out of range or of one camera.
    """
    _check(sightings, pairs)
    zones = _zones(sightings)
    every = pairs
    usable = sightings.clock_known()[pairs.rows_a] & sightings.clock_known()[pairs.rows_b]
    pairs = _thinned(pairs.take(usable), seed)
    windowed = _windowed(sightings, pairs)
    walks_s = walking_seconds(sightings.camera_ids, map_links)
    by_link = pairs_by_link(sightings, pairs, zones, windowed=windowed)
    offsets = _offsets(by_link, sightings.camera_ids, walks_s, largest_shift_s)
    right = TransitModel(MappingProxyType({}), offsets, MappingProxyType({})).corrected(sightings)
    by_link = pairs_by_link(right, pairs, zones, windowed=windowed)
    mixtures, by_link = _fit(by_link, pairs.weights, walks_s)
    links: dict[tuple[str, str], LinkDensity] = {}
    for (a, b), mixture in mixtures.items():
        ids = sightings.camera_ids[a], sightings.camera_ids[b]
        there, back = mixture.link(0, by_link[a, b]), mixture.link(1, by_link[a, b])
        beyond = _edge(there, back) if windowed else 1.0
        links[ids], links[ids[::-1]] = replace(there, beyond=beyond), replace(back, beyond=beyond)
    physique = fit_physique(sightings, every)
    return TransitModel(MappingProxyType(links), offsets, MappingProxyType(zones), physique=physique)


def cross_fitted_llr(
    sightings: Sightings,
    pairs: MatchedPairs,
    *,
    map_links: Sequence[CameraLink] = (),
    seed: int = 0,
    folds: int = 5,
) -> NDArray[np.float64]:
    """Evidence of each pair from a model that was fitted to other pairs.

    Args:
        sightings: As for `fit_transit`.
        pairs: As for `fit_transit`.
        map_links: As for `fit_transit`.
        seed: Chooses the folds.
        folds: How many models are fitted, at least 2.

    Returns:
        Nats. Shape ``(P,)``.

    Raises:
        ValueError: As `fit_transit`, or if there are fewer than two folds.
    """
    if folds < 2:
        raise ValueError(f"folds must be at least 2, got {folds}")
    fold = np.random.default_rng([seed, 17]).permutation(len(pairs)) % folds
    found = np.zeros(len(pairs))
    for number in range(min(folds, len(pairs))):
        model = fit_transit(sightings, pairs.take(fold != number), map_links=map_links, seed=seed)
        held = pairs.take(fold == number)
        found[fold == number] = model.pair_llr(sightings.take(held.rows_a), sightings.take(held.rows_b))
    return found


def _offsets(
    by_link: dict[tuple[int, int], LinkPairs],
    camera_ids: tuple[str, ...],
    walks_s: dict[tuple[int, int], float],
    largest_shift_s: float,
) -> ClockOffsets:
    profiles = {}
    for link, data in by_link.items():
        if len(data):
            walk_s, walk_sd = (walks_s[link], _MAP_LOG_SD) if link in walks_s else (_WALK_S, _UNKNOWN_LOG_SD)
            profiles[link] = shift_profile(data, walk_s=walk_s, walk_sd=walk_sd, largest_s=largest_shift_s)
    return estimate_offsets(camera_ids, clock_shifts(profiles, camera_ids, largest_s=largest_shift_s))


def _fit(
    by_link: dict[tuple[int, int], LinkPairs], weights: NDArray[np.float64], walks_s: dict[tuple[int, int], float]
) -> tuple[dict[tuple[int, int], Mixture], dict[tuple[int, int], LinkPairs]]:
    """All links; between rounds the weights are told what the gaps make of them."""
    mixtures: dict[tuple[int, int], Mixture] = {}
    recalibrated = weights
    for _ in range(_ROUNDS):
        by_link = {link: data.weighed(recalibrated) for link, data in by_link.items()}
        mixtures = {
            link: fit_mixture(data, priors=_priors(walks_s.get(link)))
            for link, data in by_link.items()
            if len(data) or link in walks_s
        }
        posterior = recalibrated.copy()
        for link, mixture in mixtures.items():
            posterior[by_link[link].rows] = same_person(mixture, by_link[link])
        recalibrated = recalibrate(weights, posterior)
    return mixtures, by_link


def _check(sightings: Sightings, pairs: MatchedPairs) -> None:
    if not len(pairs):
        return
    rows = np.concatenate([pairs.rows_a, pairs.rows_b])
    if rows.min() < 0 or rows.max() >= len(sightings):
        raise ValueError(f"pairs name rows {rows.min()} to {rows.max()} of {len(sightings)} sightings")
    if (sightings.cameras[pairs.rows_a] == sightings.cameras[pairs.rows_b]).any():
        raise ValueError("a pair of one camera is no transit")


def _thinned(pairs: MatchedPairs, seed: int) -> MatchedPairs:
    """At most so many pairs, drawn evenly: more of them only cost time."""
    if len(pairs) <= _MOST_PAIRS:
        return pairs
    return pairs.take(np.sort(np.random.default_rng([seed, 19]).permutation(len(pairs))[:_MOST_PAIRS]))


def _zones(sightings: Sightings) -> dict[str, Zones]:
    if sightings.entries is None or sightings.exits is None:
        return {}
    found = {}
    for camera, camera_id in enumerate(sightings.camera_ids):
        mine = sightings.cameras == camera
        found[camera_id] = find_zones(np.concatenate([sightings.entries[mine], sightings.exits[mine]]))
    return found


def _windowed(sightings: Sightings, pairs: MatchedPairs) -> bool:
    """Whether the pairs were looked for in a window of time only, much shorter than the log."""
    if not len(pairs):
        return False
    a, b = sightings.take(pairs.rows_a), sightings.take(pairs.rows_b)
    apart_s = float(np.maximum(b.starts_s - a.ends_s, a.starts_s - b.ends_s).max())
    return apart_s < _WINDOW_SHARE * float(np.nanmax(sightings.ends_s) - np.nanmin(sightings.starts_s))


def _edge(there: LinkDensity, back: LinkDensity) -> float:
    """What the longest gaps that were compared are worth, on the mean of both ways."""
    odds = []
    for link in (there, back):
        gaps_s = np.linspace(_EDGE_FROM, 1.0, 50) * link.background.reach_s
        odds.append(sum((peak.share * peak.likelier(gaps_s) for peak in link.peaks), np.zeros_like(gaps_s)))
    return max(1 - there.share - back.share, 0.0) + float(np.mean(odds))


def _priors(walk_s: float | None) -> list[PeakPrior]:
    """What is expected both ways: a direct walk and slower ways."""
    variance = float(np.log1p(_MAP_SPREAD**2))
    found = []
    for way in (0, 1):
        if walk_s is None:
            direct = PeakPrior(way, float(np.log(_WALK_S)), 0.4, 0.3, 2.0, _DIRECT_PAIRS, twin=2 - 2 * way)
        else:
            place = float(np.log(walk_s)) - variance / 2
            direct = PeakPrior(way, place, 0.4, _MAP_PAIRS, 2.0, _DIRECT_PAIRS, twin=2 - 2 * way)
        slow_s = 4.0 * (walk_s or _WALK_S)
        found += [direct, PeakPrior(way, float(np.log(slow_s)), 0.8, 1.0, 3.0, _SLOW_PAIRS, twin=3 - 2 * way)]
    return found
