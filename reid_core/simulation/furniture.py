"""Street furniture as polygons: benches, planters, lamps, bollards, pillars, bins and hedges, lit like the people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.simulation.shading import Lamp, Limbs, Polygon, ellipse, limb_polygons, solid_colour

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from reid_core.simulation.perspective import CameraView
    from reid_core.simulation.scene import FurniturePiece
    from reid_core.simulation.wardrobe import ColourBGR

__all__ = ["furniture_polygons"]

_FACES: Final = ((0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7), (4, 5, 6, 7))
_FACE_SHADES: Final = (0.78, 0.62, 0.7, 0.88, 1.08)
_WOOD: Final[ColourBGR] = (62, 92, 128)
_STEEL: Final[ColourBGR] = (88, 84, 80)
_STONE: Final[ColourBGR] = (140, 146, 150)
_LEAF: Final[ColourBGR] = (48, 92, 62)


def furniture_polygons(
    piece: FurniturePiece, *, view: CameraView, lamp: Lamp, light: NDArray[np.float64], rng: np.random.Generator
) -> list[Polygon]:
    """One piece in the order of painting; solid polygons make its silhouette.

    Args:
        piece: What and where.
        view: The camera.
        lamp: Light as the camera sees it.
        light: Factors on blue, green and red from the light at its place. Shape ``(3,)``.
        rng: Shapes leaves and posters.
    """
    makers: Mapping[str, Callable[[], list[Polygon]]] = {
        "bench": lambda: _bench(piece, view, light),
        "planter": lambda: _planter(piece, view, light, rng),
        "lamp": lambda: _rod(piece, view, lamp, _STEEL, light),
        "bollard": lambda: _rod(piece, view, lamp, (60, 60, 62), light),
        "pillar": lambda: _pillar(piece, view, lamp, light),
        "bin": lambda: _rod(piece, view, lamp, (66, 82, 60), light),
        "hedge": lambda: _hedge(piece, view, light, rng),
    }
    return makers[piece.kind]()


def _box(
    piece: FurniturePiece,
    view: CameraView,
    *,
    middle_m: tuple[float, float, float],
    size_m: tuple[float, float, float],
    colour: NDArray[np.float64],
) -> list[Polygon]:
    """A box turned with the piece; faces are painted far ones first."""
    signs = np.array([(x, y, z) for z in (-1, 1) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))], np.float64)
    local = np.array(middle_m) + signs * np.array(size_m) / 2
    corners, depths = view.project(_place(piece, local))
    order = sorted(range(len(_FACES)), key=lambda face: -float(depths[list(_FACES[face])].mean()))
    return [
        Polygon(corners[list(_FACES[face])], solid_colour(colour * _FACE_SHADES[face]), solid=True) for face in order
    ]


def _place(piece: FurniturePiece, local_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """From the piece's own axes to the world."""
    cos, sin = np.cos(piece.angle_rad), np.sin(piece.angle_rad)
    turned = local_m @ np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
    placed: NDArray[np.float64] = turned + np.array([*piece.position_m, 0.0])
    return placed


def _bench(piece: FurniturePiece, view: CameraView, light: NDArray[np.float64]) -> list[Polygon]:
    wood, steel = np.array(_WOOD) * light, np.array(_STEEL) * light
    painted = []
    for x in (-0.65, 0.65):
        painted += _box(piece, view, middle_m=(x, 0.0, 0.21), size_m=(0.07, 0.42, 0.42), colour=steel)
    painted += _box(piece, view, middle_m=(0.0, 0.2, 0.66), size_m=(1.7, 0.05, 0.3), colour=wood * 0.9)
    return painted + _box(piece, view, middle_m=(0.0, 0.0, 0.44), size_m=(1.7, 0.46, 0.06), colour=wood)


def _planter(
    piece: FurniturePiece, view: CameraView, light: NDArray[np.float64], rng: np.random.Generator
) -> list[Polygon]:
    stone = np.array(_STONE) * light
    tub = _box(piece, view, middle_m=(0.0, 0.0, 0.25), size_m=(1.1, 0.8, 0.5), colour=stone)
    return tub + _leaves(piece, view, light, rng, wide_m=0.52, low_m=0.5)


def _hedge(
    piece: FurniturePiece, view: CameraView, light: NDArray[np.float64], rng: np.random.Generator
) -> list[Polygon]:
    earth = np.array((40, 66, 50)) * light
    base = _box(piece, view, middle_m=(0.0, 0.0, 0.45), size_m=(1.7, 0.6, 0.9), colour=earth)
    return base + _leaves(piece, view, light, rng, wide_m=0.85, low_m=0.12)


def _leaves(
    piece: FurniturePiece,
    view: CameraView,
    light: NDArray[np.float64],
    rng: np.random.Generator,
    *,
    wide_m: float,
    low_m: float,
) -> list[Polygon]:
    """A heap of leafy blobs, dark ones below."""
    spots = np.stack([rng.uniform(-wide_m, wide_m, 70), rng.uniform(-0.28, 0.28, 70), rng.uniform(0, 1, 70)], axis=1)
    spots = spots[np.argsort(spots[:, 2])]
    heights = low_m + spots[:, 2] * (piece.height_m - low_m) * (1 - 0.35 * (np.abs(spots[:, 0]) / wide_m) ** 2)
    pixels, depths = view.project(_place(piece, np.column_stack([spots[:, :2], heights])))
    painted = []
    for pixel, depth, high in zip(pixels, depths, spots[:, 2], strict=True):
        radius = float(rng.uniform(0.08, 0.15)) * view.focal_px / float(depth)
        shade = light * (0.55 + 0.75 * float(high) * float(rng.uniform(0.7, 1.1)))
        painted.append(
            Polygon(ellipse(pixel, (radius, 0.8 * radius)), solid_colour(np.array(_LEAF) * shade), solid=True)
        )
    return painted


def _rod(
    piece: FurniturePiece, view: CameraView, lamp: Lamp, colour: ColourBGR, light: NDArray[np.float64]
) -> list[Polygon]:
    """An upright cylinder."""
    place = np.array([*piece.position_m, 0.0])
    ends, depths = view.project(place + np.array([[0.0, 0.0, piece.height_m], [0.0, 0.0, 0.0]]))
    radii = piece.radius_m * view.focal_px / depths
    flat = float(np.sin(view.pitch_rad)) + 0.08
    limbs = Limbs(
        start_px=ends[:1],
        end_px=ends[1:],
        start_radius_px=radii[:1],
        end_radius_px=radii[1:],
        roundness=np.array([flat]),
        colours=np.array([colour], np.float64) * light,
    )
    painted = list(limb_polygons(limbs, lamp)[0])
    lid = np.array(colour, np.float64) * light * 1.15
    return [
        *painted,
        Polygon(ellipse(ends[0], (float(radii[0]), flat * float(radii[0]))), solid_colour(lid), solid=True),
    ]


def _pillar(piece: FurniturePiece, view: CameraView, lamp: Lamp, light: NDArray[np.float64]) -> list[Polygon]:
    """An advertising pillar: a wide cylinder with a paper band and a roof."""
    painted = _rod(piece, view, lamp, (120, 132, 128), light)
    place = np.array([*piece.position_m, 0.0])
    ends, depths = view.project(place + np.array([[0.0, 0.0, 2.2], [0.0, 0.0, 0.7]]))
    radii = piece.radius_m * view.focal_px / depths
    paper = np.array((150, 170, 176)) * light
    for step, (left, right) in enumerate(((-0.96, -0.3), (-0.28, 0.32), (0.34, 0.96))):
        corners = [ends[0] + (left * radii[0], 0), ends[0] + (right * radii[0], 0)]
        corners += [ends[1] + (right * radii[1], 0), ends[1] + (left * radii[1], 0)]
        painted.append(Polygon(np.array(corners), solid_colour(paper * (0.75, 1.0, 0.85)[step])))
    return painted
