"""By how much one camera's clock is ahead of another's, from pairs that may have walked between them.

Under the right shift both ways' gaps fall together. A small mixture (a direct walk and slower ways, of one shape both
ways) is fitted under every shift of a grid at once; how likely each shift is then makes a profile for every two
cameras, and the shifts are chosen that are likely together: one clock cannot be early for one neighbour and late for
another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.spatio_temporal.clocks import ClockShift

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from reid_core.spatio_temporal.link_pairs import LinkPairs

__all__ = ["ShiftProfile", "clock_shifts", "shift_profile"]

_STEP_S: Final = 1.0
_MOST_PAIRS: Final = 300
_STEPS: Final = 9
_WIDTHS: Final = (0.12, 1.0)
_ZONE_PAIRS: Final = 3.0
_USUAL_ERROR_S: Final = 4.0
_DIRECT: Final = (0.35, 3.0)
_SLOW: Final = (0.7, 4.0)
_SLOWER: Final = 4.0
_MOST_EXPLAINED: Final = 0.95
_TURNS: Final = 20
_LEAST_GAIN: Final = 5.0
_DROP: Final = 2.0
_WIDEST_S: Final = 3.0
_LEAST_ERROR_S: Final = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class ShiftProfile:
    """How likely each shift of B's clock against A's is, in nats against the background alone.

    Attributes:
        shifts_s: Evenly spaced. Shape ``(D,)``.
        heights: Shape ``(D,)``.
    """

    shifts_s: NDArray[np.float64]
    heights: NDArray[np.float64]

    def at(self, shifts_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Height of any shifts, the lowest one beyond the profile; the shape is kept."""
        least = float(self.heights.min())
        found: NDArray[np.float64] = np.interp(shifts_s, self.shifts_s, self.heights, left=least, right=least)
        return found


def shift_profile(data: LinkPairs, *, walk_s: float, walk_sd: float, largest_s: float) -> ShiftProfile:
    """Fit the pairs of two cameras under every shift.

    Args:
        data: Pairs of the two cameras, by uncorrected clocks.
        walk_s: Expected direct walk, both ways.
        walk_sd: Standard deviation of the logarithm of that expectation.
        largest_s: Shifts up to this are tried, either way.
    """
    if len(data) > _MOST_PAIRS:
        data = data.take(np.sort(np.argsort(-data.weights, kind="stable")[:_MOST_PAIRS]))
    steps = int(np.ceil(largest_s / _STEP_S))
    shifts_s = _STEP_S * np.arange(-steps, steps + 1, dtype=np.float64)
    fit = _Fit(data, shifts_s, walk_s)
    for _ in range(_STEPS):
        fit.climb()
    expected = -0.5 * ((fit.log_means[0] - np.log(walk_s)) / walk_sd) ** 2
    return ShiftProfile(shifts_s, fit.log_likelihood() + expected)


def clock_shifts(
    profiles: Mapping[tuple[int, int], ShiftProfile], camera_ids: Sequence[str], *, largest_s: float
) -> list[ClockShift]:
    """Shifts of the pairs of cameras that are likely together, and each pair's own opinion near them.

    Args:
        profiles: By index of the two cameras.
        camera_ids: All cameras.
        largest_s: No clock is further from the first one than this.

    Returns:
        A shift for each pair of cameras whose profile has a clear peak there; the others say nothing of clocks.
    """
    seconds = _likely_together(profiles, len(camera_ids), largest_s)
    found = []
    for (a, b), profile in profiles.items():
        peak = _peak_near(profile, float(seconds[b] - seconds[a]))
        if peak is not None:
            found.append(ClockShift(camera_ids[a], camera_ids[b], *peak))
    return found


def _likely_together(
    profiles: Mapping[tuple[int, int], ShiftProfile], count: int, largest_s: float
) -> NDArray[np.float64]:
    """Offsets of all cameras that add up to the greatest height: camera by camera, from several beginnings."""
    grid = _STEP_S * np.arange(-int(largest_s / _STEP_S), int(largest_s / _STEP_S) + 1, dtype=np.float64)
    usual = -np.log1p((grid / _USUAL_ERROR_S) ** 2)
    best, best_height = np.zeros(count), -np.inf
    for root in range(count):
        seconds, placed = np.zeros(count), {root}
        for turn in range(_TURNS):
            before = seconds.copy()
            for camera in [c for c in range(count) if c != root]:
                heights = usual + _heights(profiles, camera, seconds, grid, placed)
                seconds[camera] = grid[int(heights.argmax())]
                placed.add(camera)
            if turn and (seconds == before).all():
                break
        total = _total(profiles, seconds) - float(np.log1p((seconds / _USUAL_ERROR_S) ** 2).sum())
        if total > best_height:
            best, best_height = seconds - seconds[0], total
    return best


def _heights(
    profiles: Mapping[tuple[int, int], ShiftProfile],
    camera: int,
    seconds: NDArray[np.float64],
    grid: NDArray[np.float64],
    placed: set[int],
) -> NDArray[np.float64]:
    """What the placed neighbours of a camera say to each offset of it."""
    heights = np.zeros(len(grid))
    for (a, b), profile in profiles.items():
        if camera == b and a in placed:
            heights += profile.at(grid - seconds[a])
        elif camera == a and b in placed:
            heights += profile.at(seconds[b] - grid)
    return heights


def _total(profiles: Mapping[tuple[int, int], ShiftProfile], seconds: NDArray[np.float64]) -> float:
    return sum(float(p.at(np.array([seconds[b] - seconds[a]]))[0]) for (a, b), p in profiles.items())


def _peak_near(profile: ShiftProfile, shift_s: float) -> tuple[float, float] | None:
    """The nearest summit and its standard error; ``None`` where it is flat."""
    at = int(np.abs(profile.shifts_s - shift_s).argmin())
    heights = profile.heights
    while True:
        near = heights[max(at - 2, 0) : at + 3]
        step = int(near.argmax()) - (at - max(at - 2, 0))
        if step == 0:
            break
        at += step
    above = heights >= heights[at] - _DROP
    low = at - int(np.argmin(np.append(above[at::-1], False))) + 1
    high = at + int(np.argmin(np.append(above[at:], False))) - 1
    spread_s = float(profile.shifts_s[high] - profile.shifts_s[low])
    error_s = max(spread_s / 4, _LEAST_ERROR_S)
    open_end = low == 0 or high == len(heights) - 1
    if heights[at] - float(np.median(heights)) < _LEAST_GAIN or error_s > _WIDEST_S or open_end:
        return None
    return _between_steps(profile, at), error_s


def _between_steps(profile: ShiftProfile, at: int) -> float:
    """The summit of the parabola through three points."""
    if not 0 < at < len(profile.heights) - 1:
        return float(profile.shifts_s[at])
    left, top, right = profile.heights[at - 1 : at + 2].tolist()
    bend = left - 2 * top + right
    return float(profile.shifts_s[at]) + (0.5 * _STEP_S * (left - right) / bend if bend < 0 else 0.0)


class _Fit:
    """A mixture of two shapes under D shifts at once; arrays lead with the shape, then the shift."""

    def __init__(self, data: LinkPairs, shifts_s: NDArray[np.float64], walk_s: float) -> None:
        self._data = data
        count = len(shifts_s)
        self._expected = np.log([walk_s, _SLOWER * walk_s])
        self._widths = np.array([_DIRECT[0], _SLOW[0]])
        self._pairs = np.array([_DIRECT[1], _SLOW[1]])
        self.log_means = np.repeat(self._expected[:, None], count, axis=1)
        self.log_sds = np.repeat(self._widths[:, None], count, axis=1)
        self._shares = np.full((2, 2, count), 0.2)
        signs = (-1.0, 1.0)
        gaps = [data.gaps_s[None, :, way] + signs[way] * shifts_s[:, None] for way in (0, 1)]
        self._positive = [gap > 0 for gap in gaps]
        self._logs = [np.log(np.where(gap > 0, gap, 1.0)) for gap in gaps]
        self._background = [np.maximum(data.backgrounds[w].density(data.gaps_s[:, w]), 1e-7)[None] for w in (0, 1)]
        self._floor = [0.1 * float(data.backgrounds[w].densities.max(initial=1e-6)) for w in (0, 1)]
        self._zones = [
            (_one_hot(data.leaves[:, w], data.leave_shares[w]), _one_hot(data.arrives[:, w], data.arrive_shares[w]))
            for w in (0, 1)
        ]
        self._ratios: dict[tuple[int, int], NDArray[np.float64]] = {}

    def log_likelihood(self) -> NDArray[np.float64]:
        """Against the background alone. Shape ``(D,)``."""
        total, _ = self._explained()
        same = total + 1 - self._shares.sum(axis=(0, 1))[:, None]
        likelihood: NDArray[np.float64] = np.log1p(self._data.weights[None] * (same - 1)).sum(axis=1)
        return likelihood

    def climb(self) -> None:
        """One step of expectation-maximisation for all shifts."""
        total, parts = self._explained()
        weights = self._data.weights[None]
        same = weights * (total + 1 - self._shares.sum(axis=(0, 1))[:, None])
        scale = weights / (same + 1 - weights)
        pairs = (same / (same + 1 - weights)).sum(axis=1)
        for shape in (0, 1):
            belongs = [parts[shape, way] * scale for way in (0, 1)]
            self._move(shape, belongs)
            for way in (0, 1):
                counts = belongs[way].sum(axis=1)
                self._shares[shape, way] = (counts + 1.0) / (pairs + 6.0)
                leaves, arrives = (self._likelier(belongs[way], zones) for zones in self._zones[way])
                self._ratios[shape, way] = leaves * arrives
        total_share = self._shares.sum(axis=(0, 1))
        self._shares *= np.minimum(1.0, _MOST_EXPLAINED / total_share)[None, None]

    def _explained(self) -> tuple[NDArray[np.float64], dict[tuple[int, int], NDArray[np.float64]]]:
        parts = {}
        for shape in (0, 1):
            mean, sd = self.log_means[shape][:, None], self.log_sds[shape][:, None]
            for way in (0, 1):
                logs = self._logs[way]
                density = np.exp(-0.5 * ((logs - mean) / sd) ** 2 - logs) / (sd * np.sqrt(2 * np.pi))
                ratio = np.where(self._positive[way], density, 0.0) / np.maximum(
                    self._background[way], self._floor[way]
                )
                zones = self._ratios.get((shape, way))
                parts[shape, way] = self._shares[shape, way][:, None] * (ratio if zones is None else ratio * zones)
        return sum(parts.values(), np.zeros_like(self._logs[0])), parts

    def _move(self, shape: int, belongs: list[NDArray[np.float64]]) -> None:
        pairs = sum(part.sum(axis=1) for part in belongs) + self._pairs[shape]
        first = sum((part * logs).sum(axis=1) for part, logs in zip(belongs, self._logs, strict=True))
        mean = (first + self._pairs[shape] * self._expected[shape]) / pairs
        second = sum(
            (part * (logs - mean[:, None]) ** 2).sum(axis=1) for part, logs in zip(belongs, self._logs, strict=True)
        )
        variance = (second + self._pairs[shape] * self._widths[shape] ** 2) / pairs
        self.log_means[shape], self.log_sds[shape] = mean, np.clip(np.sqrt(variance), *_WIDTHS)

    @staticmethod
    def _likelier(
        belongs: NDArray[np.float64], zones: tuple[NDArray[np.float64], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        """How much likelier each pair's zone is than for anybody. Shape ``(D, P)``."""
        hot, usual = zones
        counts = belongs @ hot
        ratios = (counts + _ZONE_PAIRS * usual) / (counts.sum(axis=1, keepdims=True) + _ZONE_PAIRS) / usual
        found: NDArray[np.float64] = ratios @ hot.T + (1 - hot.sum(axis=1))[None]
        return found


def _one_hot(zones: NDArray[np.int64], shares: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Which zone each pair has, one column each (none where it is not known); and how often anybody has it."""
    hot = np.zeros((len(zones), len(shares)))
    known = np.flatnonzero(zones >= 0)
    hot[known, zones[known]] = 1.0
    usual = np.maximum(shares, 0.01)
    return hot, usual / usual.sum()
