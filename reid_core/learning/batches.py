"""What one training step sees: some tracklets, some pictures of each, and which of them are one class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Batch", "batch_of", "draw_crops", "draw_tracklet", "joined_labels"]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Pictures of a training step.

    Attributes:
        crops: Numbers of the pictures. Shape ``(B,)``, int64.
        rows: The tracklet of each. Shape ``(B,)``, int64.
        labels: Equal for pictures of one class of this batch. Shape ``(B,)``, int64.
    """

    crops: NDArray[np.int64]
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.crops)


def batch_of(rows: Sequence[int], labels: Sequence[int], crops: Sequence[NDArray[np.int64]]) -> Batch:
    """Join what was drawn of each tracklet; a tracklet's pictures stand together.

    Args:
        rows: Tracklets, n of them.
        labels: Their classes. n of them.
        crops: Their pictures. n arrays.
    """
    counts = [len(drawn) for drawn in crops]
    return Batch(
        np.concatenate([*crops, np.zeros(0, np.int64)]).astype(np.int64),
        np.repeat(np.asarray(rows, np.int64), counts),
        np.repeat(np.asarray(labels, np.int64), counts),
    )


def joined_labels(batch: Batch, groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Classes that hold tracklets of one group become one: what is known to be one person never pushes itself away.

    Args:
        batch: As a sampler drew it.
        groups: The group of each tracklet of the set, as `KnownLinks` has it. Shape ``(N,)``.

    Returns:
        Equal for pictures of one class. Shape ``(B,)``, int64.

    Example:
        >>> batch = batch_of([0, 1, 2], [0, 1, 2], [np.array([0]), np.array([1]), np.array([2])])
        >>> joined_labels(batch, np.array([4, 5, 4])).tolist()
        [0, 1, 0]
    """
    if not len(batch):
        return batch.labels
    labels, label_of = np.unique(batch.labels, return_inverse=True)
    persons, person_of = np.unique(groups[batch.rows], return_inverse=True)
    size = len(labels) + len(persons)
    joins = coo_array((np.ones(len(batch)), (label_of, len(labels) + person_of)), shape=(size, size))
    classes: NDArray[np.int64] = connected_components(joins, directed=False)[1].astype(np.int64)
    return classes[label_of]


def draw_crops(first: int, stop: int, count: int, rng: np.random.Generator, *, at_most: int = 60) -> NDArray[np.int64]:
    """Draw ``count`` of the pictures ``first`` to ``stop - 1``; a tracklet with fewer gives some of them twice.

    Args:
        first: Number of the tracklet's first picture.
        stop: One past its last.
        count: How many are wanted.
        rng: Draws them.
        at_most: Of more pictures than that, only so many evenly spaced ones can be drawn.

    Returns:
        Shape ``(count,)``.

    Raises:
        ValueError: If there is no picture.
    """
    if stop <= first:
        raise ValueError(f"pictures {first} to {stop - 1} are none")
    have = min(stop - first, at_most)
    offsets = rng.choice(have, count, replace=False) if have >= count else _again(have, count, rng)
    spread = np.round(np.linspace(first, stop - 1, have)).astype(np.int64)
    return spread[offsets]


def draw_tracklet(
    first_crop: NDArray[np.int64], row: int, count: int, rng: np.random.Generator, *, at_most: int
) -> NDArray[np.int64]:
    """Draw pictures of one tracklet of a set; see `draw_crops`."""
    return draw_crops(int(first_crop[row]), int(first_crop[row + 1]), count, rng, at_most=at_most)


def _again(have: int, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Every one as often as any other, as nearly as that can be."""
    return np.concatenate([rng.permutation(have) for _ in range(-(-count // have))])[:count]
