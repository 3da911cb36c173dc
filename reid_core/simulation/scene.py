"""What stands in one camera's view: the camera itself, gates that people come and go by, furniture, sun and shade."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.simulation.light import Light, draw_light
from reid_core.simulation.perspective import CameraView
from reid_core.simulation.settings import SiteSettings, camera_format, generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.simulation.topology import Topology

__all__ = ["FurniturePiece", "Gate", "Scene", "lane_middle", "make_scene"]

_STAGE: Final = 2
_BEYOND_M: Final = 0.9
_UNDER_CAMERA_M: Final = 1.6
_CLEARANCE_M: Final = 1.05
_BEND_M: Final = 8.5
_WALL_M: Final = (21.0, 25.0)

# (side, distance) of the gates towards the previous camera, the next camera and the streets outside, so that a walk
# from one camera to the next is seen from the front here and from the back or the side there.
_LAYOUTS: Final = (
    (("left", 14.5), ("right", 7.0), ("right", 15.5)),
    (("under", -1.0), ("right", 14.0), ("left", 9.5)),
    (("left", 7.0), ("left", 15.5), ("right", 10.5)),
    (("right", 10.0), ("under", 1.0), ("left", 15.0)),
)

# kind: (radius on the ground, height) in metres
_FURNITURE: Final = {
    "bench": (0.85, 0.85),
    "planter": (0.65, 1.05),
    "lamp": (0.10, 5.0),
    "bollard": (0.11, 0.95),
    "pillar": (0.5, 2.6),
    "bin": (0.28, 0.95),
    "hedge": (0.9, 1.1),
}


@dataclass(frozen=True, slots=True)
class Gate:
    """A place just outside the picture where people come into view or leave it.

    Attributes:
        position_m: On the ground.
        camera: Number of the camera that the way beyond leads to, ``None`` for the streets outside the site.
    """

    position_m: tuple[float, float]
    camera: int | None


@dataclass(frozen=True, slots=True)
class FurniturePiece:
    """A piece of street furniture: what, where, how turned, and its size in metres."""

    kind: str
    position_m: tuple[float, float]
    angle_rad: float
    radius_m: float
    height_m: float


@dataclass(frozen=True, slots=True)
class Scene:
    """One camera's world; ``wall_m`` is the distance of the building that ends the view, ``style`` picks materials."""

    view: CameraView
    gates: tuple[Gate, ...]
    furniture: tuple[FurniturePiece, ...]
    light: Light
    wall_m: float
    style: int


def make_scene(settings: SiteSettings, topology: Topology, camera: int) -> Scene:
    """Draw the view of the camera with this number from 0."""
    rng = generator(settings.seed, _STAGE, camera)
    view = _make_view(rng, camera)
    gates = _make_gates(rng, view, topology, camera)
    return Scene(
        view=view,
        gates=gates,
        furniture=_place_furniture(rng, view, gates, settings.level.furniture),
        light=draw_light(rng, settings.level),
        wall_m=float(rng.uniform(*_WALL_M)),
        style=(camera + settings.seed) % 4,
    )


def lane_middle(start_m: tuple[float, float], end_m: tuple[float, float], share: float) -> tuple[float, float]:
    """Where a way between two gates may stop or bend, so that nobody passes unseen along the edge of the view.

    Args:
        start_m: Place of one gate.
        end_m: Place of the other.
        share: How far along the way, where it is straight.

    Returns:
        A place on the straight way, or before the camera and at least 8.5 m away where both gates lie on one side.

    Example:
        >>> lane_middle((-6.0, 8.0), (6.0, 12.0), 0.5), lane_middle((-6.0, 8.0), (-9.0, 14.0), 0.5)
        ((0.0, 10.0), (0.0, 11.0))
    """
    if start_m[0] * end_m[0] > 0:
        return (0.0, max((start_m[1] + end_m[1]) / 2, _BEND_M))
    return (start_m[0] + share * (end_m[0] - start_m[0]), start_m[1] + share * (end_m[1] - start_m[1]))


def _make_view(rng: np.random.Generator, camera: int) -> CameraView:
    picture = camera_format(camera)
    field_rad = math.radians(float(rng.uniform(58, 64)))
    return CameraView(
        width_px=picture.width_px,
        height_px=picture.height_px,
        focal_px=picture.width_px / 2 / math.tan(field_rad / 2),
        height_m=float(rng.uniform(3.3, 4.4)),
        pitch_rad=math.radians(float(rng.uniform(16, 20))),
    )


def _make_gates(rng: np.random.Generator, view: CameraView, topology: Topology, camera: int) -> tuple[Gate, ...]:
    """Gates to the neighbours (two of them, or one) and to the streets outside."""
    cameras = len(topology.positions_m)
    neighbours = [(camera - 1) % cameras, (camera + 1) % cameras]
    leads = [*neighbours, None] if cameras > 2 else [None, neighbours[1], None]
    mirror = 1.0 if rng.random() < 0.5 else -1.0
    return tuple(
        Gate(_gate_position(rng, view, side, distance_m, mirror), lead)
        for (side, distance_m), lead in zip(_LAYOUTS[camera % len(_LAYOUTS)], leads, strict=True)
    )


def _gate_position(
    rng: np.random.Generator, view: CameraView, side: str, distance_m: float, mirror: float
) -> tuple[float, float]:
    if side == "under":
        return (mirror * distance_m, _UNDER_CAMERA_M)
    away_m = distance_m + float(rng.uniform(-0.8, 0.8))
    out_m = view.half_width_m(away_m) + _BEYOND_M
    return (mirror * (out_m if side == "right" else -out_m), away_m)


def _place_furniture(
    rng: np.random.Generator, view: CameraView, gates: tuple[Gate, ...], wanted: int
) -> tuple[FurniturePiece, ...]:
    """Put furniture where nobody walks: clear of the ways between gates, and of each other."""
    ends = np.array([gate.position_m for gate in gates])
    pieces: list[FurniturePiece] = []
    kinds = list(_FURNITURE)
    for _ in range(600):
        if len(pieces) == wanted:
            break
        kind = kinds[(len(pieces) + int(rng.integers(0, 2))) % len(kinds)]
        away_m = float(rng.uniform(5.5, 17.0))
        place = np.array([float(rng.uniform(-1, 1)) * view.half_width_m(away_m), away_m])
        radius_m, height_m = _FURNITURE[kind]
        if _is_clear(place, radius_m, ends, pieces):
            position = (float(place[0]), float(place[1]))
            pieces.append(FurniturePiece(kind, position, float(rng.uniform(-0.5, 0.5)), radius_m, height_m))
    return tuple(pieces)


def _is_clear(
    place: NDArray[np.float64], radius_m: float, ends: NDArray[np.float64], pieces: list[FurniturePiece]
) -> bool:
    for first in range(len(ends)):
        for second in range(first + 1, len(ends)):
            middle = np.array(lane_middle(tuple(ends[first]), tuple(ends[second]), 0.5))
            for legs in ((ends[first], middle), (middle, ends[second])):
                if _distance_to_segment(place, *legs) < radius_m + _CLEARANCE_M:
                    return False
    return all(math.dist(place, other.position_m) > radius_m + other.radius_m + 0.6 for other in pieces)


def _distance_to_segment(point: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]) -> float:
    """Distance from a point to a segment.

    Example:
        >>> _distance_to_segment(np.array([1.0, 2.0]), np.array([0.0, 0.0]), np.array([4.0, 0.0]))
        2.0
    """
    along = end - start
    share = float(np.clip((point - start) @ along / max(float(along @ along), 1e-9), 0.0, 1.0))
    return float(np.linalg.norm(point - start - share * along))
