"""The whole site before a pixel is painted: plan, views, people, walks and clocks, all drawn from the seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reid_core.simulation.people import make_people
from reid_core.simulation.routes import make_stays
from reid_core.simulation.scene import make_scene
from reid_core.simulation.settings import SiteSettings, generator
from reid_core.simulation.topology import make_topology

if TYPE_CHECKING:
    from reid_core.simulation.people import Person
    from reid_core.simulation.scene import Scene
    from reid_core.simulation.topology import Topology
    from reid_core.simulation.walks import Stay

__all__ = ["SITE_START_S", "CameraClock", "World", "make_world"]

_STAGE: Final = 6
_SWITCHED_ON_S: Final = 4.0
SITE_START_S: Final = 1767254400.0
"""2026-01-01T08:00:00Z: time 0 of the walks, in UTC epoch seconds."""


@dataclass(frozen=True, slots=True)
class CameraClock:
    """When a camera really began to record, and how wrong its clock is.

    Attributes:
        begins_s: True seconds from the site's start to the first frame, whole milliseconds.
        offset_s: What its clock shows, less the true time.
    """

    begins_s: float
    offset_s: float

    @property
    def true_start_s(self) -> float:
        """True UTC epoch seconds of the first frame."""
        return SITE_START_S + self.begins_s

    @property
    def stated_start_s(self) -> float:
        """UTC epoch seconds of the first frame by the camera's own clock."""
        return SITE_START_S + self.begins_s + self.offset_s


@dataclass(frozen=True, slots=True)
class World:
    """Everything that pictures and truth are made from."""

    settings: SiteSettings
    topology: Topology
    scenes: tuple[Scene, ...]
    people: tuple[Person, ...]
    stays: tuple[Stay, ...]
    clocks: tuple[CameraClock, ...]


def make_world(settings: SiteSettings, *, until_s: float | None = None) -> World:
    """Draw the site; the same settings always give the same world, in every process.

    Args:
        settings: What the user asks for.
        until_s: No walk starts later; default: the end of the recording.
    """
    topology = make_topology(settings.seed, settings.cameras)
    scenes = tuple(make_scene(settings, topology, camera) for camera in range(settings.cameras))
    people = make_people(settings)
    return World(
        settings=settings,
        topology=topology,
        scenes=scenes,
        people=people,
        stays=make_stays(settings, topology, scenes, people, until_s=until_s),
        clocks=tuple(_draw_clock(settings, camera) for camera in range(settings.cameras)),
    )


def _draw_clock(settings: SiteSettings, camera: int) -> CameraClock:
    """Cameras are switched on one after another, so that the stated starts do not give the errors away."""
    rng = generator(settings.seed, _STAGE, camera)
    reach = settings.level.clock_offset_s
    return CameraClock(
        begins_s=round(float(rng.uniform(0, _SWITCHED_ON_S)), 3),
        offset_s=round(float(rng.uniform(-reach, reach)), 3),
    )
