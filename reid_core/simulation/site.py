"""Simulate a site into a folder: cameras side by side in processes of their own, `site.toml` last of all."""

from __future__ import annotations

import shutil
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

from reid_core.errors import SimulationError, SimulationSettingsError
from reid_core.simulation.recording import SeenVisit, record_camera
from reid_core.simulation.settings import SiteSettings, camera_format
from reid_core.simulation.truth import write_site_file, write_truth, write_visits
from reid_core.simulation.world import make_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future
    from pathlib import Path
    from queue import Queue

    from reid_core.simulation.truth import Visit
    from reid_core.simulation.world import World

__all__ = ["SimulatedSite", "SiteSettings", "prepare_folder", "simulate_site"]

_LISTEN_S: Final = 0.25
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
    if settings.processes == 1:
        recorded = [record_camera(settings, camera, out_dir, on_progress) for camera in range(settings.cameras)]
        return [visit for visits in recorded for visit in visits]
    context = get_context("spawn")
    with ExitStack() as stack:
        frames: Queue[int] | None = None
        if on_progress is not None:
            frames = stack.enter_context(context.Manager()).Queue()
        pool = stack.enter_context(
            ProcessPoolExecutor(min(settings.processes, settings.cameras), mp_context=context, max_tasks_per_child=1)
        )
        futures = [
            pool.submit(record_camera, settings, camera, out_dir, None if frames is None else frames.put)
            for camera in _longest_first(settings)
        ]
        try:
            _follow(futures, frames, on_progress)
            return [visit for future in futures for visit in future.result()]
        except BrokenProcessPool as error:
            raise SimulationError("a rendering process died; nothing half written is left in place") from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _longest_first(settings: SiteSettings) -> list[int]:
    """Cameras with the most pixels first, so that no process waits at the end."""

    def pixels(camera: int) -> int:
        picture = camera_format(camera)
        return picture.width_px * picture.height_px * settings.frames_of(camera)

    return sorted(range(settings.cameras), key=pixels, reverse=True)


def _follow(
    futures: Iterable[Future[tuple[SeenVisit, ...]]],
    frames: Queue[int] | None,
    on_progress: Callable[[int], None] | None,
) -> None:
    """Pass progress on until all cameras are done or one has failed."""
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=_LISTEN_S, return_when=FIRST_EXCEPTION)
        if frames is not None and on_progress is not None:
            waiting = frames.qsize()
            if waiting:
                on_progress(sum(frames.get() for _ in range(waiting)))
        if any(future.exception() is not None for future in done):
            return


def _true_visits(world: World, seen: Iterable[SeenVisit]) -> list[Visit]:
    """Visits with true times."""
    visits = []
    for visit in seen:
        start_s = world.clocks[visit.camera].true_start_s
        fps = camera_format(visit.camera).fps
        camera_id = world.settings.camera_ids[visit.camera]
        visits.append((visit.person_id, camera_id, start_s + visit.first_frame / fps, start_s + visit.last_frame / fps))
    return visits
