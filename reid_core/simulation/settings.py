"""Everything that a simulated site can be told, and what each difficulty means."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from reid_core.errors import SimulationSettingsError

__all__ = ["DIFFICULTIES", "CameraFormat", "Difficulty", "SiteSettings", "camera_format", "generator"]


@dataclass(frozen=True, slots=True)
class Difficulty:
    """How hard it is to tell people apart and to trust the clocks; shares and amplitudes in ``[0, 1]`` unless said.

    Attributes:
        uniform_share: Share of the people who wear the same outfit as someone else.
        saturated_share: Chance that a garment is of a saturated colour.
        pattern_share: Chance that an upper garment has a pattern.
        open_jacket_share: Chance of a jacket that shows another colour from the front only.
        bag_change: Chance that a bag comes or goes between two visits.
        cast: Half range of each colour channel's gain between cameras.
        gamma: Half range of the logarithm of a camera's gamma.
        saturation: Half range of the logarithm of a camera's saturation.
        haze: Most light that a lens adds everywhere.
        noise: Standard deviation of the sensor's noise in grey levels.
        shade: Brightness in the shade against 1 in the sun.
        tint: Colour of sun, shade and glows.
        light_drift: Amplitude of the light's change over time.
        clock_offset_s: Half range of a camera clock's error in seconds.
        furniture: Pieces of street furniture in a view.
    """

    uniform_share: float
    saturated_share: float
    pattern_share: float
    open_jacket_share: float
    bag_change: float
    cast: float
    gamma: float
    saturation: float
    haze: float
    noise: float
    shade: float
    tint: float
    light_drift: float
    clock_offset_s: float
    furniture: int


DIFFICULTIES: Final = {
    "easy": Difficulty(
        uniform_share=0.31,
        saturated_share=0.35,
        pattern_share=0.45,
        open_jacket_share=0.15,
        bag_change=0.05,
        cast=0.03,
        gamma=0.05,
        saturation=0.1,
        haze=0.02,
        noise=2.0,
        shade=0.85,
        tint=0.05,
        light_drift=0.03,
        clock_offset_s=1.0,
        furniture=4,
    ),
    "default": Difficulty(
        uniform_share=0.45,
        saturated_share=0.05,
        pattern_share=0.3,
        open_jacket_share=0.3,
        bag_change=0.25,
        cast=0.09,
        gamma=0.18,
        saturation=0.3,
        haze=0.07,
        noise=3.5,
        shade=0.5,
        tint=0.28,
        light_drift=0.07,
        clock_offset_s=4.0,
        furniture=7,
    ),
    "hard": Difficulty(
        uniform_share=0.65,
        saturated_share=0.03,
        pattern_share=0.2,
        open_jacket_share=0.4,
        bag_change=0.4,
        cast=0.17,
        gamma=0.4,
        saturation=0.5,
        haze=0.18,
        noise=6.0,
        shade=0.4,
        tint=0.4,
        light_drift=0.12,
        clock_offset_s=12.0,
        furniture=10,
    ),
}


@dataclass(frozen=True, slots=True)
class CameraFormat:
    """Picture size in pixels and frames a second of one camera."""

    width_px: int
    height_px: int
    fps: int


_FORMATS: Final = (
    CameraFormat(960, 540, 10),
    CameraFormat(960, 540, 10),
    CameraFormat(1024, 576, 12),
    CameraFormat(896, 504, 8),
)


def camera_format(camera: int) -> CameraFormat:
    """Format of the camera with this number from 0: 960x540 at 10 frames a second, every third and fourth varied."""
    return _FORMATS[camera % len(_FORMATS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSettings:
    """What the user asks for; equal settings give equal bytes of truth and equal pixels.

    Attributes:
        seed: Any whole number from 0.
        cameras: At least 2; two are joined by one link, more stand in a ring.
        people: Identities, at least 1.
        minutes: Length of each camera's recording, above 0.
        difficulty: ``easy``, ``default`` or ``hard``.
        processes: Cameras rendered at the same time; does not change the result.

    Raises:
        SimulationSettingsError: If a value is out of its range.
    """

    seed: int = 7
    cameras: int = 4
    people: int = 100
    minutes: float = 2.0
    difficulty: str = "default"
    processes: int = 2

    def __post_init__(self) -> None:
        """Refuse what no site can be made of."""
        if self.seed < 0:
            raise SimulationSettingsError(f"seed must be at least 0, not {self.seed}")
        if self.cameras < 2:
            raise SimulationSettingsError(f"cameras must be at least 2, not {self.cameras}")
        if self.people < 1:
            raise SimulationSettingsError(f"people must be at least 1, not {self.people}")
        if not (math.isfinite(self.minutes) and self.minutes > 0):
            raise SimulationSettingsError(f"minutes must be above 0, not {self.minutes}")
        if self.difficulty not in DIFFICULTIES:
            raise SimulationSettingsError(
                f"difficulty must be one of {', '.join(DIFFICULTIES)}, not {self.difficulty!r}"
            )
        if self.processes < 1:
            raise SimulationSettingsError(f"processes must be at least 1, not {self.processes}")

    @property
    def duration_s(self) -> float:
        """Seconds that each camera records."""
        return self.minutes * 60.0

    @property
    def level(self) -> Difficulty:
        """What the difficulty's name stands for."""
        return DIFFICULTIES[self.difficulty]

    @property
    def camera_ids(self) -> tuple[str, ...]:
        """``cam1``, ``cam2``, ..."""
        return tuple(f"cam{number}" for number in range(1, self.cameras + 1))

    def frames_of(self, camera: int) -> int:
        """Frames that the camera with this number from 0 records, at least 1."""
        return max(1, round(self.duration_s * camera_format(camera).fps))

    @property
    def total_frames(self) -> int:
        """Frames of all cameras: the steps that progress counts."""
        return sum(self.frames_of(camera) for camera in range(self.cameras))


def generator(seed: int, *purpose: int) -> np.random.Generator:
    """Random numbers for one purpose; each purpose has a stream of its own, whoever draws first.

    Args:
        seed: The site's seed.
        purpose: Numbers that name the purpose, such as a stage and a camera.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=purpose))
