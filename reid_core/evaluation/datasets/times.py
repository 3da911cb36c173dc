"""When a dataset's pictures were taken, as far as their names tell."""

from __future__ import annotations

import math
import re
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reid_core.evaluation.datasets.dataset import ReidRecord

__all__ = ["taken_s"]

_DAY_S = 86_400.0
_MARKET_FPS = 25.0
_MSMT_SEQUENCE = re.compile(r"(?P<month>\d\d)(?P<day>\d\d)(?P<part>[a-z]+)")
_MSMT_PARTS_S: Mapping[str, float] = MappingProxyType(
    {"morning": 8 * 3600.0, "noon": 12 * 3600.0, "afternoon": 16 * 3600.0}
)


def taken_s(dataset: str, record: ReidRecord) -> float:
    """Seconds on a clock of the dataset's own, NaN where the name tells no time.

    Market-1501 counts frames, 25 a second, within each of a camera's sequences; sequences of one number were recorded
    together, so each number has a day of its own. MSMT17 names month, day and part of the day, and a number that counts
    on within it: each part begins at an hour of its own, and the number is taken for seconds, because no unit was
    published. What counts is that gaps within a part are right up to a factor and other gaps are large.

    Args:
        dataset: As in the registry.
        record: One of its records.

    Example:
        >>> from reid_core.evaluation.datasets.dataset import ReidRecord
        >>> taken_s("market1501", ReidRecord("0002_c1s2_000450_03.jpg", 2, "1", frame=450, sequence="2"))
        172818.0
        >>> taken_s("msmt17", ReidRecord("0000_000_01_0303noon_0008_0.jpg", 1, "01", frame=8, sequence="0303noon"))
        5400008.0
    """
    clock = _CLOCKS.get(dataset)
    return math.nan if clock is None or record.frame is None else clock(record.sequence, record.frame)


def _market_s(sequence: str, frame: int) -> float:
    return int(sequence or 0) * _DAY_S + frame / _MARKET_FPS


def _msmt_s(sequence: str, frame: int) -> float:
    told = _MSMT_SEQUENCE.fullmatch(sequence)
    if told is None or told["part"] not in _MSMT_PARTS_S:
        return math.nan
    day = date(2000, int(told["month"]), int(told["day"])).timetuple().tm_yday
    return (day - 1) * _DAY_S + _MSMT_PARTS_S[told["part"]] + frame


_CLOCKS: Mapping[str, Callable[[str, int], float]] = MappingProxyType({"market1501": _market_s, "msmt17": _msmt_s})
