"""Which tracklets go into a batch together, for losses that know whom to spare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.errors import TooLittleToLearnError
from reid_core.learning.batches import Batch, batch_of, draw_tracklet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.learning.relations import Relations

__all__ = ["FreeSampler", "NeighbourSampler"]


@dataclass(frozen=True, slots=True, eq=False)
class FreeSampler:
    """Any tracklets, or any of one camera: for losses that know whom to spare, and for the ablation without TSCCC.

    Attributes:
        first_crop: As in `TrackletSet`. Shape ``(N + 1,)``.
        cameras: Keep a batch to one of these, drawn by its number of tracklets; ``None``: mix all. Shape ``(N,)``.
        crops: Pictures of a tracklet, K.
        crops_at_most: Of a tracklet.

    Raises:
        TooLittleToLearnError: If there are no two tracklets to tell apart.
    """

    first_crop: NDArray[np.int64]
    cameras: NDArray[np.int64] | None = None
    crops: int = 4
    crops_at_most: int = 60

    def __post_init__(self) -> None:
        """See to it that there is something to draw."""
        if max((len(rows) for rows in self._groups()), default=0) < 2:
            raise TooLittleToLearnError(f"there are no two tracklets to tell apart ({len(self.first_crop) - 1} in all)")

    def draw(self, rng: np.random.Generator, tracklets: int) -> Batch:
        """A batch of at most that many tracklets, each a class of its own."""
        groups = [rows for rows in self._groups() if len(rows) > 1]
        counts = np.array([len(rows) for rows in groups])
        rows = rng.permutation(groups[rng.choice(len(groups), p=counts / counts.sum())])[:tracklets].tolist()
        return batch_of(
            rows,
            rows,
            [draw_tracklet(self.first_crop, row, self.crops, rng, at_most=self.crops_at_most) for row in rows],
        )

    def _groups(self) -> list[NDArray[np.int64]]:
        every = np.arange(len(self.first_crop) - 1)
        if self.cameras is None:
            return [every]
        return [np.flatnonzero(self.cameras == camera) for camera in np.unique(self.cameras)]


@dataclass(frozen=True, slots=True, eq=False)
class NeighbourSampler:
    """Tracklets of all cameras, each beside one of its associates where it has any.

    Attributes:
        relations: Who is associated with whom.
        first_crop: As in `TrackletSet`. Shape ``(N + 1,)``.
        crops: Pictures of a tracklet, K.
        crops_at_most: Of a tracklet.

    Raises:
        TooLittleToLearnError: If there are no two tracklets.
    """

    relations: Relations
    first_crop: NDArray[np.int64]
    crops: int = 4
    crops_at_most: int = 60

    def __post_init__(self) -> None:
        """See to it that there is something to draw."""
        if len(self.relations) < 2:
            raise TooLittleToLearnError(f"there are no two tracklets to tell apart ({len(self.relations)} in all)")

    def draw(self, rng: np.random.Generator, tracklets: int) -> Batch:
        """A batch of at most that many tracklets."""
        rows: list[int] = []
        for row in rng.permutation(len(self.relations)).tolist():
            if len(rows) >= tracklets:
                break
            if row not in rows:
                rows.append(row)
                rows += [other for other in self._one_partner(row, rng) if other not in rows]
        rows = rows[:tracklets]
        return batch_of(
            rows,
            rows,
            [draw_tracklet(self.first_crop, row, self.crops, rng, at_most=self.crops_at_most) for row in rows],
        )

    def _one_partner(self, row: int, rng: np.random.Generator) -> list[int]:
        partners, weights = self.relations.partners(row)
        return [int(rng.choice(partners, p=weights / weights.sum()))] if len(partners) else []
