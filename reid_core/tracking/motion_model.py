"""Where each tracked box will be next: a Kalman filter for all tracks of a camera at once.

The state of a box is centre x, centre y, width and height, each with its velocity a frame. The four coordinates do not
influence one another, so the 8x8 covariance is four 2x2 blocks and the whole update is elementwise arithmetic over
``(T, 4)`` arrays: no matrix is inverted and twenty tracks cost what one costs. `filterpy` gives the shape of the
process noise here, and its `KalmanFilter` is the witness in the tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from filterpy.common import Q_discrete_white_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BoxFilter", "cxcywh_to_xyxy", "xyxy_to_cxcywh"]


def xyxy_to_cxcywh(boxes_px: NDArray[np.floating]) -> NDArray[np.float64]:
    """Corners to centre, width and height. ``(N, 4)`` to ``(N, 4)``.

    Example:
        >>> xyxy_to_cxcywh(np.array([[0.0, 0.0, 4.0, 2.0]])).tolist()
        [[2.0, 1.0, 4.0, 2.0]]
    """
    left_top, right_bottom = boxes_px[:, :2].astype(np.float64), boxes_px[:, 2:].astype(np.float64)
    return np.concatenate([(left_top + right_bottom) / 2, right_bottom - left_top], axis=1)


def cxcywh_to_xyxy(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse of `xyxy_to_cxcywh`."""
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


class BoxFilter:
    """Constant-velocity Kalman filters of the boxes of one camera, one row for each track.

    All noise is relative to the box's height, so the filter does the same at any resolution.

    Attributes:
        position: Centre x, centre y, width, height in pixels. Shape ``(T, 4)``.
        velocity: Their change a frame. Shape ``(T, 4)``.
        variance: Variance of position. Shape ``(T, 4)``.
        covariance: Of position with velocity. Shape ``(T, 4)``.
        velocity_variance: Shape ``(T, 4)``.

    Source:
        Wojke et al., "Simple online and realtime tracking with a deep association metric", ICIP 2017, for noise in
        proportion to height; process noise is discrete white-noise acceleration (Bar-Shalom et al., 2001, ch. 6.3).
    """

    def __init__(self, *, acceleration: float, measurement: float) -> None:
        """Start without tracks; both deviations are shares of the box's height."""
        self._process = Q_discrete_white_noise(dim=2, dt=1.0, var=acceleration**2)
        self._measurement_variance = measurement**2
        self.position = np.zeros((0, 4))
        self.velocity = np.zeros((0, 4))
        self.variance = np.zeros((0, 4))
        self.covariance = np.zeros((0, 4))
        self.velocity_variance = np.zeros((0, 4))

    def __len__(self) -> int:
        return len(self.position)

    @property
    def boxes_px(self) -> NDArray[np.float64]:
        """Where the filter believes the boxes are, as xyxy. Shape ``(T, 4)``."""
        return cxcywh_to_xyxy(self.position)

    def add(self, boxes_px: NDArray[np.floating], *, velocity_deviation: float) -> None:
        """Append rows for boxes seen for the first time; they may move by ``velocity_deviation`` heights a frame."""
        seen = xyxy_to_cxcywh(boxes_px)
        scale = np.repeat(seen[:, 3:4] ** 2, 4, axis=1)
        still = np.zeros_like(seen)
        self.position = np.concatenate([self.position, seen])
        self.velocity = np.concatenate([self.velocity, still])
        self.variance = np.concatenate([self.variance, self._measurement_variance * scale])
        self.covariance = np.concatenate([self.covariance, still])
        self.velocity_variance = np.concatenate([self.velocity_variance, velocity_deviation**2 * scale])

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Forget the tracks whose entry in ``rows`` is False. Shape ``(T,)``."""
        for name in ("position", "velocity", "variance", "covariance", "velocity_variance"):
            setattr(self, name, getattr(self, name)[rows])

    def predict(self) -> None:
        """Advance every track by one frame; a box never shrinks below one pixel."""
        scale = self.position[:, 3:4] ** 2
        self.position = self.position + self.velocity
        np.maximum(self.position[:, 2:], 1.0, out=self.position[:, 2:])
        self.variance = self.variance + 2 * self.covariance + self.velocity_variance + self._process[0, 0] * scale
        self.covariance = self.covariance + self.velocity_variance + self._process[0, 1] * scale
        self.velocity_variance = self.velocity_variance + self._process[1, 1] * scale

    def update(
        self,
        rows: NDArray[np.intp],
        boxes_px: NDArray[np.floating],
        *,
        doubt: NDArray[np.floating] | float = 1.0,
    ) -> None:
        """Take in one observed box for each of ``rows``.

        Args:
            rows: Tracks that were seen, each at most once. Shape ``(M,)``.
            boxes_px: What was seen, xyxy. Shape ``(M, 4)``.
            doubt: Factor on the measurement's variance, 1 = as stated; scalar or shape ``(M,)``.
        """
        seen = xyxy_to_cxcywh(boxes_px)
        noise = self._measurement_variance * self.position[rows, 3] ** 2 * doubt
        variance, covariance = self.variance[rows], self.covariance[rows]
        total = variance + noise[:, None]
        gain, velocity_gain = variance / total, covariance / total
        surprise = seen - self.position[rows]
        self.position[rows] += gain * surprise
        self.velocity[rows] += velocity_gain * surprise
        self.variance[rows] = (1 - gain) * variance
        self.covariance[rows] = (1 - gain) * covariance
        self.velocity_variance[rows] -= velocity_gain * covariance
