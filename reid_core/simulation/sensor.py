"""What a camera does to light: colour cast, gamma, noise, and exposure that wanders with the clouds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.simulation.settings import Difficulty
    from reid_core.types import ImageBGR

__all__ = ["Sensor", "Tone", "draw_tone", "tone_spread"]

_ROOM_PX: Final = 64
_DEPARTURES: Final = 7
_LUMA: Final = np.array([0.114, 0.587, 0.299])


@dataclass(frozen=True, slots=True)
class Tone:
    """A camera's colours.

    Attributes:
        matrix: Mixes blue, green and red: cast and saturation. Shape 3 x 3, one row for each channel that comes out.
        haze: Light that the lens adds everywhere, in ``[0, 1]``.
        gammas: Exponent of each channel on light in ``[0, 1]``; above 1 darkens.
        drift: Amplitude of the change of light over time.
        periods_s: Periods of the two waves that the light changes by.
        phases: Their phases in radians.
    """

    matrix: tuple[tuple[float, ...], ...]
    haze: float
    gammas: tuple[float, ...]
    drift: float
    periods_s: tuple[float, float]
    phases: tuple[float, float]

    def exposure(self, time_s: float) -> float:
        """Factor on all light at this time, 1 on average."""
        waves = (np.sin(2 * np.pi * time_s / p + phase) for p, phase in zip(self.periods_s, self.phases, strict=True))
        return 1.0 + self.drift * float(sum(waves)) / 2

    def table(self, time_s: float) -> NDArray[np.uint8]:
        """What each grey level of each channel becomes. Shape ``(1, 256, 3)``."""
        light = self.haze + (1.0 - self.haze) * np.arange(256)[:, None] / 255.0 * self.exposure(time_s)
        table: NDArray[np.uint8] = np.rint(255 * np.clip(light, 0, 1) ** np.array(self.gammas)).astype(np.uint8)
        return table[None]


def tone_spread(rng: np.random.Generator, cameras: int) -> NDArray[np.float64]:
    """How each camera of a site departs from the mean: every site has its dark, pale and tinted cameras.

    Args:
        rng: Deals the departures out.
        cameras: Number of cameras.

    Returns:
        Values in ``[-1, 1]``; each column holds one from each of ``cameras`` equal parts of that range.
        Shape ``(cameras, 7)``.
    """
    parts = np.stack([rng.permutation(cameras) for _ in range(_DEPARTURES)], axis=1)
    return (parts + rng.uniform(0, 1, parts.shape)) * 2 / cameras - 1


def draw_tone(rng: np.random.Generator, level: Difficulty, departures: NDArray[np.float64]) -> Tone:
    """The colours of one camera at this difficulty, by its row of `tone_spread`; shape ``(7,)``.

    One departure leads from pale and hazy to dark and saturated: gamma, haze and saturation go together, so that no
    site is easier for their cancelling out.
    """
    saturation = float(np.exp(level.saturation * departures[0]))
    gains = 1.0 + level.cast * departures[1:4]
    mixing = gains[:, None] * (saturation * np.eye(3) + (1.0 - saturation) * _LUMA)
    gammas = np.exp(level.gamma * departures[0] + 0.3 * level.gamma * departures[4:7])
    return Tone(
        matrix=tuple(tuple(row) for row in mixing.tolist()),
        haze=float(level.haze * (1 - departures[0]) / 2),
        gammas=tuple(gammas.tolist()),
        drift=level.light_drift,
        periods_s=(float(rng.uniform(25, 45)), float(rng.uniform(70, 130))),
        phases=(float(rng.uniform(0, 6.28)), float(rng.uniform(0, 6.28))),
    )


class Sensor:
    """Turns painted light into a picture, frame after frame; holds the noise and the random numbers that move it.

    Args:
        tone: Colours.
        noise: Standard deviation in grey levels.
        size_px: Width and height.
        rng: Shapes the noise and moves it from frame to frame.
    """

    def __init__(self, tone: Tone, *, noise: float, size_px: tuple[int, int], rng: np.random.Generator) -> None:
        self._tone = tone
        self._matrix = np.array(tone.matrix)
        self._rng = rng
        width, height = size_px
        grain = rng.normal(0, 1, (height + _ROOM_PX, width + _ROOM_PX)).astype(np.float32)
        grain = cv2.GaussianBlur(grain, (3, 3), 0.6)
        grain *= noise / float(grain.std())
        self._brighter = cv2.merge([np.rint(np.maximum(grain, 0)).astype(np.uint8)] * 3)
        self._darker = cv2.merge([np.rint(np.maximum(-grain, 0)).astype(np.uint8)] * 3)

    def expose(self, light: ImageBGR, time_s: float) -> ImageBGR:
        """The picture that the camera gives. ``(H, W, 3)`` to ``(H, W, 3)``."""
        height, width = light.shape[:2]
        mixed = cv2.transform(cv2.GaussianBlur(light, (3, 3), 0.55), self._matrix)
        image = cv2.LUT(mixed, self._tone.table(time_s))
        y, x = (int(offset) for offset in self._rng.integers(0, _ROOM_PX, 2))
        window = (slice(y, y + height), slice(x, x + width))
        cv2.add(image, self._brighter[window], dst=image)
        exposed: ImageBGR = cv2.subtract(image, self._darker[window], dst=image)
        return exposed
