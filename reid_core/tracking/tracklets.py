"""From tracked boxes to tracklets: closes tracks, splits them where needed, and gathers their paths and crops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.tracking.crop_selection import CropReservoir, display_order
from reid_core.types import CropQuality, Tracklet, TrackPath
from reid_core.vision.crops import completenesses, cut_crop, height_share, visibilities

if TYPE_CHECKING:
    from reid_core.types import Frame, TrackedBoxes

__all__ = ["TrackletBuilder", "TrackletSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackletSettings:
    """How tracks become tracklets.

    Attributes:
        max_gap_s: A track not observed for longer than this is cut in two.
        min_observations: Shorter tracks are dropped: they are mostly errors of the detector.
        max_duration_s: A longer track is cut, so that someone who stands all day is searchable before evening and
            needs bounded memory.
        max_crops: Crops kept of one tracklet.
        crop_every_s: Crops of a short track are at least this far apart; a longer track's further.
    """

    max_gap_s: float = 4.0
    min_observations: int = 5
    max_duration_s: float = 300.0
    max_crops: int = 60
    crop_every_s: float = 0.2

    def __post_init__(self) -> None:
        """Refuse settings that no track could meet."""
        positive = (self.max_gap_s, self.min_observations, self.max_duration_s, self.crop_every_s)
        if min(positive) <= 0 or self.max_crops < 2:
            raise ValueError(f"tracklet settings must be positive and keep 2 crops or more, got {self}")


class TrackletBuilder:
    """Gathers what the tracker reports of one camera into tracklets.

    One for each camera and frame size. Deterministic: tracklets are numbered in order of closing, those that close with
    the same frame in order of their track's id. Dropped tracks use up no number.
    """

    def __init__(
        self,
        settings: TrackletSettings | None = None,
        *,
        frame_size_px: tuple[int, int],
        first_track_no: int = 1,
    ) -> None:
        self._settings = settings or TrackletSettings()
        self._frame_size_px = frame_size_px
        self._next_track_no = first_track_no
        self._open: dict[int, _OpenTrack] = {}

    @property
    def next_track_no(self) -> int:
        """The number that the next tracklet will have."""
        return self._next_track_no

    @property
    def is_idle(self) -> bool:
        """True where no track is open."""
        return not self._open

    def observe(self, frame: Frame, tracked: TrackedBoxes) -> list[Tracklet]:
        """Take in one frame.

        Args:
            frame: The picture that the boxes lie in; its pixels are copied where they are kept.
            tracked: What the tracker reported for it. Boxes without a pixel in the picture count as not observed.

        Returns:
            The tracklets that closed with this frame.

        Raises:
            ValueError: If the frame's size is not the one stated.
        """
        if (frame.image.shape[1], frame.image.shape[0]) != self._frame_size_px:
            raise ValueError(f"a frame of shape {frame.image.shape} came where {self._frame_size_px} was stated")
        closed: list[_OpenTrack] = []
        for seen in _observations(frame, tracked, self._frame_size_px):
            track = self._open.get(seen.track_id)
            if track is not None and self._must_split(track, frame.time_s):
                closed.append(self._open.pop(seen.track_id))
                track = None
            if track is None:
                track = self._open[seen.track_id] = _OpenTrack(seen.track_id, frame.time_s, self._settings)
            track.add(frame, seen)
        closed += [self._open.pop(track_id) for track_id in tracked.closed_track_ids if track_id in self._open]
        return self._number(closed)

    def finish(self) -> list[Tracklet]:
        """Close every open track, at the source's end or where its pictures change size."""
        closed = list(self._open.values())
        self._open.clear()
        return self._number(closed)

    def _must_split(self, track: _OpenTrack, time_s: float) -> bool:
        too_long = time_s - track.start_s > self._settings.max_duration_s
        return too_long or time_s - track.last_s > self._settings.max_gap_s

    def _number(self, closed: list[_OpenTrack]) -> list[Tracklet]:
        kept = [track for track in closed if len(track) >= self._settings.min_observations]
        kept.sort(key=lambda track: (track.track_id, track.start_s))
        first_no = self._next_track_no
        self._next_track_no += len(kept)
        return [track.close(number, self._frame_size_px) for number, track in enumerate(kept, first_no)]


@dataclass(frozen=True, slots=True)
class _Observation:
    """One box of one frame; ``quality.sharpness`` is still unmeasured and stands at 1."""

    track_id: int
    box_px: tuple[float, float, float, float]
    confidence: float
    quality: CropQuality


def _observations(frame: Frame, tracked: TrackedBoxes, frame_size_px: tuple[int, int]) -> list[_Observation]:
    boxes = tracked.boxes_px
    visible, complete = visibilities(boxes), completenesses(boxes, frame_size_px)
    height, width = frame.image.shape[:2]
    return [
        _Observation(
            track_id,
            (left, top, right, bottom),
            confidence,
            CropQuality(height_share(bottom - top), 1.0, visibility, completeness),
        )
        for track_id, (left, top, right, bottom), confidence, visibility, completeness in zip(
            tracked.track_ids.tolist(),
            boxes.tolist(),
            tracked.confidences.tolist(),
            visible.tolist(),
            complete.tolist(),
            strict=True,
        )
        if min(right, width) > max(left, 0.0) and min(bottom, height) > max(top, 0.0)
    ]


class _OpenTrack:
    """A track that has not closed yet."""

    def __init__(self, track_id: int, start_s: float, settings: TrackletSettings) -> None:
        self.track_id = track_id
        self.start_s = self.last_s = start_s
        self._frame_indices: list[int] = []
        self._times_s: list[float] = []
        self._boxes_px: list[tuple[float, float, float, float]] = []
        self._confidences: list[float] = []
        self._crops = CropReservoir(start_s=start_s, cell_s=settings.crop_every_s, limit=settings.max_crops)

    def __len__(self) -> int:
        return len(self._frame_indices)

    def add(self, frame: Frame, seen: _Observation) -> None:
        self.last_s = frame.time_s
        self._frame_indices.append(frame.index)
        self._times_s.append(frame.time_s)
        self._boxes_px.append(seen.box_px)
        self._confidences.append(seen.confidence)
        self._crops.offer(frame.index, frame.time_s, seen.box_px, seen.quality, cut_crop(frame.image, seen.box_px))

    def close(self, track_no: int, frame_size_px: tuple[int, int]) -> Tracklet:
        crops = self._crops.crops()
        return Tracklet(
            track_no=track_no,
            path=TrackPath(
                np.asarray(self._frame_indices, np.int64),
                np.asarray(self._times_s, np.float64),
                np.asarray(self._boxes_px, np.float32).reshape(-1, 4),
                np.asarray(self._confidences, np.float32),
            ),
            crops=crops,
            display_order=display_order([crop.quality.overall for crop in crops], [crop.time_s for crop in crops]),
            frame_size_px=frame_size_px,
        )
