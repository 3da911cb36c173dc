"""How far a model's associations agree with themselves and with time: figures that need no label.

All are tallies over the same tracklets, so that two models are compared by `reid_core.metrics.tallies.compare_tallies`:

- `cycle_consistency`: of three cameras, whom A pairs with B and B with C, does A pair with C too?
- `halves_agreement`: do the odd crops of all tracklets lead to the same pairs as the even ones?
- `time_agreement`: which share of the pairs made by looks alone do people's walks explain rather than chance?
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.special import expit

from reid_core.association.camera_shift import without_camera_shift
from reid_core.association.reciprocal import associate
from reid_core.metrics.tallies import Tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.association.reciprocal import AssociatedPairs
    from reid_core.learning.crop_vectors import CropVectors
    from reid_core.spatio_temporal.sightings import Sightings

__all__ = ["cycle_consistency", "halves_agreement", "time_agreement"]

_ROUNDS = 200
_SETTLED = 1e-6


def cycle_consistency(pairs: AssociatedPairs, cameras: NDArray[np.int64]) -> Tally:
    """Of chains of two pairs over three cameras, those that the third pair closes.

    A chain is counted for its middle tracklet. Pieces of a broken track keep honest chains open, in every model alike.

    Args:
        pairs: Mutual nearest pairs, as `associate` gives them.
        cameras: Who saw each tracklet, as numbers. Shape ``(N,)``.

    Returns:
        Without a trial where a tracklet is paired with fewer than two other cameras.

    Example:
        >>> from reid_core.association.reciprocal import AssociatedPairs
        >>> chain = AssociatedPairs(np.array([0, 1, 0]), np.array([1, 2, 2]), np.zeros(3), np.ones(3))
        >>> cycle_consistency(chain, np.array([0, 1, 2])).hits.tolist()
        [1.0, 1.0, 1.0]
    """
    count = len(cameras)
    rows, columns = np.concatenate([pairs.rows_a, pairs.rows_b]), np.concatenate([pairs.rows_b, pairs.rows_a])
    links = coo_array((np.ones(len(rows)), (rows, columns)), shape=(count, count)).tocsr()
    hits, trials = np.zeros(count), np.zeros(count)
    for middle in np.unique(rows).tolist():
        ends = links.indices[links.indptr[middle] : links.indptr[middle + 1]]
        apart = cameras[ends][:, None] != cameras[ends]
        closed = links[ends][:, ends].toarray() > 0
        trials[middle], hits[middle] = apart.sum() / 2, (apart & closed).sum() / 2
    return Tally(hits, trials)


def halves_agreement(crops: CropVectors, sightings: Sightings) -> Tally:
    """Associate twice, by every other crop, and count the pairs that come out both times among all that came out.

    Args:
        crops: One model's vectors.
        sightings: Where and when the same tracklets were.

    Returns:
        Each pair counts half for either of its tracklets. Tracklets with a single crop take no part.
    """
    turn = np.arange(len(crops.vectors)) - np.repeat(crops.first_crop[:-1], np.diff(crops.first_crop))
    whole = np.flatnonzero(np.diff(crops.first_crop) > 1)
    found = [_pairs_of(crops.means(turn % 2 == side), sightings, whole) for side in (0, 1)]
    hits, trials = np.zeros(len(crops)), np.zeros(len(crops))
    _count(trials, found[0] | found[1])
    _count(hits, found[0] & found[1])
    return Tally(hits, trials)


def time_agreement(pairs: AssociatedPairs, time_llr: NDArray[np.float64], *, count: int) -> Tally:
    """The share of pairs that the transit model attributes to walking: an estimate of precision without a label.

    Pairs must come from looks alone, else time confirms itself. A pair's likelihood ratio says how much better a walk
    explains its gap than chance does; the share that explains all gaps together best is found by expectation
    maximisation. Compare two models with the same transit model.

    Args:
        pairs: Mutual nearest pairs by looks alone.
        time_llr: Each pair's transit log-likelihood ratio in nats. Shape ``(P,)``.
        count: How many tracklets there are, ``N``.

    Returns:
        Each pair counts half for either of its tracklets, its hit being its posterior.

    Raises:
        ValueError: If there are not as many ratios as pairs, or one is not finite.
    """
    if time_llr.shape != (len(pairs),) or not np.isfinite(time_llr).all():
        raise ValueError(f"{len(pairs)} pairs need as many finite ratios, got shape {time_llr.shape}")
    posterior = _posteriors(time_llr)
    hits, trials = np.zeros(count), np.zeros(count)
    for rows in (pairs.rows_a, pairs.rows_b):
        np.add.at(hits, rows, posterior / 2)
        np.add.at(trials, rows, 0.5)
    return Tally(hits, trials)


def _posteriors(llr: NDArray[np.float64]) -> NDArray[np.float64]:
    """Posterior of each ratio under the share that fits them best. Shapes ``(P,)`` to ``(P,)``."""
    share = 0.5
    posterior: NDArray[np.float64] = expit(llr)
    for _ in range(_ROUNDS if len(llr) else 0):
        renewed = float(np.clip(posterior.mean(), 1e-6, 1 - 1e-6))
        posterior = expit(llr + np.log(renewed) - np.log1p(-renewed))
        if abs(renewed - share) < _SETTLED:
            break
        share = renewed
    return posterior


def _pairs_of(vectors: NDArray[np.float64], sightings: Sightings, rows: NDArray[np.int64]) -> set[tuple[int, int]]:
    seen = sightings.take(rows)
    found = associate(without_camera_shift(vectors[rows], seen.cameras), seen)
    return set(zip(rows[found.rows_a].tolist(), rows[found.rows_b].tolist(), strict=True))


def _count(counts: NDArray[np.float64], pairs: set[tuple[int, int]]) -> None:
    ends = np.array(sorted(pairs), np.int64).reshape(-1, 2)
    np.add.at(counts, ends.ravel(), 0.5)
