"""Hard facts: pairs of sightings that cannot be one person, whatever they look like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from reid_core.spatio_temporal.sightings import Sightings

__all__ = ["impossible", "overlap_s"]

_SAME_BODY_IOU = 0.3
_SAME_CLOCK_S = 0.25


def impossible(
    one: Sightings,
    other: Sightings,
    *,
    clock_uncertainty_s: float | NDArray[np.float64],
    overlapping_views: Collection[tuple[str, str]] = (),
    iou: NDArray[np.floating] | None = None,
) -> NDArray[np.bool_]:
    """Which pairs were alive at the same time in a way that one person cannot be.

    Nobody is in two cameras at once whose views do not overlap, by more than the clocks may be wrong. Two tracklets
    alive together in one camera are two people unless their boxes lie on each other (a doubled track): a high ``iou``,
    or none given, forbids nothing there.

    Args:
        one: N sightings; times must already be corrected by known clock offsets.
        other: M sightings of the same site.
        clock_uncertainty_s: How much later or earlier than shown a time may be, at least 0: one number, or one for
            each camera (NaN or infinite where nothing is known of its clock).
        overlapping_views: Camera pairs that see a common piece of ground, in any order.
        iou: Mean overlap of the two boxes in frames that both have, in ``[0, 1]``; NaN where they share no frame.
            Shape ``(N, M)``.

    Returns:
        Shape ``(N, M)``.

    Raises:
        ValueError: If the two sightings name different cameras, an uncertainty is negative or ``iou`` has another
            shape.
    """
    if one.camera_ids != other.camera_ids:
        raise ValueError(f"sightings of different sites: {one.camera_ids} and {other.camera_ids}")
    cameras = len(one.camera_ids)
    reach_s = np.broadcast_to(np.asarray(clock_uncertainty_s, np.float64), (cameras,))
    if (reach_s < 0).any():
        raise ValueError(f"clock_uncertainty_s must be at least 0, got {reach_s.min()}")
    together_s = overlap_s(one, other)
    allowed_s = (reach_s[:, None] + reach_s[None, :])[one.cameras[:, None], other.cameras[None, :]]
    same = one.cameras[:, None] == other.cameras[None, :]
    apart = together_s > np.where(np.isnan(allowed_s), np.inf, allowed_s)
    elsewhere: NDArray[np.bool_] = (
        ~same & apart & ~_views_overlap(one.camera_ids, overlapping_views)[one.cameras][:, other.cameras]
    )
    if iou is None:
        return elsewhere
    if iou.shape != same.shape:
        raise ValueError(f"iou must have shape {same.shape}, got {iou.shape}")
    two_bodies = same & (together_s > _SAME_CLOCK_S) & (iou < _SAME_BODY_IOU)
    either: NDArray[np.bool_] = elsewhere | two_bodies
    return either


def overlap_s(one: Sightings, other: Sightings) -> NDArray[np.float64]:
    """Seconds for which both were in sight, negative by the gap between them, NaN for unknown clocks. ``(N, M)``."""
    first_end = np.minimum(one.ends_s[:, None], other.ends_s[None, :])
    last_start = np.maximum(one.starts_s[:, None], other.starts_s[None, :])
    together_s: NDArray[np.float64] = first_end - last_start
    return together_s


def _views_overlap(camera_ids: tuple[str, ...], pairs: Collection[tuple[str, str]]) -> NDArray[np.bool_]:
    both = {*pairs, *((b, a) for a, b in pairs)}
    return np.array([[(a, b) in both for b in camera_ids] for a in camera_ids], np.bool_).reshape(len(camera_ids), -1)
