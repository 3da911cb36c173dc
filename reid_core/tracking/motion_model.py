"""Where each tracked box will be next: a Kalman filter for all tracks of a camera at once.

The state of a box is centre x, centre y, width and height, each with its velocity a frame. The four coordinates do not
influence one another, so the 8x8 covariance is four 2x2 blocks and the whole update is elementwise arithmetic over
``(T, 4)`` arrays: no matrix is inverted, and twenty tracks cost little more than one. `filterpy` gives the shape of the
process noise here, and its `KalmanFilter` is the witness in the tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from filterpy.common import Q_discrete_white_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BoxFilter", "cxcywh_to_xyxy", "xyxy_to_cxcywh"]

_SMALLEST_SIDE_PX = 1.0


def xyxy_to_cxcywh(boxes_px: NDArray[np.floating]) -> NDArray[np.float64]:
    """Corners to centre, width and height. ``(N, 4)`` to ``(N, 4)``.

    Example:
        >>> xyxy_to_cxcywh(np.array([[0.0, 0.0, 4.0, 2.0]])).tolist()
        [[2.0, 1.0, 4.0, 2.0]]
    """
    turned = np.empty((len(boxes_px), 4))
    turned[:, 2:] = boxes_px[:, 2:]
    turned[:, 2:] -= boxes_px[:, :2]
    turned[:, :2] = boxes_px[:, :2] + turned[:, 2:] / 2
    return turned


def cxcywh_to_xyxy(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse of `xyxy_to_cxcywh`.

    Example:
        >>> cxcywh_to_xyxy(np.array([[2.0, 1.0, 4.0, 2.0]])).tolist()
        [[0.0, 0.0, 4.0, 2.0]]
    """
    turned = np.empty((len(boxes), 4))
    turned[:, :2] = boxes[:, :2] - boxes[:, 2:] / 2
    turned[:, 2:] = turned[:, :2] + boxes[:, 2:]
    return turned


class BoxFilter:
    """Constant-velocity Kalman filters of the boxes of one camera, one row for each track.

    All noise is relative to the box's height, so the filter does the same at any resolution.

    Source:
        Wojke et al., "Simple online and realtime tracking with a deep association metric", ICIP 2017, for noise in
        proportion to height; process noise is discrete white-noise acceleration (Bar-Shalom et al., "Estimation with
        applications to tracking and navigation", 2001, section 6.3).
    """

    def __init__(
        self,
        *,
        acceleration: float = 0.01,
        place_noise: float = 0.075,
        size_noise: float = 0.2,
        first_speed: float = 0.05,
    ) -> None:
        """Start without tracks. All four are standard deviations as shares of the box's height.

        Args:
            acceleration: Of every coordinate, a frame squared.
            place_noise: Of the centre of a detected box.
            size_noise: Of width and height of a detected box.
            first_speed: Of a new track's velocity, a frame.
        """
        process = Q_discrete_white_noise(dim=2, dt=1.0, var=acceleration**2)
        self._process = np.array([process[0, 0], process[0, 1], process[1, 1]]).reshape(3, 1, 1)
        self._measurement = np.array([place_noise, place_noise, size_noise, size_noise]) ** 2
        self._first_variance = first_speed**2
        self._mean = np.zeros((2, 0, 4))
        self._spread = np.zeros((3, 0, 4))

    def __len__(self) -> int:
        return self._mean.shape[1]

    @property
    def position(self) -> NDArray[np.float64]:
        """Centre x, centre y, width, height in pixels. Shape ``(T, 4)``."""
        position: NDArray[np.float64] = self._mean[0]
        return position

    @property
    def velocity(self) -> NDArray[np.float64]:
        """Change of the position a frame. Shape ``(T, 4)``."""
        velocity: NDArray[np.float64] = self._mean[1]
        return velocity

    @property
    def spread(self) -> NDArray[np.float64]:
        """Variance of position, its covariance with velocity, variance of velocity. Shape ``(3, T, 4)``."""
        return self._spread

    @property
    def boxes_px(self) -> NDArray[np.float64]:
        """Where the filter believes the boxes are, as xyxy. Shape ``(T, 4)``."""
        return cxcywh_to_xyxy(self._mean[0])

    def add(self, boxes_px: NDArray[np.floating]) -> None:
        """Append a row for each box that is seen for the first time. Shape ``(N, 4)``."""
        seen = xyxy_to_cxcywh(boxes_px)
        square = seen[:, 3:] ** 2
        still = np.zeros_like(seen)
        spread = np.stack([self._measurement * square, still, still + self._first_variance * square])
        self._mean = np.concatenate([self._mean, np.stack([seen, still])], axis=1)
        self._spread = np.concatenate([self._spread, spread], axis=1)

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Forget the tracks whose entry in ``rows`` is False. Shape ``(T,)``."""
        self._mean, self._spread = self._mean[:, rows], self._spread[:, rows]

    def predict(self) -> None:
        """Advance every track by one frame; no side of a box shrinks below one pixel."""
        position, velocity = self._mean
        noise = self._process * position[:, 3:] ** 2
        position += velocity
        np.maximum(position[:, 2:], _SMALLEST_SIDE_PX, out=position[:, 2:])
        variance, covariance, velocity_variance = self._spread
        variance += covariance
        covariance += velocity_variance
        variance += covariance
        self._spread += noise

    def update(
        self, rows: NDArray[np.intp], boxes_px: NDArray[np.floating], *, doubt: NDArray[np.floating] | float = 1.0
    ) -> None:
        """Take in one observed box for each of ``rows``.

        Args:
            rows: Tracks that were seen, each at most once. Shape ``(M,)``.
            boxes_px: What was seen, xyxy. Shape ``(M, 4)``.
            doubt: Factor on the variance of the observation, 1 = as stated; scalar or shape ``(M, 1)``.
        """
        position, velocity = self._mean[:, rows]
        variance, covariance, velocity_variance = self._spread[:, rows]
        total = variance + self._measurement * (position[:, 3:] ** 2 * doubt)
        gain, velocity_gain = variance / total, covariance / total
        surprise = xyxy_to_cxcywh(boxes_px) - position
        self._mean[0, rows] = position + gain * surprise
        self._mean[1, rows] = velocity + velocity_gain * surprise
        kept = 1 - gain
        self._spread[0, rows] = kept * variance
        self._spread[1, rows] = kept * covariance
        self._spread[2, rows] = velocity_variance - velocity_gain * covariance
