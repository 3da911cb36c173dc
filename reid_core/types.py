"""Frozen values that travel between the rooms of the house.

Boxes are xyxy in pixels of the frame they were seen in; times are UTC epoch seconds as float64 (or seconds since the
first frame where the source's start is unknown); images are BGR uint8 of shape ``(H, W, 3)``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

ImageBGR: TypeAlias = NDArray[np.uint8]
FloatArray: TypeAlias = NDArray[np.float32]
BoxArray: TypeAlias = NDArray[np.float32]


class ClockQuality(Enum):
    """How far the times of a source can be trusted.

    ``UNKNOWN`` times still order the frames of one source, but give no evidence between cameras.
    """

    STATED = "stated"
    CONTAINER = "container"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a source says of itself before its first frame is decoded.

    Attributes:
        width: Pixels.
        height: Pixels.
        fps: Nominal frames a second.
        frame_count: Frames in all as the container claims, ``None`` where unknown. A hint for progress, not a promise.
        start_time_s: UTC epoch seconds of the first frame, 0.0 where ``clock_quality`` is ``UNKNOWN``.
        clock_quality: Where the start comes from.
    """

    width: int
    height: int
    fps: float
    frame_count: int | None
    start_time_s: float
    clock_quality: ClockQuality


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded picture. ``index`` counts decoded frames of its source from 0."""

    index: int
    time_s: float
    image: ImageBGR


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """The people found in one frame.

    Attributes:
        boxes_px: xyxy boxes. Shape ``(N, 4)``, float32.
        confidences: Detector confidence in ``[0, 1]``. Shape ``(N,)``, float32.
    """

    boxes_px: BoxArray
    confidences: FloatArray

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        if self.boxes_px.ndim != 2 or self.boxes_px.shape[1] != 4:
            raise ValueError(f"boxes_px must have shape (N, 4), got {self.boxes_px.shape}")
        if self.confidences.shape != (len(self.boxes_px),):
            raise ValueError(f"confidences must have shape ({len(self.boxes_px)},), got {self.confidences.shape}")

    def __len__(self) -> int:
        return len(self.boxes_px)

    @staticmethod
    def none() -> Detections:
        """An empty frame: ``(0, 4)`` boxes and ``(0,)`` confidences."""
        return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class TrackedBoxes:
    """What the tracker reports for one frame.

    Attributes:
        track_ids: Ids unique within one camera and run. Shape ``(M,)``, int64.
        boxes_px: xyxy boxes. Shape ``(M, 4)``, float32.
        confidences: Of the detection behind each box. Shape ``(M,)``, float32.
        closed_track_ids: Tracks that ended for good with this frame.
    """

    track_ids: NDArray[np.int64]
    boxes_px: BoxArray
    confidences: FloatArray
    closed_track_ids: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.track_ids)


@dataclass(frozen=True, slots=True)
class CropQuality:
    """How much one crop can tell of a person; each part in ``[0, 1]``, large is good.

    Attributes:
        size: Height against 128 px.
        sharpness: Energy of fine detail.
        visibility: Share of the box that no nearer box covers.
        completeness: Share of the person that lies inside the picture and has a plausible shape.
    """

    size: float
    sharpness: float
    visibility: float
    completeness: float

    @property
    def overall(self) -> float:
        """Geometric mean of the four parts: one bad part spoils a crop."""
        return float((self.size * self.sharpness * self.visibility * self.completeness) ** 0.25)


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """One picture of a person, kept as JPEG (quality 90, at most 256 px high)."""

    frame_index: int
    time_s: float
    box_px: tuple[float, float, float, float]
    jpeg: bytes
    width_px: int
    height_px: int
    quality: CropQuality


@dataclass(frozen=True, slots=True, eq=False)
class TrackPath:
    """Where a track was, frame by frame (only frames in which it was observed).

    Attributes:
        frame_indices: Shape ``(n,)``, int64, rising.
        times_s: Shape ``(n,)``, float64.
        boxes_px: Shape ``(n, 4)``, float32.
        confidences: Shape ``(n,)``, float32.
    """

    frame_indices: NDArray[np.int64]
    times_s: NDArray[np.float64]
    boxes_px: BoxArray
    confidences: FloatArray

    def __len__(self) -> int:
        return len(self.frame_indices)


@dataclass(frozen=True, slots=True, eq=False)
class Tracklet:
    """A closed track: one person (if the tracker was right) seen by one camera without a long gap.

    Attributes:
        track_no: Number within its source, from 1, in order of closing; ``(source_id, track_no)`` is unique.
        path: Where it was.
        crops: At most 60, in order of time, spread over the track.
        display_order: Indices into ``crops``, best first.
        frame_size_px: ``(width, height)`` of the frames.
    """

    track_no: int
    path: TrackPath
    crops: tuple[Crop, ...]
    display_order: tuple[int, ...]
    frame_size_px: tuple[int, int]

    @property
    def start_s(self) -> float:
        """Time of the first observation."""
        return float(self.path.times_s[0])

    @property
    def end_s(self) -> float:
        """Time of the last observation."""
        return float(self.path.times_s[-1])

    @property
    def quality(self) -> float:
        """Overall quality of the best crop, 0 without crops."""
        return self.crops[self.display_order[0]].quality.overall if self.display_order else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """A tracklet's place in one model's space.

    Attributes:
        model_id: The model that made it; vectors of two models are never compared.
        vector: L2-normalised. Shape ``(d,)``, float32.
        crop_vectors: L2-normalised, one for each embedded crop. Shape ``(K, d)``, float32.
    """

    model_id: str
    vector: FloatArray
    crop_vectors: FloatArray


@dataclass(frozen=True, slots=True)
class CameraLink:
    """A walking path between two cameras' views, without direction; ``distance_m`` in metres."""

    camera_a: str
    camera_b: str
    distance_m: float


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera of the site. ``position_m`` is its place on the plan, where the plan is known."""

    camera_id: str
    position_m: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a match was returned.

    Attributes:
        visual_distance: Cosine distance of the two tracklets' vectors, in ``[0, 2]``.
        gap_s: Seconds from the query's end to the answer's start, negative when it came before or overlaps, ``None``
            where the query has no time or a clock is unknown.
        crop_pairs: ``(query crop, answer crop, cosine distance)``, the most alike first.
        visual_log_odds: By how much the looks moved the log-odds of one person, in nats; ``None`` where nothing is
            calibrated.
        time_log_odds: By how much the times moved them, ``None`` where they say nothing.
        probability: Of showing one person, in ``[0, 1]``; ``None`` where nothing is calibrated.
        visual_rank: Where the answer would stand by looks alone, ``None`` where that was not asked or lies far behind.
        refined_distance: Cosine distance of what both became among their neighbours; ``None`` where nothing re-ranked.
        plain_rank: Where the answer would stand without re-ranking; ``None`` where nothing re-ranked.
    """

    visual_distance: float
    gap_s: float | None = None
    crop_pairs: tuple[tuple[int, int, float], ...] = ()
    visual_log_odds: float | None = None
    time_log_odds: float | None = None
    probability: float | None = None
    visual_rank: int | None = None
    refined_distance: float | None = None
    plain_rank: int | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """One answer to a search; ``rank`` starts at 1."""

    rank: int
    tracklet_no: int
    camera_id: str
    start_s: float
    end_s: float
    quality: float
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """Which tracklets a search may return; applied inside the vector search, never after it.

    Attributes:
        camera_ids: Only these cameras; ``None`` = all.
        exclude_camera_ids: Not these cameras.
        start_s: Only tracklets that end at or after this time.
        end_s: Only tracklets that start at or before this time.
        min_quality: Only tracklets of at least this quality.
        exclude_tracklet_nos: Not these tracklets (usually the query itself).
    """

    camera_ids: frozenset[str] | None = None
    exclude_camera_ids: frozenset[str] = frozenset()
    start_s: float | None = None
    end_s: float | None = None
    min_quality: float = 0.0
    exclude_tracklet_nos: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class StageSeconds:
    """Wall-clock seconds by stage of a piece of work, for ``--profile`` and benchmarks."""

    seconds: Mapping[str, float] = field(default_factory=dict)
