"""CUHK03 as it is published: pictures and the classic test people in one MATLAB 7.3 (HDF5) file, ``cuhk-03.mat``.

MATLAB's variables as HDF5 holds them, every array transposed and every cell a reference:

- ``detected`` and ``labeled``, shape (1, 5): for each camera pair a cell array of shape (10, people), whose first five
  rows are pictures of the first view and the others of the second; a picture has shape (3, width, height), RGB; a cell
  without a picture holds something of fewer dimensions;
- ``testsets``, shape (1, 20): for each split an array of shape (2, 100): camera pair and person, both from 1.
"""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from reid_core.errors import DatasetError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from numpy.typing import NDArray

__all__ = ["ARCHIVE_PLACES", "Cuhk03Archive"]

ARCHIVE_PLACES = ("cuhk-03.mat", "cuhk03_release/cuhk-03.mat")
_NAME = re.compile(r"(\d)_(\d+)_[12]_(\d+)\.png")
_PICTURES_OF_A_VIEW = 5
_BROKEN = (OSError, KeyError, ValueError, TypeError, IndexError, AttributeError, RuntimeError)


class Cuhk03Archive:
    """The open file; close it, or use it as a context.

    Args:
        path: Of ``cuhk-03.mat``.

    Raises:
        DatasetError: If it is no HDF5 file.
    """

    def __init__(self, path: Path) -> None:
        import h5py

        self.path = path
        try:
            self._file: Any = h5py.File(path, "r")
        except OSError as error:
            raise DatasetError(f"{path} is not a readable MATLAB 7.3 file ({error})") from error
        self._cells: dict[tuple[str, int], NDArray[Any]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def names(self, boxes: str) -> list[str]:
        """File names as the field's tool kits unpack them, ``PAIR_PERSON_VIEW_NUMBER.png``, sorted.

        Args:
            boxes: ``detected`` or ``labeled``.

        Raises:
            DatasetError: If the file is not laid out as published.
        """
        try:
            pairs = range(1, self._file[boxes].shape[1] + 1)
            return sorted(name for pair in pairs for name in self._names_of_pair(boxes, pair))
        except _BROKEN as error:
            raise self._unlike(error) from error

    def test_people(self) -> list[frozenset[tuple[int, int]]]:
        """Camera pair and person of everybody who is tested on, split by split.

        Raises:
            DatasetError: If the file is not laid out as published.
        """
        try:
            splits = [np.asarray(self._file[split], np.int64) for split in self._file["testsets"][0]]
            return [frozenset((int(pair), int(person)) for pair, person in split.T) for split in splits]
        except _BROKEN as error:
            raise self._unlike(error) from error

    def picture(self, boxes: str, name: str) -> bytes:
        """A picture by its file name, as a PNG file.

        Raises:
            DatasetError: If there is no such picture.
        """
        told = _NAME.fullmatch(name)
        try:
            pair, person, number = (int(part) for part in told.groups()) if told else (0, 0, 0)
            if min(pair, person, number) < 1 or name != _file_name(pair, person, number):
                raise ValueError("no file name of CUHK03")
            stored = np.asarray(self._file[self._pair(boxes, pair)[number - 1, person - 1]], np.uint8)
            picture = Image.fromarray(np.ascontiguousarray(stored.transpose(2, 1, 0)))
        except _BROKEN as error:
            raise DatasetError(f"{self.path} holds no picture {boxes}/{name} ({error})") from error
        out = BytesIO()
        picture.save(out, "PNG", compress_level=1)
        return out.getvalue()

    def _names_of_pair(self, boxes: str, pair: int) -> list[str]:
        return [
            _file_name(pair, person + 1, number + 1)
            for (number, person), cell in np.ndenumerate(self._pair(boxes, pair))
            if self._file[cell].ndim == 3
        ]

    def _pair(self, boxes: str, pair: int) -> NDArray[Any]:
        """References to a camera pair's pictures. Shape ``(10, people)``."""
        if (boxes, pair) not in self._cells:
            self._cells[boxes, pair] = np.asarray(self._file[self._file[boxes][0, pair - 1]])
        return self._cells[boxes, pair]

    def _unlike(self, error: Exception) -> DatasetError:
        return DatasetError(f"{self.path} is not laid out like the published cuhk-03.mat ({error})")


def _file_name(pair: int, person: int, number: int) -> str:
    """All from 1."""
    return f"{pair}_{person:03d}_{1 if number <= _PICTURES_OF_A_VIEW else 2}_{number:02d}.png"
