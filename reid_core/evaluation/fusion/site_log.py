"""Times of a simulated site's tracklet log, as `reknit simulate OUT --events-only` writes it, for the harness."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from reid_core.errors import DatasetError
from reid_core.evaluation.fusion.lists import TimedImages, TimedLists

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeVar

    from numpy.typing import NDArray

    _T = TypeVar("_T")

__all__ = ["LOG_NAME", "read_site_log"]

LOG_NAME = "tracklets.csv"
_FPS = 25
_MOST_IMAGES = 6


@dataclass(frozen=True, slots=True)
class _Span:
    """A tracklet by its camera's clock, epoch seconds."""

    camera: str
    start_s: float
    end_s: float


def read_site_log(folder: Path) -> TimedLists:
    """Read ``tracklets.csv`` and ``truth/tracklets.csv``.

    A tracklet has an image each second, six at most. The first half of the log in time is for training. Of the second,
    the first image of each person at each camera asks and the others answer. Nobody is a distractor.

    Raises:
        DatasetError: If a file is missing, a row cannot be read (named by file and line), the truth lacks a tracklet,
            or the log is too short to have both halves.
    """
    spans = _rows(folder / LOG_NAME, _span)
    people = _rows(folder / "truth" / LOG_NAME, lambda row: int(row["person_id"]))
    if lost := spans.keys() - people.keys():
        raise DatasetError(f"{folder / 'truth' / LOG_NAME}: tracklet {min(lost)} is missing")
    if not spans:
        raise DatasetError(f"{folder / LOG_NAME}: no tracklets")
    first_s = min(span.start_s for span in spans.values())
    cameras = sorted({span.camera for span in spans.values()})
    rows = [
        (people[number], cameras.index(span.camera) + 1, frame)
        for number, span in spans.items()
        for frame in _frames(span, first_s)
    ]
    return _parts(folder, np.array(sorted(rows, key=lambda row: (row[2], row[1], row[0])), np.int64))


def _parts(folder: Path, rows: NDArray[np.int64]) -> TimedLists:
    """Training, query and gallery from rows of person, camera and frame in order of time."""
    late = rows[:, 2] >= (rows[0, 2] + rows[-1, 2]) / 2
    test = rows[late]
    asks = np.zeros(len(test), np.bool_)
    asks[np.unique(test[:, :2], axis=0, return_index=True)[1]] = True
    if late.all() or asks.all():
        raise DatasetError(f"{folder / LOG_NAME}: {len(rows)} images are too few to train, ask and answer")
    return TimedLists(_images(rows[~late]), _images(test[asks]), _images(test[~asks]))


def _images(rows: NDArray[np.int64]) -> TimedImages:
    return TimedImages(rows[:, 0], rows[:, 1], rows[:, 2])


def _frames(span: _Span, first_s: float) -> list[int]:
    seconds = min(int(span.end_s - span.start_s), _MOST_IMAGES - 1)
    return [round((span.start_s - first_s) * _FPS) + _FPS * second for second in range(seconds + 1)]


def _span(row: dict[str, str]) -> _Span:
    start_s, end_s = (datetime.fromisoformat(row[edge]).timestamp() for edge in ("start", "end"))
    if end_s < start_s:
        raise ValueError(f"ends before it starts: {row['start']} to {row['end']}")
    return _Span(row["camera_id"], start_s, end_s)


def _rows(path: Path, value_of: Callable[[dict[str, str]], _T]) -> dict[int, _T]:
    """Values by tracklet number, in the order of the file."""
    found: dict[int, _T] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            for row in reader:
                try:
                    found[int(row["tracklet_no"])] = value_of(row)
                except (KeyError, TypeError, ValueError) as error:
                    raise DatasetError(f"{path}, line {reader.line_num}: {error}") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error
    return found
