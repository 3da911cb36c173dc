"""A folder of pictures, read as a video."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import cv2
import numpy as np

from reid_core.errors import NotAVideoError
from reid_core.types import Frame, VideoInfo
from reid_core.vision.video_clock import source_start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reid_core.types import ImageBGR

__all__ = ["ImageFolder", "natural_order"]

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm"})


def natural_order(name: str) -> list[tuple[int, int, str]]:
    """Sorting key that reads digits as numbers.

    Example:
        >>> sorted(["img10.jpg", "img9.jpg", "a1.jpg"], key=natural_order)
        ['a1.jpg', 'img9.jpg', 'img10.jpg']
    """
    parts = re.split(r"([0-9]+)", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in parts] + [(2, 0, name)]


class ImageFolder:
    """Pictures of one folder in natural order of their names, at a fixed rate.

    Args:
        folder: Holds the pictures; other files are passed over.
        start_time_s: UTC epoch seconds of the first picture.
        fps: Pictures a second.

    Raises:
        NotAVideoError: If no picture can be decoded.
    """

    def __init__(self, folder: Path, *, start_time_s: float | None = None, fps: float = 10.0) -> None:
        if fps <= 0:
            raise ValueError(f"fps must be positive, got {fps}")
        self._files = sorted(
            (file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES and file.is_file()),
            key=lambda file: natural_order(file.name),
        )
        first = next((image for image in map(_read, self._files) if image is not None), None)
        if first is None:
            raise NotAVideoError(f"{folder} holds no picture that can be decoded")
        start_s, quality = source_start(start_time_s, {})
        self._info = VideoInfo(first.shape[1], first.shape[0], fps, len(self._files), start_s, quality)
        self._problems: list[str] = []

    @property
    def info(self) -> VideoInfo:
        """What the folder promises."""
        return self._info

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong, one line each; complete after the last frame."""
        return tuple(self._problems)

    def frames(self, *, first_index: int = 0) -> Iterator[Frame]:
        """Yield the pictures from ``first_index`` on; one that cannot be decoded leaves a gap in time."""
        self._problems = []
        index = 0
        size = (self._info.width, self._info.height)
        for place, file in enumerate(self._files):
            image = _read(file)
            if image is None:
                self._problems.append(f"{file.name} cannot be decoded and was passed over")
                continue
            if (image.shape[1], image.shape[0]) != size:
                self._problems.append(
                    f"size changes from {size[0]}x{size[1]} to {image.shape[1]}x{image.shape[0]} at {file.name}"
                )
                size = (image.shape[1], image.shape[0])
            if index >= first_index:
                yield Frame(index, self._info.start_time_s + place / self._info.fps, image)
            index += 1

    def close(self) -> None:
        """Nothing is held open."""


def _read(file: Path) -> ImageBGR | None:
    """A picture as BGR, ``None`` where it cannot be decoded."""
    try:
        content = np.fromfile(file, dtype=np.uint8)
    except OSError:
        return None
    image: ImageBGR | None = cv2.imdecode(content, cv2.IMREAD_COLOR) if content.size else None
    return image
