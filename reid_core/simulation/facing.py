"""How a person is turned against the camera that sees them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Facing", "facing"]


@dataclass(frozen=True, slots=True)
class Facing:
    """How a person is turned against the camera: 1 = to the picture's right, and 1 = towards the camera."""

    right: float
    towards: float

    def half_width(self, wide: float, deep: float) -> float:
        """Half of the width that an elliptical body of these half axes shows."""
        return math.hypot(wide * self.towards, deep * self.right)


def facing(position_m: NDArray[np.float64], heading_rad: float) -> Facing:
    """Turn of somebody at this place on the ground who looks along this heading.

    Example:
        >>> facing(np.array([0.0, 5.0]), -math.pi / 2).towards
        1.0
    """
    away = position_m / max(float(np.linalg.norm(position_m)), 1e-6)
    ahead = (math.cos(heading_rad), math.sin(heading_rad))
    return Facing(
        right=float(ahead[0] * away[1] - ahead[1] * away[0]),
        towards=-float(ahead[0] * away[0] + ahead[1] * away[1]),
    )
