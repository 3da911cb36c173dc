"""Which crops of a track are kept, and in which order they are shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from reid_core.types import Crop
from reid_core.vision.crops import encode_crop, sharpness, shrink_crop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reid_core.types import CropQuality, ImageBGR

__all__ = ["CropCandidate", "CropReservoir", "display_order"]

_SPREAD = 5  # as many parts of a track as the first crops shown should come from


@dataclass(frozen=True, slots=True, eq=False)
class CropCandidate:
    """A crop that may be kept; its pixels wait uncompressed because most candidates never become a JPEG.

    Attributes:
        cell: Place of its time cell in the track, from 0.
        quality: Of the crop; ``sharpness`` counts as 1 until it has been measured.
        pixels: At most 256 px high; a view into the frame until the candidate is kept.
    """

    cell: int
    frame_index: int
    time_s: float
    box_px: tuple[float, float, float, float]
    quality: CropQuality
    pixels: ImageBGR


class CropReservoir:
    """At most ``limit`` crops of one track, spread over its time, the best one of each time cell.

    Time is cut into cells of equal length from the track's start. When a cell beyond the last would begin, the cells
    double in length and each pair keeps its better crop. So memory is bounded for a track without end, and what is kept
    depends only on what was offered, never on when the track ends.
    """

    def __init__(self, *, start_s: float, cell_s: float, limit: int) -> None:
        self._start_s = start_s
        self._cell_s = cell_s
        self._limit = limit
        self._kept: list[CropCandidate] = []

    def __len__(self) -> int:
        return len(self._kept)

    def offer(
        self,
        frame_index: int,
        time_s: float,
        box_px: tuple[float, float, float, float],
        quality: CropQuality,
        pixels: ImageBGR,
    ) -> None:
        """Look at one crop; offers come in order of time.

        ``quality.sharpness`` is measured here, and only where it can matter.
        """
        cell = self._cell_of(time_s)
        while cell >= self._limit:
            self._double()
            cell = self._cell_of(time_s)
        rival = self._kept[-1] if self._kept and self._kept[-1].cell == cell else None
        if rival is not None and replace(quality, sharpness=1.0).overall <= rival.quality.overall:
            return
        measured = replace(quality, sharpness=sharpness(pixels))
        if rival is not None and measured.overall <= rival.quality.overall:
            return
        if rival is not None:
            self._kept.pop()
        self._kept.append(CropCandidate(cell, frame_index, time_s, box_px, measured, shrink_crop(pixels)))

    def crops(self) -> tuple[Crop, ...]:
        """The kept crops as JPEG, in order of time."""
        return tuple(_compress(candidate) for candidate in self._kept)

    def _cell_of(self, time_s: float) -> int:
        return int((time_s - self._start_s) / self._cell_s + 1e-6)

    def _double(self) -> None:
        self._cell_s *= 2
        best: dict[int, CropCandidate] = {}
        for candidate in self._kept:
            cell = candidate.cell // 2
            rival = best.get(cell)
            if rival is None or candidate.quality.overall > rival.quality.overall:
                best[cell] = replace(candidate, cell=cell)
        self._kept = list(best.values())


def display_order(qualities: Sequence[float], times_s: Sequence[float]) -> tuple[int, ...]:
    """Order in which crops are shown: the best first, then the best of those that are not close in time to one shown.

    Each pick has the largest product of quality and distance in time to the nearest earlier pick, where a distance of a
    fifth of the track counts as far enough.

    Args:
        qualities: Overall quality in ``[0, 1]``.
        times_s: As many, in any order.

    Returns:
        Each index once, best first; ties go to the smaller index.

    Example:
        >>> display_order([0.9, 0.89, 0.5], [0.0, 0.1, 10.0])
        (0, 2, 1)
    """
    quality = np.asarray(qualities, np.float64)
    times = np.asarray(times_s, np.float64)
    if quality.shape != times.shape:
        raise ValueError(f"{quality.size} qualities do not fit {times.size} times")
    if not quality.size:
        return ()
    far_s = max((times.max() - times.min()) / _SPREAD, 1e-9)
    nearest = np.ones_like(times)
    left = np.ones(len(times), bool)
    order: list[int] = []
    for _ in range(len(times)):
        pick = int(np.argmax(np.where(left, (quality + 1e-6) * (nearest + 1e-6), -1.0)))
        order.append(pick)
        left[pick] = False
        nearest = np.minimum(nearest, np.abs(times - times[pick]) / far_s)
    return tuple(order)


def _compress(candidate: CropCandidate) -> Crop:
    jpeg, width, height = encode_crop(candidate.pixels)
    return Crop(
        frame_index=candidate.frame_index,
        time_s=candidate.time_s,
        box_px=candidate.box_px,
        jpeg=jpeg,
        width_px=width,
        height_px=height,
        quality=candidate.quality,
    )
