"""A crop as a trainable network sees it; the same acts for learning and for embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.types import ImageBGR

__all__ = ["balanced_pictures", "fitted_picture"]

_LEVELS = np.arange(256, dtype=np.float32)
_DARKEST_MEAN = 5.0


def fitted_picture(crop: ImageBGR, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """A crop at the network's size, as RGB.

    Args:
        crop: BGR uint8. Shape ``(h, w, 3)``.
        size_px: Width and height.

    Returns:
        Shape ``(height, width, 3)``, uint8.

    Raises:
        ValueError: If the crop is not BGR uint8, or has no pixels.
    """
    if crop.ndim != 3 or crop.shape[2] != 3 or crop.dtype != np.uint8 or crop.size == 0:
        raise ValueError(f"a crop must be uint8 of shape (H, W, 3) with pixels in it, got {crop.dtype} {crop.shape}")
    shrinks = crop.shape[0] > size_px[1]
    fitted = cv2.resize(crop, size_px, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.ascontiguousarray(fitted[..., ::-1], np.uint8)


def balanced_pictures(pictures: NDArray[np.uint8], *, light: float) -> NDArray[np.uint8]:
    """Each picture with its channels scaled to the mean ``light``; what would exceed 255 becomes 255.

    The same as `reid_core.vision.appearance.balance_light`, picture by picture, through a look-up table.

    Args:
        pictures: Shape ``(B, H, W, 3)``, uint8.
        light: 0 leaves them as they are.

    Returns:
        Shape ``(B, H, W, 3)``, uint8.
    """
    if not light:
        return pictures
    return np.stack([_balanced(picture, light) for picture in pictures]) if len(pictures) else pictures


def _balanced(picture: NDArray[np.uint8], light: float) -> NDArray[np.uint8]:
    gains = light / np.maximum(cv2.mean(picture)[:3], _DARKEST_MEAN)
    table = np.minimum(_LEVELS[:, None] * gains.astype(np.float32) + 0.5, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, table[None]), np.uint8)
