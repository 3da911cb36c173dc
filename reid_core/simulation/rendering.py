"""One camera's frames: painter's order, shadows, occlusion, and the truth about every figure in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.simulation.background import Backdrop, Screen, paint_backdrop
from reid_core.simulation.canvas import Canvas, Silhouette
from reid_core.simulation.dressing import dress
from reid_core.simulation.facing import facing
from reid_core.simulation.figure import pose_joints
from reid_core.simulation.keypoints import visible_keypoints
from reid_core.simulation.rods import Figure
from reid_core.simulation.sensor import Sensor, draw_tone, tone_spread
from reid_core.simulation.settings import generator
from reid_core.simulation.shading import Lamp
from reid_core.simulation.shadows import contact_shadow, sun_shadow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.simulation.people import Person
    from reid_core.simulation.shading import Polygon
    from reid_core.simulation.walks import WalkState
    from reid_core.simulation.world import World
    from reid_core.types import FloatArray, ImageBGR

__all__ = ["CameraRenderer", "RenderedFrame", "SeenFigure"]

_STAGE: Final = 5
_TONES: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class SeenFigure:
    """The truth about one figure in one frame.

    Attributes:
        stay: Number of the walk in the world's list.
        person_id: Identity.
        box_px: Tight around the silhouette inside the picture, xyxy.
        visibility: Visible share of the whole silhouette, what lies outside the picture counted as hidden.
        keypoints: x, y in pixels and 0 (outside the picture), 1 (hidden) or 2 (visible), in COCO's order.
            Shape ``(17, 3)``.
    """

    stay: int
    person_id: int
    box_px: tuple[int, int, int, int]
    visibility: float
    keypoints: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class RenderedFrame:
    """A picture of shape ``(H, W, 3)`` and the figures in it, far ones first."""

    image: ImageBGR
    figures: tuple[SeenFigure, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Walker:
    stay: int
    person: Person
    state: WalkState
    joints_m: NDArray[np.float64]
    carries: bool


class CameraRenderer:
    """Paints the frames of one camera in order; the same frames in the same order are the same pixels.

    Args:
        world: The site.
        camera: Number of the camera from 0.
    """

    def __init__(self, world: World, camera: int) -> None:
        self._world = world
        self._scene = world.scenes[camera]
        self._stays = [(number, stay) for number, stay in enumerate(world.stays) if stay.camera == camera]
        rng = generator(world.settings.seed, _STAGE, camera)
        self._lamp = _draw_lamp(rng)
        self._backdrop: Backdrop = paint_backdrop(self._scene, self._lamp, rng)
        level, view = world.settings.level, self._scene.view
        departures = tone_spread(generator(world.settings.seed, _TONES), len(world.scenes))[camera]
        self._sensor = Sensor(
            draw_tone(rng, level, departures), noise=level.noise, size_px=(view.width_px, view.height_px), rng=rng
        )

    def render(self, time_s: float) -> RenderedFrame:
        """Paint the moment ``time_s`` (true time, seconds since the site's start)."""
        walkers = self._walkers(time_s)
        canvas = Canvas(self._backdrop.image)
        for walker in walkers:
            self._shadow(canvas, walker)
        painted = self._paint(canvas, walkers)
        figures = [self._truth(canvas, walker, silhouette) for walker, silhouette in painted]
        return RenderedFrame(self._sensor.expose(canvas.image, time_s), tuple(figures))

    def _walkers(self, time_s: float) -> list[_Walker]:
        """Everybody on their way through the view, far ones first."""
        walkers = []
        for number, stay in self._stays:
            if stay.start_s <= time_s <= stay.end_s:
                person = self._world.people[stay.person]
                state = stay.state(time_s)
                walkers.append(_Walker(number, person, state, pose_joints(person.body, state), stay.carries))
        return sorted(walkers, key=lambda walker: -walker.state.position_m[1])

    def _shadow(self, canvas: Canvas, walker: _Walker) -> None:
        """A soft patch under the feet, and in the sun a long shadow."""
        light, view = self._scene.light, self._scene.view
        place = np.array(walker.state.position_m)
        if place[1] < 3.0:
            return
        sunlit = float(light.sunlit(place))
        scale = view.focal_px / float(place[1])
        if sunlit > 0.05:
            polygons = sun_shadow(walker.joints_m, light.sun_m, view)
            canvas.darken(polygons, share=0.38 * sunlit, blur_px=0.03 * scale)
        canvas.darken([contact_shadow(walker.joints_m, view)], share=0.3, blur_px=0.07 * scale)

    def _paint(self, canvas: Canvas, walkers: list[_Walker]) -> list[tuple[_Walker, Silhouette]]:
        """Figures and the furniture before them, far ones first."""
        painted: list[tuple[_Walker, Silhouette]] = []
        waiting = list(self._backdrop.screens)
        for label, walker in enumerate(walkers, start=1):
            while waiting and waiting[0].distance_m > walker.state.position_m[1]:
                self._cover(canvas, waiting.pop(0), painted)
            silhouette = canvas.paint(self._polygons(walker), label)
            if silhouette is not None:
                painted.append((walker, silhouette))
        for screen in waiting:
            self._cover(canvas, screen, painted)
        return painted

    def _cover(self, canvas: Canvas, screen: Screen, painted: list[tuple[_Walker, Silhouette]]) -> None:
        """Bring furniture to the front if a figure was painted over it."""
        x, y = screen.corner_px
        height, width = screen.mask.shape
        for _, silhouette in painted:
            x0, y0, x1, y1 = silhouette.box_px
            if x0 < x + width and x < x1 and y0 < y + height and y < y1:
                canvas.cover(self._backdrop.image, screen.mask, screen.corner_px)
                return

    def _polygons(self, walker: _Walker) -> list[Polygon]:
        place = np.array(walker.state.position_m)
        figure = Figure(
            person=walker.person,
            joints=walker.joints_m,
            view=self._scene.view,
            turn=facing(place, walker.state.heading_rad),
            heading_rad=walker.state.heading_rad,
            carries=walker.carries,
            tint=self._scene.light.factors(place),
        )
        return dress(figure, self._lamp)

    def _truth(self, canvas: Canvas, walker: _Walker, silhouette: Silhouette) -> SeenFigure:
        turn = facing(np.array(walker.state.position_m), walker.state.heading_rad)
        return SeenFigure(
            stay=walker.stay,
            person_id=walker.person.person_id,
            box_px=silhouette.box_px,
            visibility=canvas.visible_px(silhouette) / silhouette.area_px,
            keypoints=visible_keypoints(walker.joints_m, self._scene.view, turn, canvas.labels, silhouette.label),
        )


def _draw_lamp(rng: np.random.Generator) -> Lamp:
    """Light from above, from the left or the right, more or less from the front."""
    direction = np.array([float(rng.choice([-1, 1])) * rng.uniform(0.35, 0.75), -0.5, rng.uniform(0.35, 0.7)])
    right, down, towards = (direction / np.linalg.norm(direction)).tolist()
    return Lamp(direction=(right, down, towards), ambient=0.52, diffuse=0.58)
