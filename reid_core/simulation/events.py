"""The tracklet log of hours without a pixel, for everything that learns from time alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.errors import SimulationSettingsError
from reid_core.simulation.recording import whole_file
from reid_core.simulation.settings import camera_format, generator
from reid_core.simulation.site import prepare_folder
from reid_core.simulation.truth import iso_time, write_site_file, write_truth, write_visits
from reid_core.simulation.world import SITE_START_S, make_world

if TYPE_CHECKING:
    from pathlib import Path

    from reid_core.simulation.settings import SiteSettings
    from reid_core.simulation.truth import Visit
    from reid_core.simulation.walks import Stay
    from reid_core.simulation.world import World

__all__ = ["EventLog", "simulate_events"]

_STAGE: Final = 7
_MISSED: Final = 0.03
_BROKEN: Final = 0.08
_BREAK_S: Final = (0.5, 2.5)
_SHORTEST_S: Final = 1.0
_EDGE_S: Final = 0.15


@dataclass(frozen=True, slots=True)
class EventLog:
    """A log on disk: its folder, the log itself, and how many visits and tracklets it has."""

    folder: Path
    tracklets_file: Path
    visits: int
    tracklets: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """A tracklet before it has a number: true epoch seconds."""

    camera: int
    person_id: int
    start_s: float
    end_s: float


def simulate_events(out_dir: Path, settings: SiteSettings, *, hours: float) -> EventLog:
    """Write ``tracklets.csv`` (camera and times by the cameras' own clocks), ``site.toml`` and the truth apart.

    Args:
        out_dir: As for `simulate_site`.
        settings: Of the site; ``minutes`` is not used.
        hours: Length of the log, above 0.

    Raises:
        SimulationSettingsError: If ``hours`` is not above 0 or the folder holds something else.
    """
    if not (np.isfinite(hours) and hours > 0):
        raise SimulationSettingsError(f"hours must be above 0, not {hours}")
    prepare_folder(out_dir)
    until_s = hours * 3600.0
    world = make_world(settings, until_s=until_s)
    seen = [visit for visit in (_seen(world, stay, until_s) for stay in world.stays) if visit is not None]
    tracklets = sorted(_tracklets(world, seen), key=lambda seen: (seen.start_s, seen.camera, seen.person_id))
    write_truth(out_dir / "truth", world)
    visits: list[Visit] = [(s.person_id, settings.camera_ids[s.camera], s.start_s, s.end_s) for s in seen]
    write_visits(out_dir / "truth" / "visits.csv", visits)
    _write_log(out_dir, world, tracklets)
    write_site_file(out_dir / "site.toml", world, videos=False)
    return EventLog(out_dir, out_dir / "tracklets.csv", len(visits), len(tracklets))


def _seen(world: World, stay: Stay, until_s: float) -> _Seen | None:
    """When the middle of the body is in the picture, at the camera's frame rate."""
    begins_s = world.clocks[stay.camera].begins_s
    fps = camera_format(stay.camera).fps
    first, last = max(stay.start_s, begins_s), min(stay.end_s, begins_s + until_s)
    if last <= first:
        return None
    times_s = begins_s + np.arange(np.ceil((first - begins_s) * fps), np.floor((last - begins_s) * fps) + 1) / fps
    person = world.people[stay.person]
    middle = np.full(len(times_s), 0.55 * person.body.height_m)
    view = world.scenes[stay.camera].view
    pixels, _ = view.project(np.column_stack([stay.positions_m(times_s), middle]))
    inside = times_s[view.holds(pixels)]
    if len(inside) == 0:
        return None
    return _Seen(stay.camera, person.person_id, SITE_START_S + float(inside[0]), SITE_START_S + float(inside[-1]))


def _tracklets(world: World, seen: list[_Seen]) -> list[_Seen]:
    """What a tracker would make of the visits: some missed, some broken in two, edges a little off."""
    rng = generator(world.settings.seed, _STAGE)
    found: list[_Seen] = []
    for visit in seen:
        draws, edges = rng.random(3), _EDGE_S * np.abs(rng.normal(size=2))
        gap_s = float(rng.uniform(*_BREAK_S))
        start_s, end_s = visit.start_s + float(edges[0]), visit.end_s - float(edges[1])
        if draws[0] < _MISSED or end_s - start_s < _SHORTEST_S:
            continue
        cut_s = start_s + (0.2 + 0.6 * float(draws[2])) * (end_s - start_s)
        parts = [(start_s, end_s)]
        if draws[1] < _BROKEN:
            parts = [(start_s, cut_s), (cut_s + gap_s, end_s)]
        found += [_Seen(visit.camera, visit.person_id, low, high) for low, high in parts if high - low >= _SHORTEST_S]
    return found


def _write_log(out_dir: Path, world: World, tracklets: list[_Seen]) -> None:
    """The log by the cameras' clocks, and apart from it whose tracklet each is."""
    log, truth = ["tracklet_no,camera_id,start,end\n"], ["tracklet_no,person_id\n"]
    for number, tracklet in enumerate(tracklets, start=1):
        offset_s = world.clocks[tracklet.camera].offset_s
        span = f"{iso_time(tracklet.start_s + offset_s)},{iso_time(tracklet.end_s + offset_s)}"
        log.append(f"{number},{world.settings.camera_ids[tracklet.camera]},{span}\n")
        truth.append(f"{number},{tracklet.person_id}\n")
    with whole_file(out_dir / "truth" / "tracklets.csv") as partial:
        partial.write_text("".join(truth), encoding="utf-8")
    with whole_file(out_dir / "tracklets.csv") as partial:
        partial.write_text("".join(log), encoding="utf-8")
