"""A tracklet cut in two: is its end found again by its beginning, among its camera's others? No label is needed.

Each tracklet is cut in two around its middle third. Crops of the first part look for crops of the last part among the
last parts of all tracklets of the same camera, and the other way round. A model that recognises people ranks a
tracklet's own other part first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.metrics.tallies import Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from reid_core.learning.crop_vectors import CropVectors

__all__ = ["Rematch", "cut_around_middle_third", "rematch"]

_CHUNK = 1024
_ALIKE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Rematch:
    """What the self-check found.

    Attributes:
        tally: Rank-1 hits over trials, tracklet by tracklet: two trials each, 0 where a tracklet is too short to cut or
            alone in its camera.
        reciprocal_ranks: The same with one over the rank for a hit, which still tells models apart when nearly all are
            found first.
        cameras: Who saw each tracklet, as numbers. Shape ``(N,)``.
    """

    tally: Tally
    reciprocal_ranks: Tally
    cameras: NDArray[np.int64]

    @property
    def rank1(self) -> float | None:
        """Share of parts whose other part comes first, in ``[0, 1]``; ``None`` if no tracklet could be cut."""
        return self.tally.share

    def by_camera(self) -> dict[int, float | None]:
        """Rank-1 camera by camera, as Fig. 6 of the paper has it."""
        return {
            int(camera): self.tally.take(self.cameras == camera).share for camera in np.unique(self.cameras).tolist()
        }

    def as_dict(self, *, seed: int, camera_ids: Sequence[str]) -> dict[str, object]:
        """For JSON: rank-1 with its interval and camera by camera, mean reciprocal rank, tracklets counted."""
        return {
            "rank1": self.tally.interval(seed=seed).as_dict(),
            "mean_reciprocal_rank": self.reciprocal_ranks.interval(seed=seed).as_dict(),
            "cameras": {camera_ids[camera]: share for camera, share in self.by_camera().items()},
            "tracklets": int((self.tally.trials > 0).sum()),
            "skipped": int((self.tally.trials == 0).sum()),
        }


def cut_around_middle_third(
    times_s: NDArray[np.float64], first_crop: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which crops lie in the first third of their tracklet's time, and which in the last.

    A tracklet whose crops leave either third empty, or all lie at one time, is in neither.

    Args:
        times_s: Rising within each tracklet. Shape ``(K,)``.
        first_crop: Where each tracklet's crops begin, and at last ``K``. Shape ``(N + 1,)``.

    Returns:
        First parts and last parts. Shapes ``(K,)``.

    Example:
        >>> first, last = cut_around_middle_third(np.array([0.0, 1.0, 2.0, 3.0, 9.0, 5.0]), np.array([0, 5, 6]))
        >>> first.tolist(), last.tolist()
        ([True, True, True, True, False, False], [False, False, False, False, True, False])

    Source:
        Xie et al. (TASTR), section V-C2.
    """
    owners = np.repeat(np.arange(len(first_crop) - 1), np.diff(first_crop))
    counted = np.flatnonzero(np.diff(first_crop) > 0)
    starts, ends = np.zeros(len(first_crop) - 1), np.zeros(len(first_crop) - 1)
    starts[counted], ends[counted] = times_s[first_crop[counted]], times_s[first_crop[counted + 1] - 1]
    spans = (ends - starts)[owners]
    places = np.divide(times_s - starts[owners], spans, out=np.full(len(times_s), 0.5), where=spans > 0)
    return places <= 1 / 3, places >= 2 / 3


def rematch(crops: CropVectors) -> Rematch:
    """Cut every tracklet and see whether its parts find each other within their camera.

    Parts are compared by the cosine of their mean vectors. Whoever is as near as the right one counts as before it, so
    a model that gives everybody the same vector finds nobody.

    Args:
        crops: One model's vectors of the tracklets to judge; labels are not needed.

    Source:
        Xie et al. (TASTR), section V-C2 and Fig. 6.
    """
    first, last = cut_around_middle_third(crops.times_s, crops.first_crop)
    beginnings, endings = crops.means(first), crops.means(last)
    can_be_cut = _owners_of(crops, first) & _owners_of(crops, last)
    hits, reciprocal, trials = (np.zeros(len(crops)) for _ in range(3))
    for camera in np.unique(crops.cameras):
        rows = np.flatnonzero((crops.cameras == camera) & can_be_cut)
        if len(rows) < 2:
            continue
        ranks = np.stack([_own_ranks(beginnings[rows], endings[rows]), _own_ranks(endings[rows], beginnings[rows])])
        hits[rows], reciprocal[rows], trials[rows] = (ranks == 1).sum(0), (1 / ranks).sum(0), 2
    return Rematch(Tally(hits, trials), Tally(reciprocal, trials), crops.cameras)


def _owners_of(crops: CropVectors, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which tracklets have a chosen crop. Shape ``(N,)``."""
    counts: NDArray[np.bool_] = np.bincount(crops.owners[chosen], minlength=len(crops)) > 0
    return counts


def _own_ranks(queries: NDArray[np.float64], gallery: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rank of each query's own row in the gallery, from 1. Shapes ``(n, d)`` to ``(n,)``."""
    ranks = np.empty(len(queries), np.int64)
    for start in range(0, len(queries), _CHUNK):
        cosines = queries[start : start + _CHUNK] @ gallery.T
        rows = np.arange(len(cosines))
        own = cosines[rows, start + rows]
        ranks[start : start + _CHUNK] = (cosines >= own[:, None] - _ALIKE).sum(1)
    return ranks
