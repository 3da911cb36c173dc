"""Where the harness takes real or simulated times from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reid_core.evaluation.fusion.lists import read_timed_lists
from reid_core.evaluation.fusion.site_log import LOG_NAME, read_site_log

if TYPE_CHECKING:
    from pathlib import Path

    from reid_core.evaluation.fusion.lists import TimedLists

__all__ = ["read_times"]


def read_times(folder: Path) -> TimedLists:
    """Read Market-1501's lists, or a simulated site's tracklet log where the folder holds one.

    Raises:
        DatasetError: If it holds neither, or a file of it cannot be read.
    """
    return read_site_log(folder) if (folder / LOG_NAME).is_file() else read_timed_lists(folder)
