"""Follows the people of one camera from frame to frame, online: what is reported for a frame is never changed later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.geometry import iou_matrix
from reid_core.tracking.association import assign
from reid_core.tracking.motion_model import BoxFilter
from reid_core.tracking.track_state import TrackState, TrackTable
from reid_core.types import TrackedBoxes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.types import Detections, ImageBGR

__all__ = ["Tracker", "TrackerSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerSettings:
    """How a tracker decides.

    Attributes:
        sure_confidence: Detections from here on may start a track and are matched first.
        weak_confidence: Detections from here on may continue a track.
        sure_overlap: Least IoU of prediction and detection in the first pass.
        weak_overlap: The same in the second pass, with weak detections.
        confirm_frames: Observations in a row that make a track.
        patience_frames: Frames a track may be out of sight before it is closed.
    """

    sure_confidence: float = 0.5
    weak_confidence: float = 0.1
    sure_overlap: float = 0.2
    weak_overlap: float = 0.4
    confirm_frames: int = 2
    patience_frames: int = 30


class Tracker:
    """Follows the people of one camera. One object for each camera and run; equal inputs give equal outputs."""

    def __init__(self, settings: TrackerSettings | None = None, *, first_track_id: int = 1) -> None:
        """Start without tracks; the first confirmed one gets ``first_track_id``."""
        self._settings = settings or TrackerSettings()
        self._filter = BoxFilter(acceleration=0.02, measurement=0.05)
        self._table = TrackTable(first_track_id=first_track_id)
        self._is_first_frame = True

    @property
    def is_idle(self) -> bool:
        """True while nobody is followed or waited for."""
        return not len(self._table)

    @property
    def next_track_id(self) -> int:
        """The id that the next confirmed track will get."""
        return self._table.next_id

    def update(self, detections: Detections, *, image: ImageBGR | None = None) -> TrackedBoxes:
        """Take in the next frame's detections.

        Args:
            detections: Of this frame, in any order, down to weak ones.
            image: The frame, for telling people apart by their looks; without it motion alone decides.

        Returns:
            The confirmed tracks seen in this frame, by rising id, and the tracks that ended.
        """
        del image
        self._filter.predict()
        rows, seen, born = self._associate(detections)
        self._filter.update(rows, detections.boxes_px[seen])
        self._filter.add(detections.boxes_px[born], velocity_deviation=0.05)
        source = np.full(len(self._filter), -1, np.intp)
        source[rows] = seen
        source[len(source) - len(born) :] = born
        closed, source = self._settle(rows, source)
        shown = np.flatnonzero((self._table.state == TrackState.CONFIRMED) & (source >= 0))
        shown = shown[np.argsort(self._table.ids[shown])]
        return TrackedBoxes(
            self._table.ids[shown], detections.boxes_px[source[shown]], detections.confidences[source[shown]], closed
        )

    def flush(self) -> tuple[int, ...]:
        """Close every track, as at the end of a source; answers the ids of those that had been confirmed."""
        return self._forget(np.ones(len(self._table), np.bool_))

    def _associate(self, detections: Detections) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Rows of tracks, the detection that each was seen as, and the detections that start a track."""
        limits, boxes, confidences = self._settings, detections.boxes_px, detections.confidences
        sure = np.flatnonzero(confidences >= limits.sure_confidence)
        weak = np.flatnonzero((confidences >= limits.weak_confidence) & (confidences < limits.sure_confidence))
        expected = self._filter.boxes_px
        first = assign(1 - iou_matrix(expected, boxes[sure]), limit=1 - limits.sure_overlap)
        rest = first.free_rows[self._table.state[first.free_rows] == TrackState.CONFIRMED]
        second = assign(1 - iou_matrix(expected[rest], boxes[weak]), limit=1 - limits.weak_overlap)
        rows = np.concatenate([first.rows, rest[second.rows]])
        seen = np.concatenate([sure[first.columns], weak[second.columns]])
        return rows, seen, sure[first.free_columns]

    def _settle(self, rows: NDArray[np.intp], source: NDArray[np.intp]) -> tuple[tuple[int, ...], NDArray[np.intp]]:
        """Move every track's state on by a frame; answers who was closed, and ``source`` of those who stay."""
        self._table.mark(rows)
        self._table.add(len(source) - len(self._table))
        self._table.confirm(hits=1 if self._is_first_frame else self._settings.confirm_frames)
        self._is_first_frame = False
        over = self._table.over(patience=self._settings.patience_frames)
        return self._forget(over), source[~over]

    def _forget(self, over: NDArray[np.bool_]) -> tuple[int, ...]:
        """Drop tracks; answers the ids of those that had one, rising."""
        closed = self._table.ids[over & (self._table.ids > 0)]
        self._filter.keep(~over)
        self._table.keep(~over)
        return tuple(sorted(closed.tolist()))
