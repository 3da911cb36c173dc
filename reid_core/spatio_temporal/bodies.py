"""How tall people are and how fast they walk, out of the boxes of their paths: evidence that no clothes can change.

Where the ground is flat and people stand on it, a box's height is nearly a linear function of where its lower edge is;
whoever is taller than that is taller than the camera's usual passer-by. Everything is relative to the camera's own
crowd, so no calibration of cameras is needed, and neither focal length nor height of a camera matters much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MARKS", "body_marks", "heights_and_feet", "paces", "statures"]

MARKS: Final = 7
_THIRDS: Final = 3
_QUANTILE: Final = 0.65
_EDGE_PX: Final = 3.0
_FEWEST: Final = 6
_STRIDE_S: Final = 1.0
_DEPTH: Final = 1.2  # focal length in picture heights; what it is in truth moves all paces of a camera alike
_LEAST_FOOT: Final = 0.05


def body_marks(
    boxes_px: NDArray[np.floating], times_s: NDArray[np.float64], frame_size_px: tuple[int, int]
) -> NDArray[np.float64]:
    """What a path tells of its body, without any knowledge of the camera.

    Boxes at the picture's edge are left out: they are cut. Of each third of the others one box speaks: where the height
    over the lower edge's place is at its 0.65 quantile, as bodies are hidden more often than boxes are too tall.

    Args:
        boxes_px: xyxy, in order of time. Shape ``(n, 4)``.
        times_s: Of the boxes, by the camera's clock. Shape ``(n,)``.
        frame_size_px: Width and height of the picture.

    Returns:
        Lower edge and height of three boxes, in shares of the picture's height, and the logarithm of the pace; NaN
        where there is too little to tell. Shape ``(7,)``.
    """
    found = np.full(MARKS, np.nan)
    width, height = frame_size_px
    boxes = np.asarray(boxes_px, np.float64)
    whole = (boxes[:, :2] > _EDGE_PX).all(1) & (boxes[:, 2] < width - _EDGE_PX) & (boxes[:, 3] < height - _EDGE_PX)
    whole &= boxes[:, 3] > _LEAST_FOOT * height
    boxes, times = boxes[whole], np.asarray(times_s, np.float64)[whole]
    if len(boxes) < _FEWEST:
        return found
    feet, tall = boxes[:, 3] / height, (boxes[:, 3] - boxes[:, 1]) / height
    for number, rows in enumerate(np.array_split(np.arange(len(boxes)), _THIRDS)):
        order = np.argsort(tall[rows] / feet[rows], kind="stable")
        chosen = rows[order[int(_QUANTILE * (len(rows) - 1) + 0.5)]]
        found[2 * number : 2 * number + 2] = feet[chosen], tall[chosen]
    found[-1] = _log_pace((boxes[:, 0] + boxes[:, 2]) / 2 / height - width / height / 2, feet, times)
    return found


def _log_pace(across: NDArray[np.float64], feet: NDArray[np.float64], times_s: NDArray[np.float64]) -> float:
    """Logarithm of the median speed over the ground, in units of the camera's height a second."""
    later = np.searchsorted(times_s, times_s + _STRIDE_S)
    first = np.flatnonzero(later < len(times_s))
    if not len(first):
        return float("nan")
    last = later[first]
    x, z = across / feet, _DEPTH / feet
    speeds = np.hypot(x[last] - x[first], z[last] - z[first]) / (times_s[last] - times_s[first])
    median = float(np.median(speeds))
    return float(np.log(median)) if median > 0 else float("nan")


def statures(bodies: NDArray[np.float64], slope: float, base: float) -> NDArray[np.float64]:
    """How much taller than a line of usual heights, as a logarithm: the median of the three boxes.

    Args:
        bodies: As `body_marks` has them. Shape ``(N, 7)``.
        slope: Usual height over the place of the feet.
        base: Usual height where the feet are at the picture's upper edge.

    Returns:
        NaN where not known. Shape ``(N,)``.
    """
    usual = slope * bodies[:, 0 : MARKS - 1 : 2] + base
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.log(bodies[:, 1 : MARKS - 1 : 2] / np.where(usual > 0, usual, np.nan))
    return np.asarray(np.median(logs, axis=1), np.float64)


def paces(bodies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms of the paces; NaN where not known. Shape ``(N,)``."""
    return np.asarray(bodies[:, MARKS - 1], np.float64)


def heights_and_feet(bodies: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places of the lower edge and heights of all boxes that are known, in shares of the picture. Shapes ``(m,)``."""
    boxes = bodies[:, : MARKS - 1].reshape(-1, 2)
    known = boxes[np.isfinite(boxes).all(axis=1)]
    return known[:, 0], known[:, 1]
