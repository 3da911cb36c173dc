"""Gaps between sightings of two cameras, and how they are spread when the two are of different people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray

__all__ = ["Background", "background_of"]

_FINEST_S: Final = 5.0
_WIDER: Final = 0.12
_SMOOTHING: Final = (0.25, 0.5, 0.25)


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """Density of the gaps from one camera's sightings to another's, whoever they show.

    Attributes:
        centres_s: Gaps at which the density is known; between them it is a straight line, beyond them 0. Shape
            ``(K,)``, rising.
        densities: Per second. Shape ``(K,)``.
    """

    centres_s: NDArray[np.float64]
    densities: NDArray[np.float64]

    @property
    def reach_s(self) -> float:
        """The longest gap that it knows of."""
        return float(self.centres_s[-1]) if len(self.centres_s) else 0.0

    def density(self, gaps_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Density per second of each gap; the shape is kept."""
        if not len(self.centres_s):
            return np.zeros_like(gaps_s)
        found: NDArray[np.float64] = np.interp(gaps_s, self.centres_s, self.densities, left=0.0, right=0.0)
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain lists."""
        return {
            "gap_s": [round(value, 3) for value in self.centres_s.tolist()],
            "density": [float(f"{value:.5g}") for value in self.densities.tolist()],
        }

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> Background:
        """The inverse of `to_json`, up to its rounding."""
        return Background(np.array(document["gap_s"], np.float64), np.array(document["density"], np.float64))


def background_of(
    ends_s: NDArray[np.float64], starts_s: NDArray[np.float64], *, reach_s: float | None = None
) -> Background:
    """Density of the gaps between all sightings of one camera and all of another, smoothed.

    Steps are five seconds wide near zero and grow with the gap, so that hours need no more of them than minutes.

    Args:
        ends_s: When the one camera's sightings ended. Shape ``(N,)``, all known.
        starts_s: When the other camera's sightings began. Shape ``(M,)``, all known.
        reach_s: Longer gaps, either way, are left out.

    Returns:
        The density; empty where there is no gap.

    Raises:
        ValueError: If a time is not known.
    """
    if not (np.isfinite(ends_s).all() and np.isfinite(starts_s).all()):
        raise ValueError("times must be known")
    if not len(ends_s) or not len(starts_s):
        return Background(np.zeros(0), np.zeros(0))
    low, high = float(starts_s.min() - ends_s.max()), float(starts_s.max() - ends_s.min())
    if reach_s is not None:
        low, high = max(low, -reach_s), min(high, reach_s)
    edges_s = _edges(low, high)
    counts = np.diff(_gaps_up_to(edges_s, ends_s, np.sort(starts_s)))
    smooth = np.convolve(np.pad(counts / np.diff(edges_s), 1, mode="edge"), _SMOOTHING, "valid")
    centres_s = (edges_s[1:] + edges_s[:-1]) / 2
    centres_s[0], centres_s[-1] = edges_s[0], edges_s[-1]
    area = float(np.trapezoid(smooth, centres_s))
    return Background(centres_s, smooth / area) if area > 0 else Background(np.zeros(0), np.zeros(0))


def _edges(low: float, high: float) -> NDArray[np.float64]:
    """Edges of steps, finest near zero, from ``low`` to ``high``."""
    outwards = [0.0]
    furthest = max(abs(low), abs(high), _FINEST_S)
    while outwards[-1] < furthest:
        outwards.append(outwards[-1] + max(_FINEST_S, _WIDER * outwards[-1]))
    positive = np.array(outwards)
    edges_s = np.concatenate([-positive[:0:-1], positive])
    inner = edges_s[(edges_s > low + _FINEST_S / 2) & (edges_s < high - _FINEST_S / 2)]
    return np.concatenate([[low], inner, [max(high, low + 1e-3)]])


def _gaps_up_to(
    edges_s: NDArray[np.float64], ends_s: NDArray[np.float64], sorted_starts_s: NDArray[np.float64]
) -> NDArray[np.int64]:
    """How many of all gaps are at most as long as each edge. Shape ``(E,)``."""
    return np.array([np.searchsorted(sorted_starts_s, ends_s + edge, side="right").sum() for edge in edges_s], np.int64)
