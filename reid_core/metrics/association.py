"""How good associated pairs of tracklets are: precision and recall over pairs of different cameras."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.metrics.tracklet_pairs import NOBODY, PairCounts, count_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["AssociationScores", "score_association"]


@dataclass(frozen=True, slots=True)
class AssociationScores:
    """Associated pairs against the truth.

    Attributes:
        pairs: Counts over pairs of tracklets of different cameras.
        true_links: How often a person was seen by two cameras: one for each person and pair of cameras.
        right_links: For how many of these at least one right pair was found.
    """

    pairs: PairCounts
    true_links: int
    right_links: int

    @property
    def link_recall(self) -> float:
        """Share of the links that were found, in ``[0, 1]``; 0 without any.

        Where each camera has one tracklet of each person, as in the paper's data, this is the recall over pairs. A
        broken track lowers only the latter: mutual neighbours pair one of its pieces.
        """
        return self.right_links / max(1, self.true_links)

    def as_dict(self) -> dict[str, float | int]:
        """Shares in ``[0, 1]``, and the count of pairs."""
        pairs = self.pairs
        shares = {"precision": pairs.precision, "recall": pairs.recall, "link_recall": self.link_recall}
        return {**shares, "pairs": pairs.joined}


def score_association(
    rows_a: NDArray[np.int64],
    rows_b: NDArray[np.int64],
    *,
    person_ids: NDArray[np.int64],
    cameras: NDArray[np.int64],
) -> AssociationScores:
    """Compare associated pairs with who is who.

    Args:
        rows_a: Rows of one side of each pair. Shape ``(P,)``.
        rows_b: Rows of the other side, of another camera each. Shape ``(P,)``.
        person_ids: Whom each tracklet shows; ``NOBODY`` for a distractor, with whom no pair is right. Shape ``(N,)``.
        cameras: Who saw it, as numbers. Shape ``(N,)``.

    Raises:
        ValueError: If lengths differ, a pair occurs twice, or both its sides are of one camera.

    Example:
        >>> scores = score_association(  # one right, one wrong; 7 was seen by three cameras
        ...     np.array([0, 1]), np.array([1, 3]), person_ids=np.array([7, 7, 7, 8]), cameras=np.array([0, 1, 2, 2])
        ... )
        >>> scores.pairs, scores.true_links, scores.right_links
        (PairCounts(true=3, joined=2, right=1), 3, 1)
    """
    if len(rows_a) != len(rows_b) or len(person_ids) != len(cameras):
        raise ValueError(f"{len(rows_a)} and {len(rows_b)} rows, {len(person_ids)} people, {len(cameras)} cameras")
    pairs = np.sort(np.stack([rows_a, rows_b], axis=1), axis=1)
    if len(np.unique(pairs, axis=0)) != len(pairs):
        raise ValueError("a pair occurs twice")
    if (cameras[rows_a] == cameras[rows_b]).any():
        raise ValueError("a pair is of one camera")
    right = (person_ids[rows_a] == person_ids[rows_b]) & (person_ids[rows_a] != NOBODY)
    true = count_pairs(person_ids, person_ids, camera_ids=cameras.astype(str)).true
    links = np.sort(cameras[pairs[right]], axis=1)
    found = np.unique(np.column_stack([person_ids[pairs[right, 0]], links]), axis=0)
    return AssociationScores(
        PairCounts(true, len(pairs), int(right.sum())), _true_links(person_ids, cameras), len(found)
    )


def _true_links(person_ids: NDArray[np.int64], cameras: NDArray[np.int64]) -> int:
    known = person_ids != NOBODY
    seen = np.unique(np.stack([person_ids[known], cameras[known]]), axis=1)[0]
    _, counts = np.unique(seen, return_counts=True)
    return int((counts * (counts - 1) // 2).sum())
