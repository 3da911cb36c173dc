"""How far each camera's clock is ahead, from shifts between pairs of cameras.

A peak of one direction holds the walk and both clocks' errors, so one direction alone tells nothing. Where people walk
alike both ways, the shift that makes both ways' gaps fall together is the difference of the clocks; the shifts of all
pairs are then reconciled by robust least squares over the graph of cameras.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["ClockOffsets", "ClockShift", "estimate_offsets"]

_LEAST_ERROR_S: Final = 0.2
_HUBER: Final = 1.5
_ROUNDS: Final = 30
_TOO_FAR: Final = 4.0


@dataclass(frozen=True, slots=True)
class ClockShift:
    """By how much camera B's clock is ahead of camera A's, as their own pairs tell.

    Attributes:
        camera_a: One camera.
        camera_b: The other.
        shift_s: Offset of B less offset of A.
        error_s: Standard error of the shift, above 0.
        residual_s: What the offsets of all cameras leave of the shift; 0 where no cycle tests it.
        closes: Whether the residual is within what the error allows; a pair that does not close is wrong about its
            clocks, or people do not walk alike both ways there.
    """

    camera_a: str
    camera_b: str
    shift_s: float
    error_s: float
    residual_s: float = 0.0
    closes: bool = True


@dataclass(frozen=True, slots=True)
class ClockOffsets:
    """Offsets of a site's clocks, each against the first camera of its component.

    Attributes:
        offsets_s: By camera id; ``None`` where nothing determines it ("unidentified").
        errors_s: Standard error of each identified offset; 0 for a component's first camera.
        components: Number of the connected component of each camera. Offsets of two components do not compare.
        shifts: What the offsets were made from, with residuals.
    """

    offsets_s: Mapping[str, float | None]
    errors_s: Mapping[str, float]
    components: Mapping[str, int]
    shifts: tuple[ClockShift, ...] = ()

    @staticmethod
    def unidentified(camera_ids: Sequence[str]) -> ClockOffsets:
        """Nothing is known of any clock."""
        return estimate_offsets(camera_ids, ())

    def seconds(self, camera_ids: Sequence[str]) -> NDArray[np.float64]:
        """Offset of each camera, 0 where it is unidentified or the camera is not known. Shape ``(cameras,)``."""
        return np.array([self.offsets_s.get(camera) or 0.0 for camera in camera_ids], np.float64)

    def uncertainty_s(self, camera_ids: Sequence[str]) -> NDArray[np.float64]:
        """Two standard errors of each camera's offset, infinite where it is unidentified. Shape ``(cameras,)``."""
        return np.array([2 * self.errors_s.get(camera, np.inf) for camera in camera_ids], np.float64)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, ``null`` for unidentified ones."""
        cameras = [
            {
                "camera": camera,
                "offset_s": None if offset is None else round(offset, 3),
                "error_s": round(self.errors_s[camera], 3) if camera in self.errors_s else None,
                "component": self.components[camera],
            }
            for camera, offset in self.offsets_s.items()
        ]
        shifts = [
            {
                "between": [shift.camera_a, shift.camera_b],
                "shift_s": round(shift.shift_s, 3),
                "error_s": round(shift.error_s, 3),
                "residual_s": round(shift.residual_s, 3),
                "closes": shift.closes,
            }
            for shift in self.shifts
        ]
        return {"cameras": cameras, "shifts": shifts}

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> ClockOffsets:
        """The inverse of `to_json`, up to its rounding."""
        cameras = document["cameras"]
        return ClockOffsets(
            offsets_s=MappingProxyType({one["camera"]: one["offset_s"] for one in cameras}),
            errors_s=MappingProxyType({one["camera"]: one["error_s"] for one in cameras if one["error_s"] is not None}),
            components=MappingProxyType({one["camera"]: int(one["component"]) for one in cameras}),
            shifts=tuple(_shift_from_json(one) for one in document["shifts"]),
        )


def estimate_offsets(camera_ids: Sequence[str], shifts: Sequence[ClockShift]) -> ClockOffsets:
    """Reconcile the shifts of pairs: robust (Huber) weighted least squares, one camera fixed per component.

    Args:
        camera_ids: All cameras.
        shifts: Of the pairs whose shift is known; residuals they may have are not read.

    Returns:
        Offsets against each component's first camera, which has 0; ``None`` for a camera that no shift touches.

    Raises:
        ValueError: If a shift names an unknown camera or its error is not above 0.

    Example:
        >>> shifts = [ClockShift("a", "b", 2.0, 0.5), ClockShift("b", "c", -1.0, 0.5)]
        >>> offsets = estimate_offsets(["a", "b", "c", "d"], shifts).offsets_s
        >>> [offset if offset is None else round(offset, 3) for offset in offsets.values()]
        [0.0, 2.0, 1.0, None]
    """
    for shift in shifts:
        if shift.camera_a not in camera_ids or shift.camera_b not in camera_ids:
            raise ValueError(f"a shift names an unknown camera: {shift.camera_a}, {shift.camera_b}")
        if not shift.error_s > 0:
            raise ValueError(f"the error of a shift must be above 0, got {shift.error_s}")
    numbers = {camera: number for number, camera in enumerate(camera_ids)}
    rows = np.array([[numbers[shift.camera_a], numbers[shift.camera_b]] for shift in shifts], np.int64).reshape(-1, 2)
    components = _components(len(camera_ids), rows)
    seconds, errors_s = _solved(components, rows, shifts)
    touched = set(rows.ravel().tolist())
    known = {camera: number for camera, number in numbers.items() if number in touched}
    return ClockOffsets(
        offsets_s=MappingProxyType({c: float(seconds[n]) if c in known else None for c, n in numbers.items()}),
        errors_s=MappingProxyType({camera: float(errors_s[number]) for camera, number in known.items()}),
        components=MappingProxyType({camera: int(components[number]) for camera, number in numbers.items()}),
        shifts=tuple(
            _judged(shift, float(seconds[b] - seconds[a])) for shift, (a, b) in zip(shifts, rows.tolist(), strict=True)
        ),
    )


def _shift_from_json(document: Mapping[str, Any]) -> ClockShift:
    camera_a, camera_b = document["between"]
    figures = document["shift_s"], document["error_s"], document["residual_s"]
    return ClockShift(camera_a, camera_b, *figures, bool(document["closes"]))


def _components(count: int, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of each camera's component, from 0 in the order of the cameras."""
    names = np.arange(count)
    for _ in range(count):
        for a, b in rows.tolist():
            names[[a, b]] = min(names[a], names[b])
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _solved(
    components: NDArray[np.int64], rows: NDArray[np.int64], shifts: Sequence[ClockShift]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Offsets and their standard errors, 0 for each component's first camera."""
    count = len(components)
    fixed = np.unique(components, return_index=True)[1]
    free = np.setdiff1d(np.arange(count), fixed)
    seconds, errors_s = np.zeros(count), np.zeros(count)
    if not len(shifts):
        return seconds, errors_s
    design = np.zeros((len(shifts), count))
    design[np.arange(len(shifts)), rows[:, 1]] += 1.0
    design[np.arange(len(shifts)), rows[:, 0]] -= 1.0
    wanted = np.array([shift.shift_s for shift in shifts])
    errors = np.maximum(np.array([shift.error_s for shift in shifts]), _LEAST_ERROR_S)
    trust = np.ones(len(shifts))
    for _ in range(_ROUNDS):
        scaled = design[:, free] * (np.sqrt(trust) / errors)[:, None]
        seconds[free] = np.linalg.lstsq(scaled, wanted * np.sqrt(trust) / errors, rcond=None)[0]
        off = np.abs(wanted - design @ seconds) / errors
        trust = np.where(off <= _HUBER, 1.0, _HUBER / np.maximum(off, 1e-12))
    errors_s[free] = np.sqrt(np.maximum(np.diag(np.linalg.pinv(scaled.T @ scaled)), 0.0))
    return seconds, errors_s


def _judged(shift: ClockShift, between_s: float) -> ClockShift:
    residual_s = shift.shift_s - between_s
    closes = abs(residual_s) <= _TOO_FAR * max(shift.error_s, _LEAST_ERROR_S)
    return ClockShift(shift.camera_a, shift.camera_b, shift.shift_s, shift.error_s, residual_s, closes)
