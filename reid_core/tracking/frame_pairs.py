"""Who was seen as what in one frame, written down round by round."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FramePairs"]


class FramePairs:
    """One-to-one pairs of tracks and detections, growing while a frame is worked on.

    Attributes:
        detection_of: The detection of each track, -1 for none. Shape ``(T,)``.
    """

    def __init__(self, track_count: int, detection_count: int) -> None:
        """Start without pairs."""
        self.detection_of = np.full(track_count, -1, np.intp)
        self._taken = np.zeros(detection_count, np.bool_)

    def enter(self, rows: NDArray[np.intp], detections: NDArray[np.intp]) -> None:
        """Note pairs of tracks and detections that were free until now. Both of shape ``(K,)``."""
        self.detection_of[rows] = detections
        self._taken[detections] = True

    def rows(self) -> NDArray[np.intp]:
        """The tracks that have a detection, rising."""
        return (self.detection_of >= 0).nonzero()[0]

    def free_rows(self) -> NDArray[np.intp]:
        """The tracks that have none, rising."""
        return (self.detection_of < 0).nonzero()[0]

    def are_free(self, detections: NDArray[np.intp]) -> NDArray[np.bool_]:
        """For each of the given detections, whether no track has it."""
        return ~self._taken[detections]
