"""The files of a simulated site: what everybody may read (`site.toml`) and what only evaluation may (`truth/`)."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reid_core.simulation.recording import whole_file
from reid_core.simulation.settings import camera_format

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from reid_core.simulation.world import World

__all__ = ["Visit", "iso_time", "write_site_file", "write_truth", "write_visits"]

Visit = tuple[int, str, float, float]
"""person_id, camera_id, true start and true end in UTC epoch seconds."""


def iso_time(time_s: float) -> str:
    """UTC epoch seconds as ISO 8601 with milliseconds.

    Example:
        >>> iso_time(1767254400.25)
        '2026-01-01T08:00:00.250Z'
    """
    moment = datetime.fromtimestamp(round(time_s, 3), tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_site_file(path: Path, world: World, *, videos: bool) -> None:
    """Write what an installation knows of its site: cameras, their own clocks' starts, places and walking paths."""
    settings = world.settings
    lines = ["[site]", f'name = "simulated-{settings.seed}"', ""]
    for camera, camera_id in enumerate(settings.camera_ids):
        x, y = world.topology.positions_m[camera]
        lines += ["[[cameras]]", f'id = "{camera_id}"']
        lines += [f'source = "videos/{camera_id}.mp4"'] if videos else []
        lines += [f'start = "{iso_time(world.clocks[camera].stated_start_s)}"', f"position_m = [{x}, {y}]", ""]
    for link in world.topology.links:
        ends = f'["{settings.camera_ids[link.camera_a]}", "{settings.camera_ids[link.camera_b]}"]'
        lines += ["[[links]]", f"cameras = {ends}", f"distance_m = {link.distance_m}", ""]
    with whole_file(path) as partial:
        partial.write_text("\n".join(lines), encoding="utf-8")


def write_truth(folder: Path, world: World) -> None:
    """Write settings, people, plan and true clock offsets."""
    ids = world.settings.camera_ids
    settings = asdict(world.settings)
    del settings["processes"]
    _write_json(folder / "settings.json", settings)
    _write_json(folder / "people.json", {"people": [asdict(person) for person in world.people]})
    _write_json(
        folder / "topology.json",
        {
            "cameras": [
                {
                    "camera_id": camera_id,
                    "position_m": world.topology.positions_m[camera],
                    "picture": asdict(camera_format(camera)),
                    "view": asdict(world.scenes[camera].view),
                    "gates": [asdict(gate) for gate in world.scenes[camera].gates],
                }
                for camera, camera_id in enumerate(ids)
            ],
            "links": [
                {**asdict(link), "camera_a": ids[link.camera_a], "camera_b": ids[link.camera_b]}
                for link in world.topology.links
            ],
        },
    )
    _write_json(
        folder / "offsets.json",
        {
            camera_id: {
                "offset_s": clock.offset_s,
                "true_start": iso_time(clock.true_start_s),
                "stated_start": iso_time(clock.stated_start_s),
            }
            for camera_id, clock in zip(ids, world.clocks, strict=True)
        },
    )


def write_visits(path: Path, visits: Iterable[Visit]) -> None:
    """Write who was really where and when, in order of time."""
    rows = sorted(visits, key=lambda visit: (visit[2], visit[0]))
    with whole_file(path) as partial:
        lines = [f"{person},{camera},{start:.3f},{end:.3f}\n" for person, camera, start, end in rows]
        partial.write_text("person_id,camera_id,start_s,end_s\n" + "".join(lines), encoding="utf-8")


def _write_json(path: Path, payload: object) -> None:
    with whole_file(path) as partial:
        partial.write_text(json.dumps(payload, indent=1) + "\n", encoding="utf-8")
