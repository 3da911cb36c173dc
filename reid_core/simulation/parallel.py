"""Cameras rendered side by side, each in a process of its own that ends when its parent is gone."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from multiprocessing import connection, get_context
from typing import TYPE_CHECKING

import cv2

from reid_core.errors import SimulationError
from reid_core.simulation.recording import SeenVisit, record_camera
from reid_core.simulation.settings import SiteSettings, camera_format

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess
    from pathlib import Path

__all__ = ["record_side_by_side"]

_ENDING_S = 10.0


def record_side_by_side(
    settings: SiteSettings, out_dir: Path, on_progress: Callable[[int], None] | None
) -> list[SeenVisit]:
    """Record every camera, ``settings.processes`` at a time; the result does not depend on how many.

    Args:
        settings: Of the site.
        out_dir: The site's folder, with its sub-folders in place.
        on_progress: Called with a number of newly finished frames.

    Raises:
        SimulationError: If a process died before its camera was done.
    """
    crew = _Crew(settings, out_dir, waiting=_longest_first(settings))
    try:
        while crew.busy:
            crew.fill()
            for frames in crew.listen():
                if on_progress is not None:
                    on_progress(frames)
    finally:
        crew.dismiss()
    return [visit for camera in sorted(crew.done) for visit in crew.done[camera]]


def _longest_first(settings: SiteSettings) -> list[int]:
    """Cameras with the most pixels first, so that no process waits at the end."""

    def pixels(camera: int) -> int:
        picture = camera_format(camera)
        return picture.width_px * picture.height_px * settings.frames_of(camera)

    return sorted(range(settings.cameras), key=pixels, reverse=True)


@dataclass(slots=True)
class _Crew:
    """The processes at work, what waits for them, and what they have brought back."""

    settings: SiteSettings
    out_dir: Path
    waiting: list[int]
    running: dict[Connection, tuple[int, SpawnProcess]] = field(default_factory=dict)
    done: dict[int, tuple[SeenVisit, ...]] = field(default_factory=dict)

    @property
    def busy(self) -> bool:
        return bool(self.waiting or self.running)

    def fill(self) -> None:
        """Start processes for waiting cameras while there is room."""
        context = get_context("spawn")
        while self.waiting and len(self.running) < self.settings.processes:
            camera = self.waiting.pop(0)
            ours, theirs = context.Pipe(duplex=False)
            arguments = (theirs, self.settings, camera, self.out_dir)
            process = context.Process(target=_record_and_tell, args=arguments, daemon=True)
            process.start()
            theirs.close()
            self.running[ours] = (camera, process)

    def listen(self) -> list[int]:
        """Wait until some process tells something; the frames that were finished."""
        frames = []
        for channel in connection.wait(list(self.running)):
            told = self._hear(channel)  # type: ignore[arg-type]  # only our own connections are waited for
            if isinstance(told, int):
                frames.append(told)
        return frames

    def _hear(self, channel: Connection) -> object:
        camera, process = self.running[channel]
        try:
            told = channel.recv()
        except EOFError:
            name = self.settings.camera_ids[camera]
            raise SimulationError(f"the process that rendered {name} died; no half video is left in place") from None
        if isinstance(told, BaseException):
            raise told
        if isinstance(told, tuple):
            self.done[camera] = told
            del self.running[channel]
            process.join()
            channel.close()
        return told

    def dismiss(self) -> None:
        """End whatever still runs."""
        for _, process in self.running.values():
            process.terminate()
        for channel, (_, process) in self.running.items():
            process.join(_ENDING_S)
            channel.close()


def _record_and_tell(channel: Connection, settings: SiteSettings, camera: int, out_dir: Path) -> None:
    """In a process of its own: a number for each frame, then the visits or the error; a vanished parent ends it."""
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it too and ends us in order
    try:
        outcome: object = record_camera(settings, camera, out_dir, channel.send)
    except BrokenPipeError:
        return
    except Exception as error:  # noqa: BLE001  # whatever it is, the parent raises it again
        outcome = error
    channel.send(outcome)
