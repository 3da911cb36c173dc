"""Telling one camera's people apart by their looks, where motion alone leaves a doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.tracking.association import Assignment, assign, contested_columns
from reid_core.tracking.looks import LooksMemory, covered_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.tracking.looks import FrameLooks
    from reid_core.types import BoxArray

__all__ = ["Recognition"]


class Recognition:
    """The looks of one camera's tracks, and what they say. Rows are the tracks, as everywhere in the tracker.

    A descriptor costs more than all of a track's motion model, so a detection is described only if it is contested,
    could be a lost person, or is due for refreshing a track's looks.

    Args:
        weight: What a difference of 1 in likeness adds to the cost of a contested pair.
        usual: The likeness that adds nothing.
        doubtful: Looks are also asked where a lone pair costs more than this.
        relink_likeness: A lost track is taken up again elsewhere by someone at least this alike.
        relink_reach: How far from its expected place that may be, in heights.
        relink_growth: How much further it may be for each frame of absence, in heights.
        relink_resize: By which share the heights may differ.
        hidden: Boxes of which another covers more than this teach nothing.
        refresh_every: A track's looks are refreshed each time it was seen this often.
        inertia: The share of the old in a refreshed look.
    """

    def __init__(
        self,
        *,
        weight: float,
        usual: float,
        doubtful: float,
        relink_likeness: float,
        relink_reach: float,
        relink_growth: float,
        relink_resize: float,
        hidden: float,
        refresh_every: int,
        inertia: float,
    ) -> None:
        self._weight, self._usual, self._doubtful = weight, usual, doubtful
        self._relink_likeness, self._resize = relink_likeness, relink_resize
        self._reach, self._growth = relink_reach, relink_growth
        self._hidden, self._refresh_every = hidden, refresh_every
        self.memory = LooksMemory(inertia=inertia)

    def judge(
        self,
        cost: NDArray[np.float64],
        rows: NDArray[np.intp],
        detections: NDArray[np.intp],
        *,
        limit: float,
        looks: FrameLooks,
    ) -> NDArray[np.float64]:
        """Costs with the looks of contested detections taken into account.

        Args:
            cost: Of each pair by motion, infinite where none is possible. Shape ``(R, D)``.
            rows: The tracks behind the rows of ``cost``. Shape ``(R,)``.
            detections: The detections behind its columns. Shape ``(D,)``.
            limit: Pairs that cost more are no candidates.
            looks: Of this frame.

        Returns:
            Shape ``(R, D)``. Pairs that were impossible stay so.
        """
        judged = cost
        for column in contested_columns(cost, limit=limit, doubtful=self._doubtful).tolist():
            descriptor = looks.of(int(detections[column]))
            if descriptor is None:
                continue
            if judged is cost:
                judged = cost.copy()
            change = self._weight * (self._usual - self.memory.likeness(rows, descriptor))
            judged[:, column] += np.where(np.isnan(change), 0.0, change)
        return judged

    def relink(
        self,
        expected: NDArray[np.float64],
        rows: NDArray[np.intp],
        absent: NDArray[np.int64],
        detected: NDArray[np.float64],
        detections: NDArray[np.intp],
        *,
        looks: FrameLooks,
    ) -> Assignment:
        """Pairs of missing tracks and free detections near by that look the same, whatever the overlap.

        Args:
            expected: Centre and size of each track in ``rows``. Shape ``(R, 4)``.
            rows: Tracks that are missing. Shape ``(R,)``.
            absent: For how many frames each was not seen. Shape ``(R,)``.
            detected: Centre and size of each of ``detections``. Shape ``(D, 4)``.
            detections: Free ones. Shape ``(D,)``.
            looks: Of this frame.
        """
        heights = np.sqrt(expected[:, None, 3] * detected[None, :, 3])
        apart = np.hypot(*np.moveaxis(detected[None, :, :2] - expected[:, None, :2], -1, 0)) / heights
        resized = np.abs(np.log(detected[None, :, 3] / expected[:, None, 3]))
        near = (apart <= self._reach + self._growth * absent[:, None]) & (resized <= self._resize)
        unlike = np.full(near.shape, np.inf)
        for column in np.flatnonzero(near.any(0)).tolist():
            descriptor = looks.of(int(detections[column]))
            if descriptor is not None:
                unlike[:, column] = 1 - self.memory.likeness(rows, descriptor)
        limit = 1 - self._relink_likeness
        return assign(np.where(near & (unlike < limit), unlike, np.inf), limit=limit)

    def learn(
        self,
        rows: NDArray[np.intp],
        seen: NDArray[np.intp],
        hits: NDArray[np.int64],
        *,
        boxes_px: BoxArray,
        sure: NDArray[np.intp],
        looks: FrameLooks,
    ) -> None:
        """Refresh the looks of tracks that were seen whole.

        Args:
            rows: Tracks that were seen. Shape ``(M,)``.
            seen: The detection of each. Shape ``(M,)``.
            hits: How often each was seen before. Shape ``(M,)``.
            boxes_px: All detections. Shape ``(N, 4)``.
            sure: The sure ones; only they teach, and only they hide others.
            looks: Of this frame.
        """
        plain = np.zeros(len(boxes_px), np.bool_)
        plain[sure] = covered_shares(boxes_px[sure]) <= self._hidden
        due = hits % self._refresh_every == 0
        for row, detection, is_due in zip(rows.tolist(), seen.tolist(), due.tolist(), strict=True):
            if not plain[detection] or not (is_due or detection in looks or not self.memory.knows(row)):
                continue
            descriptor = looks.of(detection)
            if descriptor is not None:
                self.memory.learn(row, descriptor)
