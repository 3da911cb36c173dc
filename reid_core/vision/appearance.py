"""Colour stripes: what somebody wears, as soft histograms of colour over horizontal bands of the crop.

The light is divided out first: each channel of the crop is scaled to the same mean, so that neither a camera's colour
cast nor its exposure moves the histograms much. Colours without saturation are kept as greys, because
their hue is noise; the clothes of most people are greys.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.types import FloatArray, ImageBGR

_Array = TypeVar("_Array", bound="NDArray[Any]")

__all__ = ["balance_light", "stripe_descriptor"]

_CANVAS_PX = (24, 48)
_HUE_STEP, _SATURATION_STEP, _VALUE_STEP = 10, 32, 16  # fine cells, from which the soft bins are mixed
_HUE_CELLS, _SATURATION_CELLS, _VALUE_CELLS = 18, 8, 16
_FINE_CELLS = _HUE_CELLS * _SATURATION_CELLS * _VALUE_CELLS
_PRIOR_WIDTH = 0.5
_OUTER_STRIPE_WEIGHT = 0.7
_DARKEST_MEAN = 5.0


def stripe_descriptor(
    crop: ImageBGR,
    *,
    stripes: int = 8,
    hues: int = 8,
    values: int = 4,
    greys: int = 6,
    power: float = 0.35,
    light: float = 220.0,
) -> FloatArray:
    """Soft colour histograms of horizontal stripes under balanced light, the middle of the crop counting most.

    Args:
        crop: A person, BGR uint8. Shape ``(H, W, 3)``.
        stripes: Horizontal bands from head to feet.
        hues: Saturated bins around the colour circle; red lies in the middle of the first.
        values: Bins of brightness for every hue.
        greys: Bins of brightness for colours without saturation.
        power: Exponent of every bin before normalisation; small values listen to small patches of colour.
        light: Mean that each channel is brought to, see `balance_light`.

    Returns:
        L2-normalised: stripe by stripe the greys from dark to bright, then the hues with their values.
        Shape ``(stripes * (greys + hues * values),)``.

    Raises:
        ValueError: If the crop is not BGR uint8, or has no pixels.

    Source:
        Stripes: Gray and Tao, ECCV 2008. The settings are measured, see ``docs/cold-start.md``.
    """
    if crop.ndim != 3 or crop.shape[2] != 3 or crop.dtype != np.uint8 or crop.size == 0:
        raise ValueError(f"a crop must be uint8 of shape (H, W, 3) with pixels in it, got {crop.dtype} {crop.shape}")
    small = cv2.resize(crop, _CANVAS_PX, interpolation=cv2.INTER_AREA)
    cells = _fine_cells(balance_light(small, light=light))
    stripe_offsets, pixel_weights = _canvas(stripes)
    counts = np.bincount((cells + stripe_offsets).ravel(), pixel_weights, minlength=stripes * _FINE_CELLS)
    histograms = counts.reshape(stripes, _FINE_CELLS).astype(np.float32) @ _mixing(hues, values, greys)
    raised: FloatArray = histograms**power
    raised[[0, -1]] *= _OUTER_STRIPE_WEIGHT
    descriptor: FloatArray = raised.ravel() / np.linalg.norm(raised)
    return descriptor


def balance_light(image: ImageBGR, *, light: float) -> ImageBGR:
    """Scale each channel to the mean ``light``; what would exceed 255 becomes 255.

    Undoes a camera's white balance and exposure as far as all crops show similar surroundings.

    Example:
        >>> balance_light(np.full((2, 2, 3), (10, 20, 40), np.uint8), light=100.0)[0, 0].tolist()
        [100, 100, 100]

    Source:
        Buchsbaum, Journal of the Franklin Institute 310, 1980 (the grey world), with von Kries' gains.
    """
    gains = light / np.maximum(cv2.mean(image)[:3], _DARKEST_MEAN)
    balanced: ImageBGR = np.minimum(image * gains.astype(np.float32) + 0.5, 255).astype(np.uint8)
    return balanced


def _fine_cells(image: ImageBGR) -> NDArray[np.int64]:
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV).astype(np.int64)
    hue = (hsv[..., 0] + _HUE_STEP // 2) // _HUE_STEP % _HUE_CELLS
    cells: NDArray[np.int64] = (hue * _SATURATION_CELLS + hsv[..., 1] // _SATURATION_STEP) * _VALUE_CELLS
    cells += hsv[..., 2] // _VALUE_STEP
    return cells


@lru_cache(maxsize=8)
def _canvas(stripes: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Where each row's stripe begins among the fine cells, ``(48, 1)``, and each pixel's weight, ``(48 * 24,)``."""
    width, height = _CANVAS_PX
    offsets = (np.arange(height) * stripes // height * _FINE_CELLS)[:, None]
    across = (np.arange(width) + 0.5) / width * 2 - 1
    weights = np.tile(np.exp(-0.5 * (across / _PRIOR_WIDTH) ** 2), height)
    return _frozen(offsets), _frozen(weights)


@lru_cache(maxsize=8)
def _mixing(hues: int, values: int, greys: int) -> FloatArray:
    """Share of each fine cell in each soft bin; every row sums to 1. Shape ``(2304, greys + hues * values)``."""
    turn = np.arange(_HUE_CELLS)[:, None] / _HUE_CELLS * hues - np.arange(hues)
    hue = np.maximum(0, 1 - np.abs((turn + hues / 2) % hues - hues / 2))
    grey_or_not = _tents(_SATURATION_CELLS, 2)
    grey = np.einsum("h,s,vg->hsvg", np.ones(_HUE_CELLS), grey_or_not[:, 0], _tents(_VALUE_CELLS, greys))
    coloured = np.einsum("ha,s,vb->hsvab", hue, grey_or_not[:, 1], _tents(_VALUE_CELLS, values))
    mixing = np.concatenate([grey.reshape(_FINE_CELLS, -1), coloured.reshape(_FINE_CELLS, -1)], axis=1)
    return _frozen(mixing.astype(np.float32))


def _tents(cells: int, bins: int) -> NDArray[np.float64]:
    """Linear shares of ``cells`` equal steps in ``bins`` bins of the same range. Shape ``(cells, bins)``."""
    middle = np.clip((np.arange(cells) + 0.5) / cells * bins - 0.5, 0, bins - 1)
    shares: NDArray[np.float64] = np.maximum(0, 1 - np.abs(middle[:, None] - np.arange(bins)))
    return shares


def _frozen(array: _Array) -> _Array:
    array.setflags(write=False)
    return array
