"""Shorter vectors without data: a random projection whose signs come from integer arithmetic alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from reid_core.types import FloatArray

__all__ = ["sign_projection"]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def sign_projection(length: int, shorter: int) -> FloatArray:
    """Random signs over the root of ``shorter``; unit vectors keep inner products up to about ``1 / sqrt(shorter)``.

    The signs are the top bits of a counter's hash, so that every machine and every release of numpy makes the same.

    Args:
        length: Of the vectors that are projected.
        shorter: Of what they become.

    Returns:
        Multiply rows with it from the right. Shape ``(length, shorter)``, float32.

    Raises:
        ValueError: If a length is below 1.

    Source:
        Achlioptas, Journal of Computer and System Sciences 66, 2003 (signs); Steele et al., OOPSLA 2014 (SplitMix64).
    """
    if length < 1 or shorter < 1:
        raise ValueError(f"lengths must be at least 1, got {length} and {shorter}")
    with np.errstate(over="ignore"):
        mixed = np.arange(1, length * shorter + 1, dtype=np.uint64) * _STEP
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
    negative = (mixed ^ (mixed >> np.uint64(31))) >> np.uint64(63)
    signs = np.where(negative, -1.0, 1.0).reshape(length, shorter)
    projection: FloatArray = (signs / np.sqrt(shorter)).astype(np.float32)
    return projection
