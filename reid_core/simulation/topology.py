"""The site's plan: cameras on a ring, and the walking paths that join the views of neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.simulation.settings import generator

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SiteLink", "Topology", "make_topology"]

_STAGE: Final = 1
_DIRECT_M: Final = (9.5, 11.5)
_DETOUR_M: Final = (31.0, 37.0)
_DETOUR_SHARE: Final = 0.32
_LINK_M: Final = (10.0, 22.0)
_VIEW_SPAN_M: Final = 11.0


@dataclass(frozen=True, slots=True)
class SiteLink:
    """A walking path between two views; where a detour (a shop) exists, transit times have two peaks.

    Attributes:
        camera_a: Number of a camera from 0.
        camera_b: Number of the other one.
        distance_m: From the edge of one view to the edge of the other.
        detour_m: Length of the longer way, ``None`` where there is none.
        detour_share: Share of the walks that take the longer way.
    """

    camera_a: int
    camera_b: int
    distance_m: float
    detour_m: float | None = None
    detour_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Topology:
    """Where cameras stand and which are joined.

    Attributes:
        positions_m: Place of each camera on the plan.
        links: Walking paths; the first has a detour.
    """

    positions_m: tuple[tuple[float, float], ...]
    links: tuple[SiteLink, ...]

    def neighbours(self, camera: int) -> Mapping[int, SiteLink]:
        """Cameras that can be walked to from this one, and the way there."""
        found = {}
        for link in self.links:
            if camera in {link.camera_a, link.camera_b}:
                found[link.camera_b if link.camera_a == camera else link.camera_a] = link
        return found


def make_topology(seed: int, cameras: int) -> Topology:
    """Draw the plan: two cameras with one link, or a ring of three and more.

    Args:
        seed: The site's seed.
        cameras: Number of cameras, at least 2.
    """
    rng = generator(seed, _STAGE)
    direct_m = round(float(rng.uniform(*_DIRECT_M)), 1)
    detour_m = round(float(rng.uniform(*_DETOUR_M)), 1)
    links = [SiteLink(0, 1, direct_m, detour_m, _DETOUR_SHARE)]
    links += [
        SiteLink(camera, (camera + 1) % cameras, round(float(rng.uniform(*_LINK_M)), 1))
        for camera in range(1, cameras if cameras > 2 else 1)
    ]
    return Topology(_positions(links, cameras), tuple(links))


def _positions(links: list[SiteLink], cameras: int) -> tuple[tuple[float, float], ...]:
    """Cameras on a circle, so far apart along it as the walk through the views and links is long."""
    spans = np.array([link.distance_m + _VIEW_SPAN_M for link in links] + [0.0] * cameras)[:cameras]
    length = float(spans.sum()) * (1.0 if cameras > 2 else 2.0)
    angles = 2 * np.pi * np.concatenate([[0.0], np.cumsum(spans)[:-1]]) / length
    radius = length / (2 * np.pi)
    return tuple((round(float(radius * np.cos(a)), 1), round(float(radius * np.sin(a)), 1)) for a in angles)
