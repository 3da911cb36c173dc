"""One pass over the pictures of a container, counting what is lost on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import av
import av.error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container import InputContainer
    from av.video.stream import VideoStream

__all__ = ["FPS_WHERE_UNKNOWN", "Decoding", "reason"]

FPS_WHERE_UNKNOWN = 25.0


class Decoding:
    """One pass over the first video stream of a container; counts what was lost."""

    def __init__(self, container: InputContainer) -> None:
        self._container = container
        self._stream = container.streams.video[0]
        self._packets = self._bad_packets = self._damaged = 0
        self._end_s = 0.0
        self._stopped = ""

    def frames(self) -> Iterator[av.VideoFrame]:
        """Decoded pictures in order of display."""
        for packet in self._read():
            try:
                pictures = packet.decode()
            except (av.error.FFmpegError, ValueError):
                self._bad_packets += 1
                continue
            for picture in pictures:
                if isinstance(picture, av.VideoFrame):
                    self._damaged += picture.is_corrupt
                    yield picture

    def problems(self) -> list[str]:
        """One line for each kind of loss."""
        claimed_s = _claimed_length_s(self._container)
        lines = []
        if self._stopped:
            lines.append(f"reading stopped after {self._packets} packets: {self._stopped}")
        if claimed_s is not None and self._end_s < claimed_s - _length_slack_s(self._stream):
            lines.append(f"the file ends early: after {self._end_s:.1f} of {claimed_s:.1f} s")
        if self._bad_packets:
            lines.append(f"{self._bad_packets} damaged packets were skipped")
        if self._damaged:
            lines.append(f"{self._damaged} frames are damaged and were kept")
        return lines

    def _read(self) -> Iterator[av.Packet[Any]]:
        try:
            for packet in self._container.demux(self._stream):
                if packet.size:
                    self._packets += 1
                    self._end_s = max(self._end_s, _end_s(packet, self._stream))
                yield packet
        except av.error.FFmpegError as error:
            self._stopped = reason(error)


def _claimed_length_s(container: InputContainer) -> float | None:
    """How long the video is by its header; ``None`` where that says nothing of the video alone."""
    stream = container.streams.video[0]
    by_frames_s = float(stream.frames / stream.average_rate) if stream.average_rate else 0.0
    by_stamps_s = float((stream.duration or 0) * (stream.time_base or 0))
    if by_frames_s or by_stamps_s:  # FFmpeg shortens the one or the other to what it finds in a cut file
        return max(by_frames_s, by_stamps_s)
    return container.duration / av.time_base if container.duration and len(container.streams) == 1 else None


def _length_slack_s(stream: VideoStream) -> float:
    """Two frames: headers round, and packets may not say how long they last."""
    return 2 / float(stream.average_rate or FPS_WHERE_UNKNOWN)


def _end_s(packet: av.Packet[Any], stream: VideoStream) -> float:
    stamp = packet.pts if packet.pts is not None else packet.dts
    if stamp is None or packet.time_base is None:
        return 0.0
    return float((stamp - (stream.start_time or 0) + (packet.duration or 0)) * packet.time_base)


def reason(error: Exception) -> str:
    """What FFmpeg says of an error, in one line."""
    return str(getattr(error, "strerror", None) or error)
