"""Follows the people of one camera from frame to frame, online: what is reported for a frame is never changed later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.geometry import iou_matrix
from reid_core.tracking.association import assign, box_fit
from reid_core.tracking.frame_pairs import FramePairs
from reid_core.tracking.looks import FrameLooks
from reid_core.tracking.motion_model import BoxFilter, xyxy_to_cxcywh
from reid_core.tracking.recognition import Recognition
from reid_core.tracking.track_state import TrackTable
from reid_core.tracking.tracker_settings import TrackerSettings
from reid_core.types import TrackedBoxes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.types import Detections, ImageBGR

__all__ = ["Tracker", "TrackerSettings"]

_FULL_ABSENCE_FRAMES = 30
_LEAST_DOUBT = 0.05


def _where(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Indices of the true entries; `np.flatnonzero` without its detours, which add up over a frame."""
    return mask.nonzero()[0]


class Tracker:
    """Follows the people of one camera. One object for each camera and run; equal inputs give equal outputs.

    Each frame passes four rounds: confirmed and lost tracks against sure detections, what they leave against weak
    ones, tentative tracks against what is left of the sure ones, and, where there is a picture, tracks still missing
    against detections still free that look the same. What is left of the sure detections starts new tracks.
    """

    def __init__(self, settings: TrackerSettings | None = None, *, first_track_id: int = 1) -> None:
        """Start without tracks; the first confirmed one gets ``first_track_id``."""
        self._settings = settings = settings or TrackerSettings()
        self._filter = BoxFilter(
            acceleration=settings.acceleration,
            place_noise=settings.place_noise,
            size_noise=settings.size_noise,
            first_speed=settings.first_speed,
        )
        self._recognition = Recognition(
            weight=settings.looks_weight,
            usual=settings.usual_likeness,
            doubtful=settings.doubtful_cost,
            relink_likeness=settings.relink_likeness,
            relink_reach=settings.relink_reach,
            relink_growth=settings.relink_growth,
            relink_resize=settings.relink_resize,
            hidden=settings.hidden_share,
            refresh_every=settings.look_every_frames,
            inertia=settings.looks_inertia,
        )
        self._table = TrackTable(first_track_id=first_track_id)

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
            detections: Of this frame, in any order, down to weak ones; boxes without area are ignored.
            image: The frame, for telling people apart by their looks; without it motion alone decides.

        Returns:
            The confirmed tracks seen in this frame, by rising id, and the tracks that ended. A box is the mean of
            what was detected and what the motion model makes of it, which is steadier than the detector alone.

        Raises:
            ValueError: If a box or confidence is not finite, or the image is not of shape ``(H, W, 3)``.
        """
        boxes, confidences = detections.boxes_px, detections.confidences
        if not (np.isfinite(boxes).all() and np.isfinite(confidences).all()):
            raise ValueError("boxes and confidences must be finite")
        looks = None if image is None else FrameLooks(image, boxes)
        strength = np.where((boxes[:, 2:] > boxes[:, :2]).all(1), confidences, -1.0)
        sure = _where(strength >= self._settings.sure_confidence)
        self._filter.predict()
        pairs = FramePairs(len(self._table), len(boxes))
        if len(self._table) and len(boxes):
            self._pair_up(pairs, detections, strength, sure, looks)
        rows = pairs.rows()
        seen = pairs.detection_of[rows]
        if len(rows):
            self._take_in(rows, seen, detections, sure, looks)
        born = self._births(sure[pairs.are_free(sure)], detections)
        return self._settle(rows, np.concatenate([pairs.detection_of, born]), born, detections)

    def flush(self) -> tuple[int, ...]:
        """Close every track, as at the end of a source; answers the ids of those that had been confirmed, rising."""
        return self._forget(np.zeros(len(self._table), np.bool_))

    def _pair_up(
        self,
        pairs: FramePairs,
        detections: Detections,
        strength: NDArray[np.floating],
        sure: NDArray[np.intp],
        looks: FrameLooks | None,
    ) -> None:
        """The four rounds of one frame."""
        settings, boxes = self._settings, detections.boxes_px
        expected = self._filter.boxes_px
        tentative = self._table.is_tentative
        known = _where(~tentative)
        cost = self._cost(expected, detections, sure)

        self._round(pairs, cost, known, sure, np.arange(len(sure)), settings.sure_limit, looks)
        missing = known[pairs.detection_of[known] < 0]
        weak = _where((strength >= settings.weak_confidence) & (strength < settings.sure_confidence))
        if len(missing) and len(weak):
            found = assign(1 - iou_matrix(expected[missing], boxes[weak]), limit=settings.weak_limit)
            pairs.enter(missing[found.rows], weak[found.columns])
        left = _where(pairs.are_free(sure))
        self._round(pairs, cost, _where(tentative), sure, left, settings.tentative_limit, looks)
        if looks is not None:
            self._relink(pairs, detections, sure, looks)

    def _cost(
        self, expected: NDArray[np.float64], detections: Detections, sure: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Every track against every sure detection, by motion alone; infinite where boxes do not meet."""
        fit = box_fit(expected, detections.boxes_px[sure], margin=self._settings.margin)
        absence = np.minimum(self._table.unseen, _FULL_ABSENCE_FRAMES) / _FULL_ABSENCE_FRAMES
        cost = 1 - fit * detections.confidences[sure] + self._settings.absence_cost * absence[:, None]
        return np.where(fit > 0, cost, np.inf)

    def _round(
        self,
        pairs: FramePairs,
        cost: NDArray[np.float64],
        rows: NDArray[np.intp],
        sure: NDArray[np.intp],
        columns: NDArray[np.intp],
        limit: float,
        looks: FrameLooks | None,
    ) -> None:
        """Pair some tracks with some sure detections (``columns`` of ``cost``)."""
        if not len(rows) or not len(columns):
            return
        part = cost[rows[:, None], columns]
        if looks is not None:
            part = self._recognition.judge(part, rows, sure[columns], limit=limit, looks=looks)
        found = assign(part, limit=limit)
        pairs.enter(rows[found.rows], sure[columns[found.columns]])

    def _relink(self, pairs: FramePairs, detections: Detections, sure: NDArray[np.intp], looks: FrameLooks) -> None:
        """Take up lost tracks where motion did not expect them, by their looks."""
        free = sure[pairs.are_free(sure)]
        missing = pairs.free_rows()
        missing = missing[self._table.is_lost[missing]]
        if not len(free) or not len(missing):
            return
        detected = xyxy_to_cxcywh(detections.boxes_px[free])
        expected, absent = self._filter.position[missing], self._table.unseen[missing]
        found = self._recognition.relink(expected, missing, absent, detected, free, looks=looks)
        pairs.enter(missing[found.rows], free[found.columns])

    def _take_in(
        self,
        rows: NDArray[np.intp],
        seen: NDArray[np.intp],
        detections: Detections,
        sure: NDArray[np.intp],
        looks: FrameLooks | None,
    ) -> None:
        """Correct motion and looks of the tracks that were seen; a confident box is trusted more."""
        trust = self._settings.confidence_trust * detections.confidences[seen]
        self._filter.update(rows, detections.boxes_px[seen], doubt=np.maximum(1 - trust, _LEAST_DOUBT)[:, None])
        if looks is not None:
            hits = self._table.hits[rows]
            self._recognition.learn(rows, seen, hits, boxes_px=detections.boxes_px, sure=sure, looks=looks)

    def _births(self, free: NDArray[np.intp], detections: Detections) -> NDArray[np.intp]:
        """The free detections that start a track, from left to right, so that their order on input does not matter."""
        if not len(free):
            return free
        born = free[np.lexsort(detections.boxes_px[free].T[::-1])]
        self._filter.add(detections.boxes_px[born])
        self._recognition.memory.add(len(born))
        return born

    def _settle(
        self,
        rows: NDArray[np.intp],
        source: NDArray[np.intp],
        born: NDArray[np.intp],
        detections: Detections,
    ) -> TrackedBoxes:
        """Move every track's state on by a frame and report; ``source`` is each track's detection, -1 for none."""
        table, settings = self._table, self._settings
        table.mark(rows)
        table.add(len(born))
        strength = np.zeros(len(source), np.float32)
        strength[source >= 0] = detections.confidences[source[source >= 0]]
        table.confirm(ready=(table.hits >= settings.confirm_frames) | (strength >= settings.certain_confidence))
        kept = ~table.over(patience=settings.patience_frames)
        shown = _where(table.is_confirmed & (source >= 0))
        shown = shown[np.argsort(table.ids[shown])]
        share = settings.detected_share
        boxes = share * detections.boxes_px[source[shown]] + (1 - share) * self._filter.boxes_px[shown]
        ids, closed = table.ids[shown], () if kept.all() else self._forget(kept)
        return TrackedBoxes(ids, boxes.astype(np.float32), strength[shown], closed)

    def _forget(self, kept: NDArray[np.bool_]) -> tuple[int, ...]:
        """Drop the other tracks; answers the ids of those that had one, rising."""
        closed = self._table.ids[~kept & (self._table.ids > 0)]
        self._filter.keep(kept)
        self._recognition.memory.keep(kept)
        self._table.keep(kept)
        return tuple(sorted(closed.tolist()))
