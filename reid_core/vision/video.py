"""Video files as frames with times, decoded by PyAV. What cannot be decoded is skipped and told, never hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from reid_core.errors import NotAVideoError
from reid_core.types import Frame, VideoInfo
from reid_core.vision.video_clock import FrameClock, source_start
from reid_core.vision.video_decoding import FPS_WHERE_UNKNOWN, Decoding, reason
from reid_core.vision.video_images import ImageFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av.container import InputContainer

    from reid_core.ports import FrameSource
    from reid_core.types import ImageBGR

__all__ = ["VideoFile", "open_source", "probe"]

_NOT_VIDEO_FORMATS = frozenset({"tty", "lavfi", "concat", "hls", "dash"})  # text drawn as pictures, and lists of files


def open_source(
    path: Path, *, start_time_s: float | None = None, image_fps: float = 10.0, threads: int = 1
) -> FrameSource:
    """Open a video file or a folder of pictures.

    Args:
        path: File or folder.
        start_time_s: UTC epoch seconds of the first frame; ``None`` = what the container says, if it does.
        image_fps: Pictures a second of a folder, which cannot say so itself.
        threads: Decoder threads, 0 = as many as the decoder likes. More than one may lose frames of a damaged file
            differently in each run.

    Raises:
        NotAVideoError: If nothing there can be decoded as video.
    """
    if path.is_dir():
        return ImageFolder(path, start_time_s=start_time_s, fps=image_fps)
    return VideoFile(path, start_time_s=start_time_s, threads=threads)


def probe(path: Path, *, start_time_s: float | None = None) -> VideoInfo:
    """What a source says of itself; at most its first frame is decoded.

    Raises:
        NotAVideoError: If nothing there can be decoded as video.
    """
    source = open_source(path, start_time_s=start_time_s)
    source.close()
    return source.info


class VideoFile:
    """One file; each call of `frames` starts at its beginning, so a source can be read again.

    Args:
        path: Any container and codec that FFmpeg reads.
        start_time_s: As in `open_source`.
        threads: As in `open_source`.

    Raises:
        NotAVideoError: If the file is missing, empty, no video, or no frame of it can be decoded.
    """

    def __init__(self, path: Path, *, start_time_s: float | None = None, threads: int = 1) -> None:
        self._path = path
        self._threads = threads
        self._problems: list[str] = []
        self._closings = 0
        _require_content(path)
        with self._container() as container:
            first = next(Decoding(container).frames(), None)
            if first is None:
                raise NotAVideoError(f"no frame of {path} can be decoded")
            self._info = _info(container, first, start_time_s)

    @property
    def info(self) -> VideoInfo:
        """What the file says of itself; the size is that of its first frame, upright."""
        return self._info

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong, one line each; complete after the last frame."""
        return tuple(self._problems)

    def frames(self, *, first_index: int = 0) -> Iterator[Frame]:
        """Yield frames in order of display; those before ``first_index`` are decoded but not converted.

        Yields:
            Frames with times that rise, at their own size where it changes midway.
        """
        self._problems = []
        clock = FrameClock(self._info.start_time_s, fps=self._info.fps)
        convert = VideoReformatter()
        size = (self._info.width, self._info.height)
        index = -1
        closings = self._closings
        with self._container() as container:
            decoding = Decoding(container)
            for index, picture in enumerate(decoding.frames()):
                time_s = clock.tick(picture.pts, picture.time_base)
                if _upright_size(picture) != size:
                    was, size = size, _upright_size(picture)
                    self._problems.append(
                        f"size changes from {was[0]}x{was[1]} to {size[0]}x{size[1]} at frame {index}"
                    )
                if self._closings != closings:
                    return
                if index >= first_index:
                    yield Frame(index, time_s, _to_bgr(picture, convert))
            self._problems += decoding.problems()
        if clock.replaced:
            self._problems.append(
                f"{clock.replaced} of {index + 1} frames had no rising time stamp; theirs follow from the frame rate"
            )

    def close(self) -> None:
        """End a running `frames` with its next step; only that lets go of the file, since a decoder may be at work."""
        self._closings += 1

    def _container(self) -> InputContainer:
        path = self._path.resolve()  # an absolute path is never read as a protocol
        try:
            container = av.open(str(path), options={"protocol_whitelist": "file"}, metadata_errors="replace")
        except (OSError, ValueError) as error:
            raise NotAVideoError(f"{self._path} ({reason(error)})") from error
        if not container.streams.video or container.format.name in _NOT_VIDEO_FORMATS:
            container.close()
            raise NotAVideoError(f"{self._path} holds no video")
        stream = container.streams.video[0]
        stream.thread_type = "NONE" if self._threads == 1 else "AUTO"
        stream.codec_context.thread_count = self._threads
        return container


def _require_content(path: Path) -> None:
    if not path.is_file():
        raise NotAVideoError(f"{path} is not there")
    if path.stat().st_size == 0:
        raise NotAVideoError(f"{path} is empty")


def _info(container: InputContainer, first: av.VideoFrame, start_time_s: float | None) -> VideoInfo:
    stream = container.streams.video[0]
    rate = stream.average_rate or stream.guessed_rate or stream.base_rate
    start_s, quality = source_start(start_time_s, {**stream.metadata, **container.metadata})
    width, height = _upright_size(first)
    fps = float(rate) if rate else FPS_WHERE_UNKNOWN
    return VideoInfo(width, height, fps, _frame_count(container, fps), start_s, quality)


def _frame_count(container: InputContainer, fps: float) -> int | None:
    stream = container.streams.video[0]
    if stream.frames:
        return int(stream.frames)
    if container.duration:
        return max(round(container.duration / av.time_base * fps), 1)
    return None


def _upright_size(picture: av.VideoFrame) -> tuple[int, int]:
    upright = picture.rotation % 180 == 0
    return (picture.width, picture.height) if upright else (picture.height, picture.width)


def _to_bgr(picture: av.VideoFrame, convert: VideoReformatter) -> ImageBGR:
    """Pixels as the camera meant them: BGR, turned upright. Shape ``(H, W, 3)``."""
    image = cast("ImageBGR", convert.reformat(picture, format="bgr24", threads=1).to_ndarray())
    quarter_turns = round(picture.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, quarter_turns)) if quarter_turns else image
