"""Real camera, time and identity of every image of a benchmark, from its list files; no image is needed."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["DISTRACTOR", "TimedImages", "TimedLists", "read_timed_lists"]

DISTRACTOR = 0
_TRAIN, _TEST = "list_market_train_new.txt", "list_market_test_new.txt"
_QUERY_FOLDER = "query/"
_RECORDING = re.compile(r"_c\d+s(\d+)_")


@dataclass(frozen=True, slots=True, eq=False)
class TimedImages:
    """Who was seen where and when, image by image.

    Attributes:
        person_ids: Shape ``(N,)``. Among test images ``DISTRACTOR`` is nobody in particular.
        camera_ids: Shape ``(N,)``.
        frames: Frame numbers on the cameras' common clock, 25 a second. Shape ``(N,)``.
        recordings: Number of the camera's recorded sequence that each is from, from 1; none if it was not cut.
            Shape ``(N,)``.
    """

    person_ids: NDArray[np.int64]
    camera_ids: NDArray[np.int64]
    frames: NDArray[np.int64]
    recordings: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        """Refuse columns of different length."""
        columns = (self.person_ids, self.camera_ids, self.frames, self.recordings)
        shapes = {column.shape for column in columns if column is not None}
        if len(shapes) != 1 or self.person_ids.ndim != 1:
            raise ValueError(f"persons, cameras and frames must be lists of one length, got shapes {sorted(shapes)}")

    def __len__(self) -> int:
        return len(self.person_ids)


@dataclass(frozen=True, slots=True)
class TimedLists:
    """The three parts of a benchmark; training people and test people are numbered apart."""

    train: TimedImages
    query: TimedImages
    gallery: TimedImages


def read_timed_lists(folder: Path) -> TimedLists:
    """Read ``list_market_train_new.txt`` and ``list_market_test_new.txt``, plain or with ``.gz``.

    Rows are ``path person camera frame``; names such as ``0001_c1s2_000151`` tell the recorded sequence. The ``_new``
    lists count frames on from one recorded sequence to the next, which makes one clock of each camera's six sequences.
    Test rows under ``query/`` are the queries.

    Raises:
        DatasetError: If a file is missing or holds a row that cannot be read (named by file and line), or a part is
            empty.
    """
    train = _read(folder, _TRAIN)
    test = _read(folder, _TEST)
    asks = np.array([path.startswith(_QUERY_FOLDER) for path, *_ in test], np.bool_)
    images = _images(test)
    for missing, where in ((not len(train), _TRAIN), (not asks.any(), f"{_TEST} under query/")):
        if missing:
            raise DatasetError(f"{folder}: no rows in {where}")
    if asks.all():
        raise DatasetError(f"{folder}: no gallery rows in {_TEST}")
    if (images.person_ids[asks] <= DISTRACTOR).any():
        raise DatasetError(
            f"{folder}: {_TEST} holds a query of person {images.person_ids[asks].min()}, must be above 0"
        )
    return TimedLists(_images(train), _where(images, asks), _where(images, ~asks))


def _read(folder: Path, name: str) -> list[tuple[str, int, int, int]]:
    plain, packed = folder / name, folder / f"{name}.gz"
    path = plain if plain.is_file() else packed
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path is packed else data).decode("utf-8")
    except FileNotFoundError as error:
        raise DatasetError(f"{folder}: expected {name} or {packed.name}") from error
    except (OSError, EOFError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error
    return [_row(path, number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def _row(path: Path, number: int, line: str) -> tuple[str, int, int, int]:
    try:
        name, person, camera, frame = line.split()
        values = int(person), int(camera), int(frame)
    except ValueError as error:
        raise DatasetError(f"{path}, line {number}: expected 'path person camera frame', got {line!r}") from error
    if min(values) < 0 or max(values) > np.iinfo(np.int32).max:
        raise DatasetError(
            f"{path}, line {number}: person, camera and frame must be 0 or more and fit 31 bits: {line!r}"
        )
    return (name, *values)


def _images(rows: Iterable[tuple[str, int, int, int]]) -> TimedImages:
    columns = np.array([(*row[1:], _recording(row[0])) for row in rows], np.int64).reshape(-1, 4)
    return TimedImages(*columns.T)


def _recording(path: str) -> int:
    """Named in Market-1501's file names; 1 where a name tells none."""
    named = _RECORDING.search(path)
    return int(named[1]) if named else 1


def _where(images: TimedImages, chosen: NDArray[np.bool_]) -> TimedImages:
    recordings = None if images.recordings is None else images.recordings[chosen]
    return TimedImages(images.person_ids[chosen], images.camera_ids[chosen], images.frames[chosen], recordings)
