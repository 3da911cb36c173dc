"""When a frame was seen: from the stream's own time stamps, never from the time of its arrival."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reid_core.types import ClockQuality

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

__all__ = ["FrameClock", "source_start"]

_UNSET_BEFORE_YEAR = 1990  # containers write 1904 or 1970 for "not set"


def source_start(stated_s: float | None, metadata: Mapping[str, str]) -> tuple[float, ClockQuality]:
    """When the first frame was seen, and how far that can be trusted.

    Args:
        stated_s: What the user says, in UTC epoch seconds.
        metadata: Of the container; ``creation_time`` is the one entry that counts.

    Example:
        >>> source_start(None, {"creation_time": "2026-01-01T08:00:00.500000Z"})
        (1767254400.5, <ClockQuality.CONTAINER: 'container'>)
        >>> source_start(None, {"creation_time": "1904-01-01T00:00:00Z"})
        (0.0, <ClockQuality.UNKNOWN: 'unknown'>)
    """
    if stated_s is not None:
        return float(stated_s), ClockQuality.STATED
    try:
        created = datetime.fromisoformat(metadata.get("creation_time", ""))
    except ValueError:
        return 0.0, ClockQuality.UNKNOWN
    if created.year < _UNSET_BEFORE_YEAR:
        return 0.0, ClockQuality.UNKNOWN
    return (created if created.tzinfo else created.replace(tzinfo=UTC)).timestamp(), ClockQuality.CONTAINER


class FrameClock:
    """Turns the time stamps of one stream, in order of display, into times that always rise.

    A missing stamp, or one that does not rise, is replaced by the last time plus one frame.

    Args:
        start_s: Time of the first frame.
        fps: Nominal frames a second.

    Example:
        >>> from fractions import Fraction
        >>> clock = FrameClock(100.0, fps=10.0)
        >>> [round(clock.tick(pts, Fraction(1, 1000)), 3) for pts in (40, 140, None, 90)]
        [100.0, 100.1, 100.2, 100.3]
        >>> clock.replaced
        2
    """

    def __init__(self, start_s: float, *, fps: float) -> None:
        self._start_s = start_s
        self._step_s = 1.0 / fps
        self._first_stamp_s: float | None = None
        self._last_s: float | None = None
        self._replaced = 0

    @property
    def replaced(self) -> int:
        """How many stamps were missing or did not rise."""
        return self._replaced

    def tick(self, pts: int | None, time_base: Fraction | None) -> float:
        """Time of the next frame from its stamp."""
        time_s = self._from_stamp(pts, time_base)
        if time_s is None or (self._last_s is not None and time_s <= self._last_s):
            self._replaced += 1
            time_s = self._start_s if self._last_s is None else self._last_s + self._step_s
        self._last_s = time_s
        return time_s

    def _from_stamp(self, pts: int | None, time_base: Fraction | None) -> float | None:
        if pts is None or time_base is None:
            return None
        stamp_s = float(pts * time_base)
        if self._first_stamp_s is None:  # frames without a stamp may have come before
            ahead_s = 0.0 if self._last_s is None else self._last_s + self._step_s - self._start_s
            self._first_stamp_s = stamp_s - ahead_s
        return self._start_s + (stamp_s - self._first_stamp_s)
