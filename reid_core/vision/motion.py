"""Tell whether a picture shows anything new, so that the detector can rest while a scene is still."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from reid_core.types import FloatArray, ImageBGR

__all__ = ["MotionGate", "MotionGateSettings"]

_SAMPLES_LONGEST = 384
_BLOCK_PX = 8  # the least side of a block: video coders flicker by blocks of this size
_SIGMA_OF_MEDIAN_DEVIATION = 1.4826  # of a normal distribution


@dataclass(frozen=True, slots=True)
class MotionGateSettings:
    """When a picture counts as still.

    Attributes:
        refresh_frames: At most this many pictures in a row are called still less one: every ``refresh_frames``-th is
            looked at whatever it shows. Choose no more than the frames of a second.
        blocks_longest: Blocks along the picture's longer side, fewer where they would be under 8 px.
        min_level: A block whose mean brightness differs by no more than this many of 256 grey levels has not changed,
            however quiet the rest of the picture is.
        max_level: A block that differs by more than this has changed, however noisy the rest is.
        noise_factor: Between the two, a block has changed from this many standard deviations of the noise on.
        min_blocks: Fewer changed blocks than this are noise.
        max_light_level: A change of the whole picture by more than this many grey levels is motion.
    """

    refresh_frames: int = 10
    blocks_longest: int = 96
    min_level: float = 4.0
    max_level: float = 12.0
    noise_factor: float = 6.0
    min_blocks: int = 2
    max_light_level: float = 3.0

    @staticmethod
    def at_rate(fps: float) -> MotionGateSettings:
        """The default settings for a camera of this many frames a second: a look at least every second.

        Example:
            >>> MotionGateSettings.at_rate(25.0).refresh_frames, MotionGateSettings.at_rate(0.5).refresh_frames
            (25, 1)
        """
        return MotionGateSettings(refresh_frames=max(int(fps), 1))

    def __post_init__(self) -> None:
        """Refuse settings under which the gate would never open or never close."""
        if self.refresh_frames < 1:
            raise ValueError(f"refresh_frames must be at least 1, got {self.refresh_frames}")
        if self.blocks_longest < 8:
            raise ValueError(f"blocks_longest must be at least 8, got {self.blocks_longest}")
        if not 0 < self.min_level <= self.max_level:
            raise ValueError(f"levels must satisfy 0 < min <= max, got {self.min_level} and {self.max_level}")


class MotionGate:
    """Compares each picture of one camera with the last one the detector saw.

    The caller runs the detector whenever `is_still` says no. The reference moves only then, so slow motion adds up
    until it is seen.

    Args:
        settings: When a picture counts as still.

    Example:
        >>> gate, picture = MotionGate(), np.zeros((48, 64, 3), np.uint8)
        >>> gate.is_still(picture), gate.is_still(picture)
        (False, True)
        >>> gate.is_still(picture + np.uint8(20))
        False
    """

    def __init__(self, settings: MotionGateSettings | None = None) -> None:
        self._settings = settings or MotionGateSettings()
        self._reference: FloatArray | None = None
        self._reference_size: tuple[int, ...] = ()
        self._reference_index = -1
        self._index = -1

    def is_still(self, image: ImageBGR, index: int | None = None) -> bool:
        """Whether the detector would find what it found last time.

        Args:
            image: BGR. Shape ``(H, W, 3)``, uint8.
            index: Number of the frame; ``None`` = one more than the last.

        Returns:
            False for the first picture, after `reset`, at a new size, when something moved or the light changed, and
            when the last look was ``refresh_frames`` ago. The picture is then the new reference.
        """
        self._index = self._index + 1 if index is None else index
        blocks = _block_means(image, self._settings.blocks_longest)
        if self._is_due(image) or self._reference is None or _has_changed(blocks - self._reference, self._settings):
            self._reference = blocks
            self._reference_size = image.shape
            self._reference_index = self._index
            return False
        return True

    def reset(self) -> None:
        """Forget the reference: the next picture is looked at."""
        self._reference = None

    def _is_due(self, image: ImageBGR) -> bool:
        waited = self._index - self._reference_index
        return image.shape != self._reference_size or not 0 < waited < self._settings.refresh_frames


def _block_means(image: ImageBGR, blocks_longest: int) -> FloatArray:
    """Mean brightness of each block, from a sample of the green pixels. ``(H, W, 3)`` to about ``(72, 96)``."""
    height, width = image.shape[:2]
    step = max(max(height, width) // _SAMPLES_LONGEST, 1)
    sample = np.ascontiguousarray(image[::step, ::step, 1])
    blocks = max(min(blocks_longest, max(height, width) // _BLOCK_PX), 1)
    scale = blocks / max(sample.shape)
    size = max(round(sample.shape[1] * scale), 1), max(round(sample.shape[0] * scale), 1)
    means: FloatArray = cv2.resize(sample.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return means


def _has_changed(difference: FloatArray, settings: MotionGateSettings) -> bool:
    """Whether blocks differ by more than the noise that the quiet half of the picture shows. ``(h, w)``."""
    light = float(np.median(difference))
    if abs(light) > settings.max_light_level:
        return True
    deviation = np.abs(difference - light)
    noise = _SIGMA_OF_MEDIAN_DEVIATION * float(np.median(deviation))
    level = min(max(settings.noise_factor * noise, settings.min_level), settings.max_level)
    return int(np.count_nonzero(deviation > level)) >= settings.min_blocks
