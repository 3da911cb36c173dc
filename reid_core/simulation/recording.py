"""One camera's recording: an H.264 file and the truth about it, both whole or not there at all."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import av
import numpy as np

from reid_core.simulation.rendering import CameraRenderer
from reid_core.simulation.settings import SiteSettings, camera_format
from reid_core.simulation.world import make_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reid_core.simulation.rendering import SeenFigure
    from reid_core.simulation.settings import CameraFormat
    from reid_core.simulation.world import World
    from reid_core.types import ImageBGR

__all__ = ["SEEN_SHARE", "SeenVisit", "VideoWriter", "record_camera", "whole_file"]

SEEN_SHARE: Final = 0.05
"""A figure of which less is visible is not in the truth of that frame."""

_PRESET: Final = "superfast"
_QUALITY: Final = "26"
_KEY_FRAME_S: Final = 2


@dataclass(frozen=True, slots=True)
class SeenVisit:
    """One walk through one view as it was really seen; frames count from 0 and both are inside the visit."""

    person_id: int
    camera: int
    first_frame: int
    last_frame: int


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write to; the file takes its own name only when the block ends well."""
    partial = path.with_name(path.name + ".partial")
    try:
        yield partial
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    partial.replace(path)


class VideoWriter:
    """Writes pictures of one size to an H.264 file.

    Args:
        path: Where to; the container is MP4 whatever the name.
        picture: Size and frame rate.
    """

    def __init__(self, path: Path, picture: CameraFormat) -> None:
        self._container = av.open(str(path), "w", format="mp4")
        options = {"preset": _PRESET, "crf": _QUALITY, "bf": "0", "g": str(_KEY_FRAME_S * picture.fps)}
        self._stream = self._container.add_stream("libx264", rate=Fraction(picture.fps), options=options)
        self._stream.width, self._stream.height = picture.width_px, picture.height_px
        self._stream.pix_fmt = "yuv420p"
        self._stream.thread_count = 1
        self._tick = Fraction(1, picture.fps)
        self._written = 0

    def write(self, image: ImageBGR) -> None:
        """Append one picture."""
        frame = av.VideoFrame.from_ndarray(image, format="bgr24")
        frame.pts = self._written
        frame.time_base = self._tick
        self._written += 1
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what is still inside the encoder and end the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()


def record_camera(
    settings: SiteSettings, camera: int, out_dir: Path, on_frame: Callable[[int], None] | None = None
) -> tuple[SeenVisit, ...]:
    """Render one camera from the settings alone; needs nothing from other cameras' recordings.

    Args:
        settings: Of the site.
        camera: Number of the camera from 0.
        out_dir: The site's folder, with its sub-folders in place.
        on_frame: Called with 1 after each frame.

    Returns:
        The visits that were seen, in order of their first frame.
    """
    world = make_world(settings)
    camera_id = settings.camera_ids[camera]
    with whole_file(out_dir / "videos" / f"{camera_id}.mp4") as video:
        rows = _render(world, camera, video, on_frame)
    with whole_file(out_dir / "truth" / "boxes" / f"{camera_id}.txt") as boxes:
        boxes.write_text("".join(_mot_row(frame, figure) for frame, figure in rows), encoding="utf-8")
    with whole_file(out_dir / "truth" / "keypoints" / f"{camera_id}.npz") as points, points.open("wb") as file:
        np.savez_compressed(
            file,
            frame=np.array([frame + 1 for frame, _ in rows], np.int32),
            person_id=np.array([figure.person_id for _, figure in rows], np.int32),
            keypoints=np.array([figure.keypoints for _, figure in rows], np.float32).reshape(-1, 17, 3),
        )
    return _visits(world, camera, rows)


def _render(
    world: World, camera: int, video: Path, on_frame: Callable[[int], None] | None
) -> list[tuple[int, SeenFigure]]:
    """Write the video; give the figures that were seen, with the frame's number from 0."""
    picture = camera_format(camera)
    renderer = CameraRenderer(world, camera)
    writer = VideoWriter(video, picture)
    rows: list[tuple[int, SeenFigure]] = []
    try:
        for frame in range(world.settings.frames_of(camera)):
            rendered = renderer.render(world.clocks[camera].begins_s + frame / picture.fps)
            writer.write(rendered.image)
            seen = [figure for figure in rendered.figures if figure.visibility >= SEEN_SHARE]
            rows += [(frame, figure) for figure in sorted(seen, key=lambda figure: figure.person_id)]
            if on_frame is not None:
                on_frame(1)
    finally:
        writer.close()
    return rows


def _mot_row(frame: int, figure: SeenFigure) -> str:
    """A row as MOT16 has it: frame from 1, id, left, top, width, height, 1, class 1 = person, visibility."""
    x0, y0, x1, y1 = figure.box_px
    return f"{frame + 1},{figure.person_id},{x0},{y0},{x1 - x0},{y1 - y0},1,1,{figure.visibility:.3f}\n"


def _visits(world: World, camera: int, rows: list[tuple[int, SeenFigure]]) -> tuple[SeenVisit, ...]:
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for frame, figure in rows:
        first.setdefault(figure.stay, frame)
        last[figure.stay] = frame
    return tuple(
        SeenVisit(world.people[world.stays[stay].person].person_id, camera, first[stay], last[stay]) for stay in first
    )
