"""A dataset's folder on disk: what is missing or unlike the published layout is named where it was expected."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reid_core.errors import DatasetError

if TYPE_CHECKING:
    import re
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Layout"]


@dataclass(frozen=True, slots=True)
class Layout:
    """The root folder of a dataset, and in words what it should hold.

    Attributes:
        root: The folder that record paths start from.
        form: The published layout in one line; ends every message.
    """

    root: Path
    form: str

    @staticmethod
    def at(root: Path, form: str, *, inside: tuple[str, ...] = ()) -> Layout:
        """The layout at a folder, or in the folder that the published archive unpacks into.

        Args:
            root: What the user named.
            form: The published layout in one line.
            inside: Names of the archive's own folder; the first that exists under ``root`` is taken instead of it.

        Raises:
            DatasetError: If there is no such folder.
        """
        if not root.is_dir():
            raise DatasetError(f"{root} is not a folder; expected {form}")
        return Layout(next((root / name for name in inside if (root / name).is_dir()), root), form)

    def refuse(self, reason: str) -> DatasetError:
        """An error that ends with the published layout."""
        return DatasetError(f"{reason}; expected {self.form}")

    def file(self, path: str) -> Path:
        """A file that must exist."""
        if not (self.root / path).is_file():
            raise self.refuse(f"the file {self.root / path} is missing")
        return self.root / path

    def pictures(self, folder: str, *, suffix: str = ".jpg") -> list[str]:
        """Paths of the pictures in a folder that must exist and hold some, relative to the root, sorted."""
        names = sorted(entry.name for entry in self._entries(folder) if entry.name.lower().endswith(suffix))
        if not names:
            raise self.refuse(f"there is no {suffix} picture in {self.root / folder}")
        return [f"{folder}/{name}" for name in names]

    def folders(self, folder: str) -> list[str]:
        """Paths of the folders in a folder that must exist and hold some, relative to the root, sorted."""
        names = sorted(entry.name for entry in self._entries(folder) if entry.is_dir())
        if not names:
            raise self.refuse(f"there is no folder in {self.root / folder}")
        return [f"{folder}/{name}" for name in names]

    def lines(self, path: str) -> list[str]:
        """Lines of a text file, without those that are blank."""
        try:
            text = self.file(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise self.refuse(f"{self.root / path} cannot be read ({error})") from error
        return [line.strip() for line in text.splitlines() if line.strip()]

    def matrix(self, path: str, key: str) -> NDArray[Any]:
        """A variable of a MATLAB file (version 7.2 or older)."""
        from scipy.io import loadmat
        from scipy.io.matlab import MatReadError

        try:
            variables = loadmat(self.file(path), variable_names=[key])
        except (OSError, ValueError, NotImplementedError, MatReadError) as error:
            raise self.refuse(f"{self.root / path} is not a readable MATLAB file ({error})") from error
        if key not in variables:
            raise self.refuse(f"{self.root / path} has no variable {key}")
        value: NDArray[Any] = variables[key]
        return value

    def parse(self, pattern: re.Pattern[str], path: str) -> dict[str, str]:
        """The named groups of a file's name, without those that did not take part."""
        found = pattern.match(path.rpartition("/")[2])
        if found is None:
            raise self.refuse(f"{self.root / path} has a name of another form")
        return {key: value for key, value in found.groupdict().items() if value is not None}

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.root / folder) as entries:
                return [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            raise self.refuse(f"the folder {self.root / folder} is missing") from error
