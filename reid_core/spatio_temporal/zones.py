"""The parts of each camera's picture where people appear and vanish: doors, edges, ways to other cameras.

Learned from the points themselves, without a map: a mixture of upright Gaussian spots and a uniform rest, the number
of spots by the Bayesian information criterion. Nothing here is drawn at random.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray

    from reid_core.spatio_temporal.sightings import Sightings

__all__ = ["UNKNOWN", "Zones", "find_zones", "zones_of"]

UNKNOWN: Final = -1
_MOST: Final = 8
_POINTS_EACH: Final = 30
_STEPS: Final = 60
_LEAST_SPREAD: Final = 0.02
_SMALLEST: Final = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Zones:
    """Spots of one camera's picture; what lies in none of them is "elsewhere", the last number.

    Attributes:
        centres: In shares of width and height. Shape ``(K, 2)``.
        spreads: Standard deviations across and along. Shape ``(K, 2)``.
        shares: Of the points that the zones were found in, "elsewhere" last; sums to 1. Shape ``(K + 1,)``.
    """

    centres: NDArray[np.float64]
    spreads: NDArray[np.float64]
    shares: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.shares)

    @staticmethod
    def none() -> Zones:
        """The whole picture is one zone."""
        return Zones(np.zeros((0, 2)), np.zeros((0, 2)), np.ones(1))

    def of(self, points: NDArray[np.float64] | None, count: int) -> NDArray[np.int64]:
        """Zone of each point, `UNKNOWN` where the point is not known.

        Args:
            points: Shape ``(N, 2)``, or ``None`` where no point is known.
            count: N.

        Returns:
            Shape ``(N,)``.
        """
        if points is None:
            return np.full(count, UNKNOWN, np.int64)
        known = np.isfinite(points).all(axis=1)
        zones = np.full(count, UNKNOWN, np.int64)
        zones[known] = _log_parts(points[known], self.centres, self.spreads, self.shares).argmax(axis=1)
        return zones

    def to_json(self) -> list[dict[str, Any]]:
        """A list of spots; "elsewhere" is what their shares leave."""
        return [
            {"x": round(c[0], 4), "y": round(c[1], 4), "spread": [round(s[0], 4), round(s[1], 4)], "share": share}
            for c, s, share in zip(self.centres.tolist(), self.spreads.tolist(), self.shares.tolist(), strict=False)
        ]

    @staticmethod
    def from_json(spots: list[Mapping[str, Any]]) -> Zones:
        """The inverse of `to_json`."""
        shares = [float(spot["share"]) for spot in spots]
        return Zones(
            np.array([[spot["x"], spot["y"]] for spot in spots], np.float64).reshape(-1, 2),
            np.array([spot["spread"] for spot in spots], np.float64).reshape(-1, 2),
            np.array([*shares, 1 - sum(shares)], np.float64),
        )


def find_zones(points: NDArray[np.float64]) -> Zones:
    """Find the spots where points lie close together.

    Args:
        points: In shares of width and height; rows that are not numbers are left out. Shape ``(N, 2)``.

    Returns:
        Up to eight zones, at most one for every thirty points.

    Raises:
        ValueError: If ``points`` has another shape.
    """
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"points must have shape (N, 2), got {points.shape}")
    known = points[np.isfinite(points).all(axis=1)]
    if len(known) < _POINTS_EACH:
        return Zones.none()
    found = [_fit(known, zones) for zones in range(min(_MOST, len(known) // _POINTS_EACH) + 1)]
    return min(found, key=lambda fit: fit[0])[1]


def zones_of(sightings: Sightings, zones: Mapping[str, Zones]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Zones in which each sighting began and ended, -1 where not known. Twice shape ``(N,)``."""
    found = np.full((2, len(sightings)), UNKNOWN, np.int64)
    for camera, camera_id in enumerate(sightings.camera_ids):
        rows = np.flatnonzero(sightings.cameras == camera)
        for edge, points in enumerate((sightings.entries, sightings.exits)):
            if camera_id in zones and points is not None:
                found[edge, rows] = zones[camera_id].of(points[rows], len(rows))
    return found[0], found[1]


def _fit(points: NDArray[np.float64], count: int) -> tuple[float, Zones]:
    """Expectation-maximisation from spread-out starting points; the criterion (small is good) and the zones."""
    centres = _spread_out(points, count)
    spreads = np.full((count, 2), 0.06)
    shares = np.full(count + 1, 1 / (count + 1))
    log_parts = _log_parts(points, centres, spreads, shares)
    for _ in range(_STEPS if count else 0):
        belongs = np.exp(log_parts - np.logaddexp.reduce(log_parts, axis=1, keepdims=True))
        weights = np.maximum(belongs[:, :count].sum(axis=0), 1e-9)
        centres = belongs[:, :count].T @ points / weights[:, None]
        square = (points[:, None, :] - centres[None]) ** 2
        spreads = np.sqrt(np.einsum("nk,nkd->kd", belongs[:, :count], square) / weights[:, None])
        spreads = np.maximum(spreads, _LEAST_SPREAD)
        shares = np.maximum(belongs.sum(axis=0), 1e-3) / len(points)
        shares /= shares.sum()
        log_parts = _log_parts(points, centres, spreads, shares)
    likelihood = float(np.logaddexp.reduce(log_parts, axis=1).sum())
    tiny = count and (shares[:count] * len(points)).min() < _SMALLEST
    criterion = np.inf if tiny else 5 * count * float(np.log(len(points))) - 2 * likelihood
    return criterion, Zones(centres, spreads, shares)


def _spread_out(points: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Start with the point that most others are near to, then always the one that most are near to and none was."""
    square = ((points[:, None, :] - points[None]) ** 2).sum(axis=2) if len(points) <= 2000 else None
    if square is None:
        return _spread_out(points[:: -(-len(points) // 2000)], count)
    near = np.exp(-square / (2 * 0.05**2))
    left = np.ones(len(points))
    chosen: list[int] = []
    for _ in range(count):
        best = int((near @ left * left).argmax())
        chosen.append(best)
        left *= 1 - near[best]
    return points[chosen]


def _log_parts(
    points: NDArray[np.float64], centres: NDArray[np.float64], spreads: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Logarithm of each zone's share times density, the uniform rest last. Shape ``(N, K + 1)``."""
    off = (points[:, None, :] - centres[None]) / spreads[None]
    density = -0.5 * (off**2).sum(axis=2) - np.log(spreads).sum(axis=1)[None] - np.log(2 * np.pi)
    with np.errstate(divide="ignore"):
        logs = np.log(shares)
    return np.column_stack([density + logs[None, :-1], np.full(len(points), logs[-1])])
