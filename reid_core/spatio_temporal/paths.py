"""How long people walk between cameras, as a map has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reid_core.types import CameraLink

__all__ = ["WALKING_MPS", "walking_seconds"]

WALKING_MPS: Final = 1.25
_SHORTEST_M: Final = 1.0


def walking_seconds(camera_ids: Sequence[str], links: Sequence[CameraLink]) -> dict[tuple[int, int], float]:
    """Seconds along the shortest path between every two cameras that the map joins, at 1.25 m/s.

    Args:
        camera_ids: All cameras; links that name others are left out.
        links: The map.

    Returns:
        By index of the two cameras, in both orders.

    Example:
        >>> from reid_core.types import CameraLink
        >>> found = walking_seconds(["a", "b", "c"], [CameraLink("a", "b", 10.0), CameraLink("b", "c", 5.0)])
        >>> found[0, 1], found[2, 0]
        (8.0, 12.0)
    """
    numbers = {camera: number for number, camera in enumerate(camera_ids)}
    metres = np.full((len(camera_ids), len(camera_ids)), np.inf)
    for link in links:
        if link.camera_a in numbers and link.camera_b in numbers and link.camera_a != link.camera_b:
            a, b = numbers[link.camera_a], numbers[link.camera_b]
            metres[a, b] = metres[b, a] = min(metres[a, b], max(link.distance_m, _SHORTEST_M))
    for over in range(len(camera_ids)):
        metres = np.minimum(metres, metres[:, [over]] + metres[[over], :])
    joined = np.argwhere(np.isfinite(metres)).tolist()
    return {(a, b): float(metres[a, b]) / WALKING_MPS for a, b in joined if a != b}
