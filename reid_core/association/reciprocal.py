"""Nearest-neighbour association across cameras: pairs of tracklets that are each other's best."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from reid_core.association.camera_block import best_of_block
from reid_core.association.known_links import NO_LINKS, KnownLinks, close_links
from reid_core.association.pair_costs import VisualCost, paired_distances
from reid_core.association.posterior import pair_posteriors, share_seen_again
from reid_core.association.refinement import lowest_cluster
from reid_core.spatio_temporal.sightings import MatchedPairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from reid_core.association.camera_block import BlockBests
    from reid_core.association.pair_costs import PairCost
    from reid_core.spatio_temporal.sightings import Sightings

__all__ = ["AssociatedPairs", "associate", "mutual_nearest"]

_CHUNK = 1024


@dataclass(frozen=True, slots=True, eq=False)
class AssociatedPairs:
    """Tracklets of different cameras that are held to be one person, by camera pair and then by row.

    Attributes:
        rows_a: Rows of the camera that comes first. Shape ``(P,)``.
        rows_b: Rows of the other. Shape ``(P,)``.
        distances: Visual distances, small is alike. Shape ``(P,)``.
        weights: Posterior probability in ``[0, 1]``; 1 throughout for forms without one, and for must-links.
            Shape ``(P,)``.
    """

    rows_a: NDArray[np.int64]
    rows_b: NDArray[np.int64]
    distances: NDArray[np.float64]
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rows_a)

    def take(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> AssociatedPairs:
        """Some of the pairs, by mask or by number."""
        return AssociatedPairs(self.rows_a[which], self.rows_b[which], self.distances[which], self.weights[which])

    def matched(self) -> MatchedPairs:
        """As evidence that a transit model is fitted to."""
        return MatchedPairs(self.rows_a, self.rows_b, self.weights)

    @staticmethod
    def join(parts: Sequence[AssociatedPairs]) -> AssociatedPairs:
        """All pairs of several sets, in their order."""
        none = np.zeros(0, np.int64)
        every = [AssociatedPairs(none, none, np.zeros(0), np.zeros(0)), *parts]
        return AssociatedPairs(
            np.concatenate([one.rows_a for one in every]),
            np.concatenate([one.rows_b for one in every]),
            np.concatenate([one.distances for one in every]),
            np.concatenate([one.weights for one in every]),
        )


def mutual_nearest(costs: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns that are each other's least. Of equal costs the first counts; infinite ones never.

    Args:
        costs: Shape ``(N, M)``; either side may be empty.

    Returns:
        Rows, rising, and their columns. Shapes ``(P,)``.

    Raises:
        ValueError: If a cost is not a number.

    Example:
        >>> rows, columns = mutual_nearest(np.array([[0.3, 0.1], [0.2, 0.15], [0.9, 0.8]]))
        >>> rows.tolist(), columns.tolist()  # row 1 would rather have column 1, which prefers row 0
        ([0], [1])

    Source:
        Xie et al. (TASTR), section IV-C: 1-reciprocal nearest neighbours.
    """
    if np.isnan(costs).any():
        raise ValueError("a cost is not a number")
    if not costs.size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    best_column, best_row = costs.argmin(1), costs.argmin(0)
    rows = np.arange(len(costs))
    mutual = (best_row[best_column] == rows) & np.isfinite(costs[rows, best_column])
    return rows[mutual], best_column[mutual].astype(np.int64)


def associate(
    vectors: NDArray[np.floating],
    sightings: Sightings,
    *,
    cost: PairCost | None = None,
    kmeans: int | None = None,
    min_weight: float = 0.0,
    must_link: NDArray[np.int64] = NO_LINKS,
    cannot_link: NDArray[np.int64] = NO_LINKS,
    chunk: int = _CHUNK,
) -> AssociatedPairs:
    """NN-CCTA: for each pair of cameras, the tracklets that are each other's nearest, then the closest of these.

    The paper's form is ``cost=JointCost(...), kmeans=3`` on vectors as the network gives them; the robust form is
    ``cost=FusedCost(...)`` with ``min_weight``. Per-camera identities go into ``must_link`` as pairs of one camera:
    their tracklets then count as one when it is asked who prefers whom.

    Args:
        vectors: One for each tracklet. Shape ``(N, d)``.
        sightings: Where and when they were; ``N`` rows.
        cost: What speaks against a pair; default: cosine distance alone.
        kmeans: Keep the lowest of that many clusters of visual distances, camera pair by camera pair; ``None`` or 1
            keeps all.
        min_weight: Drop pairs whose posterior is lower, in ``[0, 1]``.
        must_link: Rows of pairs that are one person. They are always returned where their cameras differ, and their
            tracklets are matched to nobody else of those cameras. Shape ``(A, 2)``.
        cannot_link: Rows of pairs that are not one person. Shape ``(B, 2)``.
        chunk: Rows that are compared with another camera's tracklets at a time: memory is ``chunk`` times the tracklets
            of the largest camera, never N times N.

    Returns:
        Each pair once.

    Raises:
        ValueError: If lengths do not fit, a vector is not finite, a cost is not a number, or links contradict.

    Source:
        Xie et al. (TASTR), section IV-C.
    """
    if len(vectors) != len(sightings.cameras):
        raise ValueError(f"{len(vectors)} vectors and {len(sightings.cameras)} sightings do not fit")
    if not np.isfinite(vectors).all():
        raise ValueError("a vector is not finite")
    known = close_links(len(vectors), must_link, cannot_link)
    finder = _Finder(vectors, sightings, VisualCost() if cost is None else cost, known, chunk)
    parts = []
    for one, other in combinations(np.unique(sightings.cameras).tolist(), 2):
        found = finder.between(one, other)
        if kmeans is not None and len(found):
            found = found.take(lowest_cluster(found.distances, kmeans))
        found = found.take(found.weights >= min_weight)
        parts += [found, finder.linked(one, other)]
    return AssociatedPairs.join(parts)


@dataclass(frozen=True, slots=True, eq=False)
class _Finder:
    """One association's inputs."""

    vectors: NDArray[np.floating]
    sightings: Sightings
    cost: PairCost
    known: KnownLinks
    chunk: int

    def between(self, one: int, other: int) -> AssociatedPairs:
        """Mutual nearest of two cameras, must-linked tracklets left out."""
        rows_a, rows_b = (np.flatnonzero(self.sightings.cameras == camera) for camera in (one, other))
        linked = self.known.must[self._crosses(self.known.must, one, other)]
        rows_a, rows_b = rows_a[~np.isin(rows_a, linked)], rows_b[~np.isin(rows_b, linked)]
        if not len(rows_a) or not len(rows_b):
            return AssociatedPairs.join([])
        bests = best_of_block(
            self.vectors, self.sightings, rows_a, rows_b, cost=self.cost, cannot=self.known.cannot, chunk=self.chunk
        )
        at_a, at_b = bests.mutual(self.known.groups[rows_a], self.known.groups[rows_b])
        pairs_a, pairs_b = rows_a[at_a], rows_b[at_b]
        weights = self._weights(bests, at_a, at_b) if self.cost.is_log_odds else np.ones(len(at_a))
        return AssociatedPairs(pairs_a, pairs_b, self._distances(pairs_a, pairs_b), weights)

    def linked(self, one: int, other: int) -> AssociatedPairs:
        """Must-links between two cameras."""
        links = self.known.must[self._crosses(self.known.must, one, other)]
        turned = self.sightings.cameras[links[:, 0]] != one
        links = np.where(turned[:, None], links[:, ::-1], links)
        distances = self._distances(links[:, 0], links[:, 1])
        return AssociatedPairs(links[:, 0], links[:, 1], distances, np.ones(len(links)))

    def _crosses(self, links: NDArray[np.int64], one: int, other: int) -> NDArray[np.bool_]:
        cameras = np.sort(self.sightings.cameras[links], axis=1)
        crosses: NDArray[np.bool_] = (cameras == np.sort([one, other])).all(1)
        return crosses

    def _distances(self, rows_a: NDArray[np.int64], rows_b: NDArray[np.int64]) -> NDArray[np.float64]:
        return paired_distances(self.vectors[rows_a], self.vectors[rows_b], metric=self.cost.metric)

    @staticmethod
    def _weights(bests: BlockBests, at_a: NDArray[np.int64], at_b: NDArray[np.int64]) -> NDArray[np.float64]:
        shape = (len(bests.row_evidence), len(bests.column_evidence))
        return pair_posteriors(
            bests.llr_between(at_a, at_b),
            bests.row_evidence[at_a],
            bests.column_evidence[at_b],
            shape=shape,
            shares=(share_seen_again(bests.row_evidence, shape[1]), share_seen_again(bests.column_evidence, shape[0])),
        )
