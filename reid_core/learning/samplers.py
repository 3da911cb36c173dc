"""Which tracklets go into a batch together: TASTR's two constraints.

A sampler holds what never changes and draws with the generator that it is given, so that any batch of a cycle can be
drawn again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from reid_core.errors import TooLittleToLearnError
from reid_core.learning.batches import Batch, batch_of, draw_tracklet

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CameraPairSampler", "Sampler", "WithinCameraSampler"]


class Sampler(Protocol):
    """Draws batches."""

    def draw(self, rng: np.random.Generator, tracklets: int) -> Batch:
        """A batch of at most that many tracklets (pairs of tracklets, for pairs); equal generators, equal batches."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class WithinCameraSampler:
    """TSCCC: tracklets of ONE camera, any two of them further apart in time than ``apart_s``.

    So neither another camera's view of a person nor the other half of a broken track is ever a negative. Where a camera
    has too few such tracklets the batch is smaller. Tracklets without times count as near to everybody. Tracklets with
    one identity are one class; labelled ones, and those that are known to be one person, may lie near one another.

    Attributes:
        cameras: Shape ``(N,)``.
        starts_s: NaN where not known. Shape ``(N,)``.
        ends_s: NaN where not known. Shape ``(N,)``.
        first_crop: As in `TrackletSet`. Shape ``(N + 1,)``.
        crops: Pictures of a tracklet, K.
        apart_s: Least time between two tracklets, T; both ends excluded.
        crops_at_most: Of a tracklet.
        identities: In-camera identities, -1 unlabelled. Shape ``(N,)``, or ``None``.
        groups: Tracklets that are known to be one person have one number. Shape ``(N,)``, or ``None``.

    Raises:
        TooLittleToLearnError: If no camera has two tracklets that may meet.

    Source:
        Xie et al. (TASTR), section IV-B.
    """

    cameras: NDArray[np.int64]
    starts_s: NDArray[np.float64]
    ends_s: NDArray[np.float64]
    first_crop: NDArray[np.int64]
    crops: int = 4
    apart_s: float = 5.0
    crops_at_most: int = 60
    identities: NDArray[np.int64] | None = None
    groups: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        """See to it that there is something to draw."""
        if not len(self._fruitful()):
            raise TooLittleToLearnError(
                f"no camera has two tracklets more than {self.apart_s:g} s apart ({len(self.cameras)} tracklets)"
            )

    def draw(self, rng: np.random.Generator, tracklets: int) -> Batch:
        """A batch of one camera; cameras with more tracklets come up more often."""
        fruitful = self._fruitful()
        counts = np.array([np.count_nonzero(self.cameras == camera) for camera in fruitful])
        camera = fruitful[rng.choice(len(fruitful), p=counts / counts.sum())]
        chosen = self._spread(rng.permutation(np.flatnonzero(self.cameras == camera)), tracklets)
        drawn = [draw_tracklet(self.first_crop, row, self.crops, rng, at_most=self.crops_at_most) for row in chosen]
        return batch_of(chosen, [self._label(row) for row in chosen], drawn)

    def may_meet(self, row: int, others: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether a tracklet may stand in one batch with each of some others of its camera."""
        after = self.starts_s[others] - self.ends_s[row]
        before = self.starts_s[row] - self.ends_s[others]
        apart: NDArray[np.bool_] = np.maximum(after, before) > self.apart_s  # NaN is never apart
        if self.identities is not None and self.identities[row] >= 0:
            apart |= self.identities[others] >= 0
        if self.groups is not None:
            apart |= self.groups[others] == self.groups[row]
        return apart

    def _spread(self, candidates: NDArray[np.int64], count: int) -> list[int]:
        """The first of the candidates, and whoever may meet all before; at least two where that can be."""
        for turn in range(len(candidates)):
            chosen: list[int] = []
            for row in np.roll(candidates, -turn).tolist():
                if len(chosen) == count:
                    break
                if self.may_meet(row, np.array(chosen, np.int64)).all():
                    chosen.append(row)
            if len(chosen) > 1:
                break
        return chosen

    def _fruitful(self) -> NDArray[np.int64]:
        """Cameras of which two tracklets may meet: the latest start lies far enough behind the earliest end."""
        return np.array([camera for camera in np.unique(self.cameras).tolist() if self._has_two(camera)], np.int64)

    def _has_two(self, camera: int) -> bool:
        rows = np.flatnonzero(self.cameras == camera)
        if self.identities is not None and np.count_nonzero(self.identities[rows] >= 0) > 1:
            return True
        rows = rows[np.isfinite(self.starts_s[rows]) & np.isfinite(self.ends_s[rows])]
        return bool(len(rows) > 1 and self.starts_s[rows].max() - self.ends_s[rows].min() > self.apart_s)

    def _label(self, row: int) -> int:
        """Its own class, or its identity's."""
        if self.identities is None or self.identities[row] < 0:
            return row
        same = (self.cameras == self.cameras[row]) & (self.identities == self.identities[row])
        return int(np.argmax(same))


@dataclass(frozen=True, slots=True, eq=False)
class CameraPairSampler:
    """TCCPC: matched pairs of ONE pair of cameras, half of the pictures from each side, each pair a class of its own.

    No tracklet is in a batch twice, so nothing merges.

    Attributes:
        rows_a: One tracklet of each pair. Shape ``(P,)``.
        rows_b: The other, of another camera. Shape ``(P,)``.
        cameras: Of all tracklets. Shape ``(N,)``.
        first_crop: As in `TrackletSet`. Shape ``(N + 1,)``.
        crops: Pictures of a pair, K; even.
        crops_at_most: Of a tracklet.

    Raises:
        TooLittleToLearnError: If no pair of cameras has two pairs of tracklets.
        ValueError: If ``crops`` is odd, or a pair lies within one camera.

    Source:
        Xie et al. (TASTR), section IV-D.
    """

    rows_a: NDArray[np.int64]
    rows_b: NDArray[np.int64]
    cameras: NDArray[np.int64]
    first_crop: NDArray[np.int64]
    crops: int = 4
    crops_at_most: int = 60

    def __post_init__(self) -> None:
        """See to it that there is something to draw."""
        if self.crops < 2 or self.crops % 2:
            raise ValueError(f"a pair gives half of its pictures from each side, {self.crops} cannot be halved")
        if (self.cameras[self.rows_a] == self.cameras[self.rows_b]).any():
            raise ValueError("a matched pair lies within one camera")
        if not any(len(members) > 1 for members in self._by_cameras()):
            raise TooLittleToLearnError(f"no two cameras share two matched tracklets ({len(self.rows_a)} pairs in all)")

    def draw(self, rng: np.random.Generator, tracklets: int) -> Batch:
        """A batch of at most ``tracklets`` pairs of two cameras; cameras with more pairs come up more often."""
        groups = [members for members in self._by_cameras() if len(members) > 1]
        counts = np.array([len(members) for members in groups])
        group = groups[rng.choice(len(groups), p=counts / counts.sum())]
        rows: list[int] = []
        labels: list[int] = []
        for pair in rng.permutation(group).tolist():
            sides = [int(self.rows_a[pair]), int(self.rows_b[pair])]
            if len(rows) < 2 * tracklets and not set(sides) & set(rows):
                rows += sides
                labels += [pair, pair]
        half, at_most = self.crops // 2, self.crops_at_most
        drawn = [draw_tracklet(self.first_crop, row, half, rng, at_most=at_most) for row in rows]
        return batch_of(rows, labels, drawn)

    def _by_cameras(self) -> list[NDArray[np.int64]]:
        """Numbers of the pairs of each two cameras."""
        ends = np.sort(np.stack([self.cameras[self.rows_a], self.cameras[self.rows_b]], axis=1), axis=1)
        _, which = np.unique(ends, axis=0, return_inverse=True)
        return [np.flatnonzero(which == group) for group in np.unique(which)]
