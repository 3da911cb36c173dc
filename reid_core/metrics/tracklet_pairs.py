"""How well tracklets were put together: precision and recall over pairs of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["NOBODY", "PairCounts", "count_pairs"]

NOBODY = 0


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Pairs of tracklets.

    Attributes:
        true: That show one person.
        joined: That the result gives one identity.
        right: Both.
    """

    true: int
    joined: int
    right: int

    @property
    def precision(self) -> float:
        """Share of the joined pairs that show one person, in ``[0, 1]``; 0 without any."""
        return self.right / max(1, self.joined)

    @property
    def recall(self) -> float:
        """Share of the true pairs that are joined, in ``[0, 1]``; 0 without any."""
        return self.right / max(1, self.true)

    @property
    def f1(self) -> float:
        """Harmonic mean of the two, in ``[0, 1]``."""
        return 2 * self.right / max(1, self.true + self.joined)


def count_pairs(
    person_ids: NDArray[np.int64],
    identities: NDArray[np.int64],
    *,
    camera_ids: Sequence[str] | NDArray[np.str_] | None = None,
) -> PairCounts:
    """Compare two groupings of tracklets pair by pair.

    Args:
        person_ids: Whom each tracklet shows; ``NOBODY`` for a distractor, which is never one person with another.
            Shape ``(N,)``.
        identities: The result's identity of each tracklet. Shape ``(N,)``.
        camera_ids: Who saw it; where given, only pairs of different cameras count. ``N`` of them.

    Raises:
        ValueError: If the lengths differ.

    Example:
        >>> count_pairs(np.array([7, 7, 7, 8]), np.array([1, 1, 2, 2]))  # joined: one right pair and one wrong
        PairCounts(true=3, joined=2, right=1)
    """
    if person_ids.shape != identities.shape or (camera_ids is not None and len(camera_ids) != len(person_ids)):
        seen_by = "" if camera_ids is None else f" and {len(camera_ids)} cameras"
        raise ValueError(f"{person_ids.shape} people, {identities.shape} identities{seen_by} do not fit")
    cameras = None if camera_ids is None else np.unique(np.asarray(camera_ids, np.str_), return_inverse=True)[1]
    somebody = person_ids != NOBODY
    known = None if cameras is None else cameras[somebody]
    return PairCounts(
        true=_pairs(person_ids[somebody], cameras=known),
        joined=_pairs(identities, cameras=cameras),
        right=_pairs(person_ids[somebody], identities[somebody], cameras=known),
    )


def _pairs(*labels: NDArray[np.int64], cameras: NDArray[np.intp] | None) -> int:
    """Pairs that agree in every label, without those of one camera."""
    alike = _pairs_alike(labels)
    return alike if cameras is None else alike - _pairs_alike((*labels, cameras))


def _pairs_alike(labels: tuple[NDArray[np.int64] | NDArray[np.intp], ...]) -> int:
    _, counts = np.unique(np.stack(labels), axis=1, return_counts=True)
    return int((counts * (counts - 1) // 2).sum())
