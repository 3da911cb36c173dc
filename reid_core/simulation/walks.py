"""One walk through one view: where the walker is, where they look, how far into their step, at any moment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Stay", "WalkState", "walk_points"]

_TURN_S: Final = 0.35
_FULL_STRIDE_MPS: Final = 1.3


@dataclass(frozen=True, slots=True)
class WalkState:
    """A walker at one moment.

    Attributes:
        position_m: On the view's ground.
        heading_rad: Direction of the walk, from the x axis towards the y axis.
        walked_m: Way walked since the walk began: drives the step.
        stride: Length of the steps against a usual walk's, 0 when standing.
    """

    position_m: tuple[float, float]
    heading_rad: float
    walked_m: float
    stride: float


@dataclass(frozen=True)
class Stay:
    """One person's walk through one camera's view, from gate to gate; it begins and ends outside the picture.

    Attributes:
        person: Index of the person from 0.
        camera: Number of the camera from 0.
        times_s: True time of each turning point, seconds since the site's start. Shape ``(K,)``, rising.
        points_m: Turning points on the ground; equal neighbours mean a pause. Shape ``(K, 2)``.
        carries: Whether the person has the bag along.
    """

    person: int
    camera: int
    times_s: NDArray[np.float64]
    points_m: NDArray[np.float64]
    carries: bool

    @property
    def start_s(self) -> float:
        """When the walk begins."""
        return float(self.times_s[0])

    @property
    def end_s(self) -> float:
        """When the walk ends."""
        return float(self.times_s[-1])

    @cached_property
    def _walked_m(self) -> NDArray[np.float64]:
        lengths = np.linalg.norm(np.diff(self.points_m, axis=0), axis=1)
        return np.concatenate([[0.0], np.cumsum(lengths)])

    @cached_property
    def _directions(self) -> NDArray[np.float64]:
        """Unit direction of each leg; a pause keeps the one before it. Shape ``(K - 1, 2)``."""
        steps = np.diff(self.points_m, axis=0)
        lengths = np.linalg.norm(steps, axis=1)
        for leg in range(1, len(steps)):
            if lengths[leg] < 1e-6:
                steps[leg], lengths[leg] = steps[leg - 1], lengths[leg - 1]
        directions: NDArray[np.float64] = steps / np.maximum(lengths, 1e-6)[:, None]
        return directions

    def positions_m(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Places on the ground at these moments. ``(T,)`` to ``(T, 2)``."""
        return np.stack([np.interp(times_s, self.times_s, self.points_m[:, axis]) for axis in (0, 1)], axis=-1)

    def state(self, time_s: float) -> WalkState:
        """The walker at one moment."""
        around = np.array([time_s - _TURN_S, time_s, time_s + _TURN_S])
        legs = np.clip(np.searchsorted(self.times_s, around, side="right") - 1, 0, len(self.times_s) - 2)
        x, y = self._directions[legs].sum(axis=0)
        walked = np.interp(around, self.times_s, self._walked_m)
        place = self.positions_m(around[1:2])[0]
        speed_mps = float(walked[2] - walked[0]) / (2 * _TURN_S)
        return WalkState(
            position_m=(float(place[0]), float(place[1])),
            heading_rad=float(np.arctan2(y, x)),
            walked_m=float(walked[1]),
            stride=min(1.12, speed_mps / _FULL_STRIDE_MPS),
        )


def walk_points(
    corners_m: NDArray[np.float64], *, aside_m: float, speed_mps: float, pauses_s: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn corners into a timed walk that keeps to the right.

    Args:
        corners_m: Places to pass. Shape ``(K, 2)``, K at least 2.
        aside_m: How far to the right of the straight line the walker keeps.
        speed_mps: Above 0.
        pauses_s: Seconds to stand at each corner. Shape ``(K,)``.

    Returns:
        Seconds since the walk's start, shape ``(2 K,)``, and points, shape ``(2 K, 2)``: arrival and leaving of each
        corner, less those at which no time passes.
    """
    steps = np.diff(corners_m, axis=0)
    units = steps / np.maximum(np.linalg.norm(steps, axis=1, keepdims=True), 1e-9)
    rights = np.stack([units[:, 1], -units[:, 0]], axis=1) * aside_m
    times, points = [0.0], [corners_m[0] + rights[0]]
    for corner in range(1, len(corners_m)):
        target = corners_m[corner] + rights[corner - 1]
        times.append(times[-1] + max(float(np.linalg.norm(target - points[-1])), 1e-3) / speed_mps)
        points.append(target)
        if pauses_s[corner] > 0:
            times.append(times[-1] + float(pauses_s[corner]))
            points.append(target)
    return np.array(times), np.array(points)
