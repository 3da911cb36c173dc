"""Pictures of a person as other cameras, other light and other boxes would have shown them.

Works on bytes: one warp and one look-up table a picture, so that a batch costs a fraction of its training step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Augmentation", "augment"]

_LEVELS = np.arange(256, dtype=np.float32) / 255
_SHADE_STEPS = 8


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far pictures are changed; 0 turns a change off.

    Attributes:
        flip: Probability of mirroring, in ``[0, 1]``.
        zoom: Boxes become up to this share smaller, and are placed anew within what they lose.
        exposure: Deviation of the log of a gain that all channels share.
        cast: Deviation of the log of each channel's own gain: another camera's white balance.
        gamma: Deviation of the log of the exponent of brightness.
        shade: Deviation of the log of brightness from one edge to the middle, along each axis: a shadow's border.
        erase: Probability that a rectangle is overwritten by one colour, in ``[0, 1]``.
        erased: Least and greatest share of height and of width that it covers.
    """

    flip: float = 0.5
    zoom: float = 0.25
    exposure: float = 0.3
    cast: float = 0.25
    gamma: float = 0.2
    shade: float = 0.3
    erase: float = 0.5
    erased: tuple[float, float] = (0.1, 0.5)


def augment(
    pictures: NDArray[np.uint8], how: Augmentation, rng: np.random.Generator, *, out: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Change every picture of a batch in its own way.

    Args:
        pictures: RGB. Shape ``(B, H, W, 3)``; they are not changed.
        how: How far.
        rng: Draws the changes; equal generators give equal pictures.
        out: Where to write; default: a new array.

    Returns:
        Shape ``(B, H, W, 3)``.

    Raises:
        ValueError: If the pictures are not uint8 of shape ``(B, H, W, 3)``.
    """
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[3] != 3:
        raise ValueError(f"pictures must be uint8 of shape (B, H, W, 3), got {pictures.dtype} {pictures.shape}")
    changed = np.empty(pictures.shape, np.uint8) if out is None else out
    for number, picture in enumerate(pictures):
        changed[number] = _erased(_shaded(_relit(_moved(picture, how, rng), how, rng), how, rng), how, rng)
    return changed


def _moved(picture: NDArray[np.uint8], how: Augmentation, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Mirrored and cut anew."""
    height, width = picture.shape[:2]
    mirrored = rng.random() < how.flip
    scale = 1 - rng.random(2) * how.zoom
    shift = rng.random(2) * (1 - scale)
    if not mirrored and not how.zoom:
        return picture
    across = np.array([scale[0], 0, shift[0] * width], np.float32)
    if mirrored:
        across = np.array([-scale[0], 0, width - 1 - shift[0] * width], np.float32)
    warp = np.stack([across, np.array([0, scale[1], shift[1] * height], np.float32)])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(picture, warp, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE))


def _relit(picture: NDArray[np.uint8], how: Augmentation, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Under another exposure, white balance and contrast."""
    gains = np.exp(rng.normal(0, 1) * how.exposure + rng.normal(0, 1, 3) * how.cast)
    exponent = np.exp(rng.normal(0, 1) * how.gamma)
    table = np.minimum(_LEVELS[:, None] ** exponent * gains, 1) * 255 + 0.5
    return np.asarray(cv2.LUT(picture, table.astype(np.uint8)[None]), np.uint8)


def _shaded(picture: NDArray[np.uint8], how: Augmentation, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Darker towards one side."""
    slopes = rng.normal(0, 1, 2) * how.shade
    if not how.shade:
        return picture
    height, width = picture.shape[:2]
    ramp = np.linspace(-1, 1, _SHADE_STEPS)
    coarse = np.exp(slopes[0] * ramp[:, None] + slopes[1] * ramp[None, :]).astype(np.float32)
    fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.multiply(picture, cv2.merge([fine, fine, fine]), dtype=cv2.CV_8U), np.uint8)


def _erased(picture: NDArray[np.uint8], how: Augmentation, rng: np.random.Generator) -> NDArray[np.uint8]:
    """With a rectangle of one colour over it."""
    drawn = rng.random(5)
    colour = rng.integers(0, 256, 3)
    if drawn[0] >= how.erase:
        return picture
    height, width = picture.shape[:2]
    low, high = how.erased
    shares = low + (high - low) * drawn[1:3]
    tall, wide = max(1, round(height * shares[0])), max(1, round(width * shares[1]))
    top, left = int(drawn[3] * (height - tall + 1)), int(drawn[4] * (width - wide + 1))
    covered = picture.copy()
    covered[top : top + tall, left : left + wide] = colour
    return covered
