"""Small videos, made on the spot."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path


def numbered_pictures(count: int, *, width: int = 64, height: int = 48) -> list[np.ndarray]:
    """Flat pictures that brighten by 8 from one to the next, so that a frame tells its own number."""
    return [np.full((height, width, 3), 20 + 8 * number, np.uint8) for number in range(count)]


@pytest.fixture
def make_video(tmp_path):
    def make(
        pictures=None,
        *,
        name: str = "video.mp4",
        codec: str = "libx264",
        fps: int = 10,
        stamps: list[int] | None = None,  # in milliseconds
        metadata: dict[str, str] | None = None,
        options: dict[str, str] | None = None,
        **container_options: dict[str, str],
    ) -> Path:
        pictures = numbered_pictures(20) if pictures is None else pictures
        path = tmp_path / name
        with av.open(str(path), "w", **container_options) as container:
            container.metadata.update(metadata or {})
            stream = container.add_stream(codec, rate=fps, options={"bf": "0", "g": "5", **(options or {})})
            stream.height, stream.width = pictures[0].shape[:2]
            stream.pix_fmt = "yuv420p"
            time_base = Fraction(1, 1000) if stamps else Fraction(1, fps)
            stream.codec_context.time_base = time_base
            for number, picture in enumerate(pictures):
                frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
                frame.time_base = time_base
                frame.pts = stamps[number] if stamps else number
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return make
