"""Who walks where and when: trips over the camera graph, with pauses, turn-backs, detours and re-entries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.simulation.scene import lane_middle
from reid_core.simulation.settings import SiteSettings, generator
from reid_core.simulation.walks import Stay, walk_points

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reid_core.simulation.people import Person
    from reid_core.simulation.scene import Gate, Scene
    from reid_core.simulation.topology import SiteLink, Topology

__all__ = ["make_stays"]

_STAGE: Final = 4
_WARM_UP_S: Final = 40.0
_TURN_BACK: Final = 0.08
_PAUSE: Final = 0.16
_KEEP_DIRECTION: Final = 0.8
_LEAVE: Final = 0.44
_REENTER: Final = 0.35
_LINK_PAUSE: Final = 0.12
_SHOP_S: Final = (1.6, 0.35)
_AWAY_S: Final = (3.9, 0.6)
_ROUND_THE_CORNER_S: Final = (5.0, 18.0)


def make_stays(
    settings: SiteSettings,
    topology: Topology,
    scenes: Sequence[Scene],
    people: Sequence[Person],
    *,
    until_s: float | None = None,
) -> tuple[Stay, ...]:
    """All walks through all views, in order of their start.

    Args:
        settings: Of the site.
        topology: Its plan.
        scenes: One for each camera.
        people: Everybody.
        until_s: No walk starts later; default: the end of the recording.
    """
    horizon_s = settings.duration_s + 10.0 if until_s is None else until_s
    stays: list[Stay] = []
    for index, person in enumerate(people):
        rng = generator(settings.seed, _STAGE, index)
        life = _Life(rng, index, person, topology, scenes, settings.level.bag_change)
        stays += life.stays(horizon_s)
    return tuple(sorted(stays, key=lambda stay: (stay.start_s, stay.person)))


@dataclass(slots=True)
class _Life:
    """One person's comings and goings: the walker's state while routes are drawn."""

    rng: np.random.Generator
    index: int
    person: Person
    topology: Topology
    scenes: Sequence[Scene]
    bag_change: float
    carries: bool = False

    def stays(self, horizon_s: float) -> Iterator[Stay]:
        """Trip after trip until the horizon; between trips the person is away from the site."""
        now_s = float(self.rng.uniform(-_WARM_UP_S, min(106.0, 0.82 * horizon_s)))
        while now_s < horizon_s:
            self.carries = bool(self.rng.random() < self.person.carries)
            for stay in self._trip(now_s, horizon_s):
                now_s = stay.end_s
                yield stay
            now_s += float(self.rng.lognormal(*_AWAY_S))

    def _trip(self, now_s: float, horizon_s: float) -> Iterator[Stay]:
        """From the street through some views, back to the street."""
        camera = int(self.rng.integers(0, len(self.scenes)))
        gate = self._gate(camera, None)
        onward = 1 if self.rng.random() < 0.5 else -1
        visits = 0
        while now_s < horizon_s:
            visits += 1
            leave = self._choose_exit(camera, gate, onward, visits)
            stay = self._cross(camera, gate, leave, now_s)
            yield stay
            now_s = stay.end_s
            if leave.camera is None:
                if self.rng.random() >= _REENTER:
                    return
                now_s += float(self.rng.uniform(*_ROUND_THE_CORNER_S))
                gate = leave
            else:
                now_s += self._between_s(self.topology.neighbours(camera)[leave.camera])
                camera, gate = leave.camera, self._gate(leave.camera, camera)
            if self.rng.random() < self.bag_change:
                self.carries = not self.carries

    def _gate(self, camera: int, towards: int | None) -> Gate:
        """A gate of this view that leads there; one of several at random."""
        fitting = [gate for gate in self.scenes[camera].gates if gate.camera == towards]
        return fitting[int(self.rng.integers(0, len(fitting)))]

    def _choose_exit(self, camera: int, entry: Gate, onward: int, visits: int) -> Gate:
        """Turn back, leave the site, or go on: mostly in the direction of the trip."""
        draw = self.rng.random(3)
        if draw[0] < _TURN_BACK:
            return entry
        gates = [gate for gate in self.scenes[camera].gates if gate is not entry]
        streets = [gate for gate in gates if gate.camera is None]
        ways = [gate for gate in gates if gate.camera is not None]
        if streets and (not ways or draw[1] < (_LEAVE if visits > 1 else _LEAVE / 2)):
            return streets[int(self.rng.integers(0, len(streets)))]
        ahead = [gate for gate in ways if gate.camera == (camera + onward) % len(self.scenes)]
        chosen = ahead if ahead and draw[2] < _KEEP_DIRECTION else ways
        return chosen[int(self.rng.integers(0, len(chosen)))]

    def _cross(self, camera: int, entry: Gate, leave: Gate, now_s: float) -> Stay:
        """Walk from gate to gate with at most one stop; a turn-back goes half the way in."""
        share = float(self.rng.uniform(0.35, 0.65))
        if entry is leave:
            others = [gate for gate in self.scenes[camera].gates if gate is not entry]
            towards = others[int(self.rng.integers(0, len(others)))]
            pause_s = float(self.rng.uniform(0.6, 2.5))
        else:
            towards = leave
            pause_s = float(self.rng.exponential(2.0)) if self.rng.random() < _PAUSE else 0.0
        middle = lane_middle(entry.position_m, towards.position_m, share)
        times_s, points_m = walk_points(
            np.array([entry.position_m, middle, leave.position_m]),
            aside_m=float(self.rng.uniform(0.05, 0.65)),
            speed_mps=self._speed_mps(),
            pauses_s=np.array([0.0, pause_s, 0.0]),
        )
        return Stay(self.index, camera, times_s + now_s, points_m, self.carries and self.person.bag.kind != "none")

    def _between_s(self, link: SiteLink) -> float:
        """Seconds of the walk out of sight: direct or by the shop, sometimes with a stop."""
        distance_m, stop_s = link.distance_m, 0.0
        if link.detour_m is not None and self.rng.random() < link.detour_share:
            distance_m, stop_s = link.detour_m, float(self.rng.lognormal(*_SHOP_S))
        elif self.rng.random() < _LINK_PAUSE:
            stop_s = float(self.rng.exponential(6.0))
        return distance_m / self._speed_mps() + stop_s

    def _speed_mps(self) -> float:
        """This walk's speed: the person's own, a little varied."""
        return self.person.speed_mps * float(self.rng.lognormal(0.0, 0.06))
