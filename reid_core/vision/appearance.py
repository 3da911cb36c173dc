"""Colour stripes: what somebody wears, as histograms of colour over horizontal bands of the crop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from reid_core.types import FloatArray, ImageBGR

__all__ = ["stripe_descriptor"]

_CANVAS_PX = (24, 48)


def stripe_descriptor(
    crop: ImageBGR, *, stripes: int = 6, bins: tuple[int, int, int] = (8, 4, 4), power: float = 0.5
) -> FloatArray:
    """Joint hue-saturation-value histograms of horizontal stripes, the middle of the crop counting most.

    Args:
        crop: A person, BGR uint8. Shape ``(H, W, 3)``.
        stripes: Horizontal bands from head to feet.
        bins: Cells for hue, saturation and value.
        power: Exponent of every cell before normalisation; 0.5 gives the Hellinger kernel.

    Returns:
        L2-normalised. Shape ``(stripes * h * s * v,)``.

    Raises:
        ValueError: If the crop is not BGR uint8 or has no pixels.
    """
    if crop.ndim != 3 or crop.shape[2] != 3 or crop.dtype != np.uint8 or crop.size == 0:
        raise ValueError(f"a crop must be uint8 of shape (H, W, 3) with pixels in it, got {crop.dtype} {crop.shape}")
    width, height = _CANVAS_PX
    small = cv2.resize(crop, _CANVAS_PX, interpolation=cv2.INTER_AREA)
    hsv = cv2.cvtColor(small, cv2.COLOR_BGR2HSV).astype(np.int64)
    hues, saturations, values = bins
    cell = (hsv[..., 0] * hues // 180 * saturations + hsv[..., 1] * saturations // 256) * values
    cell += hsv[..., 2] * values // 256
    per_stripe = hues * saturations * values
    cell += (np.arange(height) * stripes // height)[:, None] * per_stripe
    across = np.exp(-0.5 * (np.linspace(-1.0, 1.0, width) / 0.5) ** 2)
    counts = np.bincount(cell.ravel(), np.tile(across, height), minlength=stripes * per_stripe)
    raised = counts**power
    return (raised / np.linalg.norm(raised)).astype(np.float32)
