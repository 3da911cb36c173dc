"""Where and when tracklets were seen: all that the spatio-temporal model knows of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from reid_core.spatio_temporal.bodies import MARKS

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MatchedPairs", "Sightings", "foot_points"]


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """Where and when N tracklets were seen, by the cameras' own clocks.

    ``entries`` and ``exits`` may be left out. Where they are given, a transit model also learns by which part of the
    picture people leave for another camera, which tells more than the gap itself: give them where paths are stored.

    Attributes:
        camera_ids: The site's cameras.
        cameras: Index into ``camera_ids`` of each sighting. Shape ``(N,)``, int64.
        starts_s: UTC epoch seconds of the first frame, NaN where the clock is unknown. Shape ``(N,)``, float64.
        ends_s: UTC epoch seconds of the last frame, NaN where the clock is unknown. Shape ``(N,)``, float64.
        entries: Where the feet were at first sight, in shares of the picture's width and height; NaN where not known.
            Shape ``(N, 2)``, float64. See `foot_points`.
        exits: Where the feet were at last sight, in the same form. Shape ``(N, 2)``, float64.
        bodies: What paths tell of heights and paces (`body_marks`); NaN where not known. Shape ``(N, 7)``, float64.

    Raises:
        ValueError: If shapes do not fit, a camera is out of range, or a sighting ends before it starts.
    """

    camera_ids: tuple[str, ...]
    cameras: NDArray[np.int64]
    starts_s: NDArray[np.float64]
    ends_s: NDArray[np.float64]
    entries: NDArray[np.float64] | None = None
    exits: NDArray[np.float64] | None = None
    bodies: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        count = len(self.cameras)
        for name in ("cameras", "starts_s", "ends_s"):
            if getattr(self, name).shape != (count,):
                raise ValueError(f"{name} must have shape ({count},), got {getattr(self, name).shape}")
        for name in ("entries", "exits"):
            points = getattr(self, name)
            if points is not None and points.shape != (count, 2):
                raise ValueError(f"{name} must have shape ({count}, 2), got {points.shape}")
        if self.bodies is not None and self.bodies.shape != (count, MARKS):
            raise ValueError(f"bodies must have shape ({count}, {MARKS}), got {self.bodies.shape}")
        if count and not 0 <= self.cameras.min() <= self.cameras.max() < len(self.camera_ids):
            raise ValueError(f"cameras must be from 0 to {len(self.camera_ids) - 1}, got {np.unique(self.cameras)}")
        if (self.ends_s < self.starts_s).any():
            row = int(np.argmax(self.ends_s < self.starts_s))
            raise ValueError(f"sighting {row} ends at {self.ends_s[row]}, before it starts at {self.starts_s[row]}")

    def __len__(self) -> int:
        return len(self.cameras)

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_] | slice) -> Sightings:
        """The sightings at these rows, in their order."""
        return Sightings(
            self.camera_ids,
            self.cameras[rows],
            self.starts_s[rows],
            self.ends_s[rows],
            None if self.entries is None else self.entries[rows],
            None if self.exits is None else self.exits[rows],
            None if self.bodies is None else self.bodies[rows],
        )

    def clock_known(self) -> NDArray[np.bool_]:
        """Whether each sighting has a time. Shape ``(N,)``."""
        return np.isfinite(self.starts_s) & np.isfinite(self.ends_s)

    def shifted(self, seconds: NDArray[np.float64]) -> Sightings:
        """The same sightings, each camera's times later by so many seconds. ``seconds`` has shape ``(cameras,)``."""
        shift = seconds[self.cameras] if len(self) else np.zeros(0)
        return replace(self, starts_s=self.starts_s + shift, ends_s=self.ends_s + shift)


@dataclass(frozen=True, slots=True, eq=False)
class MatchedPairs:
    """Pairs of sightings that may show one person. None of them is taken for granted.

    Attributes:
        rows_a: Rows of a `Sightings`. Shape ``(P,)``, int64.
        rows_b: Rows of the same `Sightings`, each of another camera. Shape ``(P,)``, int64.
        weights: Prior probability from looks alone that the pair is one person, in ``[0, 1]``. Shape ``(P,)``.

    Raises:
        ValueError: If lengths differ or a weight is not in ``[0, 1]``.
    """

    rows_a: NDArray[np.int64]
    rows_b: NDArray[np.int64]
    weights: NDArray[np.float64]

    def __post_init__(self) -> None:
        """Refuse what cannot be pairs."""
        count = len(self.rows_a)
        if self.rows_a.shape != (count,) or self.rows_b.shape != (count,) or self.weights.shape != (count,):
            shapes = self.rows_a.shape, self.rows_b.shape, self.weights.shape
            raise ValueError(f"rows and weights must be lists of one length, got shapes {shapes}")
        if count and not (self.weights.min() >= 0 and self.weights.max() <= 1):
            raise ValueError(f"weights must be in [0, 1], got {self.weights.min()} to {self.weights.max()}")

    def __len__(self) -> int:
        return len(self.rows_a)

    def take(self, chosen: NDArray[np.integer] | NDArray[np.bool_]) -> MatchedPairs:
        """The pairs at these places, in their order."""
        return MatchedPairs(self.rows_a[chosen], self.rows_b[chosen], self.weights[chosen])


def foot_points(boxes_px: NDArray[np.floating], frame_sizes_px: NDArray[np.number]) -> NDArray[np.float64]:
    """Middle of each box's lower edge, in shares of the picture.

    Args:
        boxes_px: xyxy boxes. Shape ``(N, 4)``.
        frame_sizes_px: Width and height of each box's picture. Shape ``(N, 2)`` or ``(2,)``.

    Returns:
        Shape ``(N, 2)``; 0, 0 is the upper left corner and 1, 1 the lower right one.

    Example:
        >>> foot_points(np.array([[10.0, 20.0, 30.0, 80.0]]), np.array([200, 100])).tolist()
        [[0.1, 0.8]]
    """
    boxes = np.asarray(boxes_px, np.float64)
    feet = np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]])
    points: NDArray[np.float64] = feet / np.asarray(frame_sizes_px, np.float64)
    return points
