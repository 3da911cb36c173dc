"""The street without people: paving, wall, sun and shade, and furniture; painted once for each camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from reid_core.simulation.furniture import furniture_polygons

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.simulation.perspective import CameraView
    from reid_core.simulation.scene import FurniturePiece, Scene
    from reid_core.simulation.shading import Lamp, Polygon
    from reid_core.types import ImageBGR

__all__ = ["Backdrop", "Screen", "paint_backdrop"]

_OVERSAMPLE: Final = 2
_COARSE: Final = 4
_SHIFT: Final = 4
_PAVINGS: Final = ((150, 156, 160), (128, 140, 152), (138, 138, 136), (112, 116, 120))
_TILES_M: Final = ((0.6, 0.6), (0.4, 0.2), (1.2, 0.8), (0.3, 0.3))
_WALLS: Final = ((96, 116, 150), (150, 160, 168), (128, 150, 172), (110, 116, 122))


@dataclass(frozen=True, slots=True, eq=False)
class Screen:
    """A piece of furniture that hides people behind it.

    Attributes:
        distance_m: Of its middle from the camera along the ground.
        mask: 255 where it is. Shape ``(h, w)``.
        corner_px: x and y of the mask's left top corner in the picture.
    """

    distance_m: float
    mask: NDArray[np.uint8]
    corner_px: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """The empty street, and what of it stands before people. ``image`` has shape ``(H, W, 3)``."""

    image: ImageBGR
    screens: tuple[Screen, ...]


def paint_backdrop(scene: Scene, lamp: Lamp, rng: np.random.Generator) -> Backdrop:
    """Paint the street of one camera, furniture included."""
    image = _street(scene, rng)
    screens = []
    for piece in sorted(scene.furniture, key=lambda piece: -piece.position_m[1]):
        light = scene.light.factors(np.array(piece.position_m))
        polygons = furniture_polygons(piece, view=scene.view, lamp=lamp, light=light, rng=rng)
        _paint(image, _ground_shadow(scene, piece), (0.0, 0.0, 0.0), share=0.3)
        for polygon in polygons:
            corners = np.rint(polygon.corners_px * (1 << _SHIFT)).astype(np.int32)
            cv2.fillConvexPoly(image, corners, polygon.colour, cv2.LINE_AA, _SHIFT)
        screen = _screen(polygons, piece, image.shape[:2])
        if screen is not None:
            screens.append(screen)
    return Backdrop(image, tuple(screens))


def _street(scene: Scene, rng: np.random.Generator) -> ImageBGR:
    """Wall above, ground below, painted at twice the size and averaged down."""
    view = scene.view
    foot, _ = view.project(np.array([0.0, scene.wall_m, 0.0]))
    skirting = int(np.clip(round(float(foot[1])), 0, view.height_px))
    upper = _wall(scene, _rays(view, 0, skirting), rng)
    lower = _paving(scene, _rays(view, skirting, view.height_px), rng)[..., None] * _ground_light(scene, skirting)
    street = np.concatenate([_halved(upper), lower])
    grain = cv2.GaussianBlur(rng.normal(0, 9, street.shape[:2]).astype(np.float32), (0, 0), 1.2)
    image: ImageBGR = np.clip(street + grain[..., None], 0, 255).astype(np.uint8)
    return image


def _rays(view: CameraView, first_row: int, last_row: int, *, per_pixel: float = _OVERSAMPLE) -> NDArray[np.float64]:
    """Directions through a band of the picture. Shape ``(rows, columns, 3)``."""
    rows = np.arange(first_row * per_pixel, last_row * per_pixel) + 0.5
    columns = np.arange(view.width_px * per_pixel) + 0.5
    return view.rays(np.stack(np.meshgrid(columns, rows), axis=-1) / per_pixel)


def _halved(picture: NDArray[np.float64]) -> NDArray[np.float32]:
    """Mean of each square of four pixels."""
    size = (picture.shape[1] // _OVERSAMPLE, picture.shape[0] // _OVERSAMPLE)
    small: NDArray[np.float32] = cv2.resize(picture.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return small


def _on_ground(view: CameraView, rays: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where rays meet the ground. ``(..., 3)`` to ``(..., 2)``."""
    met: NDArray[np.float64] = rays[..., :2] * (view.height_m / np.maximum(-rays[..., 2:], 1e-6))
    return met


def _ground_light(scene: Scene, first_row: int) -> NDArray[np.float64]:
    """Colour of lit paving without its slabs, from one row down; worked out coarsely, for light is smooth."""
    view = scene.view
    coarse = scene.light.factors(_on_ground(view, _rays(view, first_row, view.height_px, per_pixel=1 / _COARSE)))
    size = (view.width_px, view.height_px - first_row)
    light: NDArray[np.float64] = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
    light *= np.array(_PAVINGS[scene.style])
    return light


def _paving(scene: Scene, rays: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float32]:
    """Brightness of slabs with joints, each of its own shade. ``(2 H, 2 W, 3)`` to ``(H, W)``."""
    ground = _on_ground(scene.view, rays)
    long, wide = _TILES_M[scene.style]
    row = np.floor(ground[..., 1] / wide)
    along = ground[..., 0] / long + 0.5 * np.mod(row, 2)
    shades = rng.normal(1.0, 0.045, (64, 64))
    slab = shades[row.astype(int) % 64, np.floor(along).astype(int) % 64]
    edge_m = np.minimum(_to_edge(along) * long, _to_edge(ground[..., 1] / wide) * wide)
    return _halved(slab * np.where(edge_m < 0.012, 0.8, 1.0))


def _wall(scene: Scene, rays: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """A building's front: courses of stone, a plinth, windows and doors. ``(H, W, 3)`` to ``(H, W, 3)``."""
    away = scene.wall_m / np.maximum(rays[..., 1], 1e-6)
    across, up = rays[..., 0] * away, scene.view.height_m + rays[..., 2] * away
    shades = rng.normal(1.0, 0.03, (64, 64))
    course = np.floor(up / 0.3)
    stone = shades[course.astype(int) % 64, np.floor(across / 0.9 + 0.5 * np.mod(course, 2)).astype(int) % 64]
    colours: NDArray[np.float64] = np.array(_WALLS[scene.style]) * stone[..., None] * 0.9
    colours[up < 0.5] *= 0.7
    bay = np.mod(across + 1.7 * scene.style, 4.2)
    number = np.floor((across + 1.7 * scene.style) / 4.2).astype(int)
    window = (bay > 1.1) & (bay < 3.1) & (up > 1.0) & (up < 2.7) & (number % 3 != 0)
    door = (bay > 1.5) & (bay < 2.7) & (up < 2.3) & (number % 3 == 0)
    frame = (np.abs(bay - 2.1) < 0.05) | (np.abs(up - 1.9) < 0.04)
    colours[window] = np.array((92, 84, 76)) * (0.8 + 0.25 * up[window] / 2.7)[:, None]
    colours[window & frame] = (170, 174, 176)
    colours[door] = (52, 60, 74)
    return colours


def _to_edge(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance to the nearest whole number."""
    distance: NDArray[np.float64] = np.abs(value - np.rint(value))
    return distance


def _ground_shadow(scene: Scene, piece: FurniturePiece) -> NDArray[np.float64]:
    """A dark patch around the foot of a piece. Shape ``(20, 2)``."""
    angles = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    radius = piece.radius_m * 1.15 + 0.05
    ring = np.array(piece.position_m) + radius * np.stack([np.cos(angles), 0.6 * np.sin(angles)], axis=1)
    pixels, _ = scene.view.project(np.column_stack([ring, np.zeros(20)]))
    return pixels


def _paint(image: ImageBGR, corners_px: NDArray[np.float64], colour: tuple[float, ...], *, share: float) -> None:
    """Lay a see-through polygon over the picture."""
    layer = image.copy()
    cv2.fillConvexPoly(layer, np.rint(corners_px * (1 << _SHIFT)).astype(np.int32), colour, cv2.LINE_AA, _SHIFT)
    cv2.addWeighted(layer, share, image, 1 - share, 0, dst=image)


def _screen(polygons: list[Polygon], piece: FurniturePiece, shape: tuple[int, ...]) -> Screen | None:
    """Where a piece hides what is behind it, ``None`` if it is outside the picture."""
    mask = np.zeros(shape, np.uint8)
    for polygon in polygons:
        if polygon.solid:
            corners = np.rint(polygon.corners_px * (1 << _SHIFT)).astype(np.int32)
            cv2.fillConvexPoly(mask, corners, 255, cv2.LINE_8, _SHIFT)
    x, y, width, height = cv2.boundingRect(mask)
    if width == 0 or height == 0:
        return None
    return Screen(piece.position_m[1], mask[y : y + height, x : x + width].copy(), (x, y))
