"""Simulate a site into a folder: cameras side by side in processes of their own, `site.toml` last of all."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reid_core.errors import SimulationSettingsError
from reid_core.simulation.parallel import record_side_by_side
from reid_core.simulation.recording import record_camera
from reid_core.simulation.settings import SiteSettings, camera_format
from reid_core.simulation.truth import write_site_file, write_truth, write_visits
from reid_core.simulation.world import make_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from reid_core.simulation.recording import SeenVisit
    from reid_core.simulation.truth import Visit
    from reid_core.simulation.world import World

__all__ = ["SimulatedSite", "SiteSettings", "prepare_folder", "simulate_site"]

_MARK: Final = "settings.json"


@dataclass(frozen=True, slots=True)
class SimulatedSite:
    """A site on disk.

    Attributes:
        folder: Holds everything.
        site_file: ``site.toml``: cameras, sources, stated starts, links.
        truth_dir: Read by evaluation only.
        videos: One file for each camera, in the cameras' order.
        visits: Walks through views that were seen.
    """

    folder: Path
    site_file: Path
    truth_dir: Path
    videos: tuple[Path, ...]
    visits: int


def simulate_site(
    out_dir: Path, settings: SiteSettings, *, on_progress: Callable[[int], None] | None = None
) -> SimulatedSite:
    """Render a site; ``site.toml`` appears only when everything else is whole.

    Args:
        out_dir: A new or empty folder, or one that holds an earlier simulation (which is replaced).
        settings: What to simulate.
        on_progress: Called with a number of newly finished frames, ``settings.total_frames`` in all.

    Raises:
        SimulationSettingsError: If the folder holds something else.
        SimulationError: If a rendering process died.
    """
    prepare_folder(out_dir)
    world = make_world(settings)
    write_truth(out_dir / "truth", world)
    seen = _record_all(settings, out_dir, on_progress)
    write_visits(out_dir / "truth" / "visits.csv", _true_visits(world, seen))
    write_site_file(out_dir / "site.toml", world, videos=True)
    return SimulatedSite(
        folder=out_dir,
        site_file=out_dir / "site.toml",
        truth_dir=out_dir / "truth",
        videos=tuple(out_dir / "videos" / f"{camera_id}.mp4" for camera_id in settings.camera_ids),
        visits=len(seen),
    )


def prepare_folder(out_dir: Path) -> None:
    """Make the folders, clearing away an earlier simulation and nothing else.

    Raises:
        SimulationSettingsError: If the folder is a file, or holds something that is not a simulated site.
    """
    if out_dir.exists() and not out_dir.is_dir():
        raise SimulationSettingsError(f"{out_dir} is not a folder")
    if out_dir.is_dir() and any(out_dir.iterdir()):
        if not (out_dir / "truth" / _MARK).is_file():
            raise SimulationSettingsError(f"{out_dir} is not empty and holds no simulated site")
        (out_dir / "site.toml").unlink(missing_ok=True)
        (out_dir / "tracklets.csv").unlink(missing_ok=True)
        shutil.rmtree(out_dir / "videos", ignore_errors=True)
        shutil.rmtree(out_dir / "truth")
    for folder in ("videos", "truth/boxes", "truth/keypoints"):
        (out_dir / folder).mkdir(parents=True, exist_ok=True)


def _record_all(settings: SiteSettings, out_dir: Path, on_progress: Callable[[int], None] | None) -> list[SeenVisit]:
    """Every camera's recording: in this process for one process, else each in one of its own."""
    if settings.processes > 1:
        return record_side_by_side(settings, out_dir, on_progress)
    recorded = [record_camera(settings, camera, out_dir, on_progress) for camera in range(settings.cameras)]
    return [visit for visits in recorded for visit in visits]


def _true_visits(world: World, seen: Iterable[SeenVisit]) -> list[Visit]:
    """Visits with true times."""
    visits = []
    for visit in seen:
        start_s = world.clocks[visit.camera].true_start_s
        fps = camera_format(visit.camera).fps
        camera_id = world.settings.camera_ids[visit.camera]
        visits.append((visit.person_id, camera_id, start_s + visit.first_frame / fps, start_s + visit.last_frame / fps))
    return visits
