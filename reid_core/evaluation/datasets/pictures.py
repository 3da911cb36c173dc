"""Where a dataset's pictures lie: as files under its folder, or inside the archive that was published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from reid_core.evaluation.datasets.cuhk03_archive import ARCHIVE_PLACES, Cuhk03Archive

if TYPE_CHECKING:
    from pathlib import Path

    from reid_core.evaluation.datasets.dataset import ReidDataset, ReidRecord

__all__ = ["Pictures", "open_pictures", "pictures_of"]


class Pictures(Protocol):
    """Pictures by the paths that records name."""

    def read(self, path: str) -> bytes | None:
        """A picture as a file of some common form, ``None`` where there is none.

        Raises:
            DatasetError: If the archive that should hold it does not.
        """
        ...

    def stamp(self, path: str) -> str:
        """Changes whenever the picture may have changed; empty where there is none."""
        ...


def pictures_of(record: ReidRecord) -> tuple[str, ...]:
    """Paths of a record's pictures, one for a record that is a picture itself."""
    return record.tracklet or (record.path,)


def open_pictures(dataset: ReidDataset, root: Path) -> Pictures:
    """The pictures of a dataset that was read from ``root``.

    They are looked for under ``root`` and under the folders in it, as published archives unpack; where CUHK03's are not
    unpacked, they are taken from ``cuhk-03.mat``.
    """
    example = pictures_of(dataset.records[int(dataset.splits[0].query[0])])[0]
    inside = [root, *sorted(child for child in root.iterdir() if child.is_dir())]
    folder = next((one for one in inside if (one / example).is_file()), None)
    if folder is None and dataset.name.startswith("cuhk03-"):
        places = [one / place for one in inside for place in ARCHIVE_PLACES]
        archive = next((place for place in places if place.is_file()), None)
        if archive is not None:
            return _InArchive(Cuhk03Archive(archive))
    return _InFolder(folder or root)


class _InFolder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, path: str) -> bytes | None:
        file = self._folder / path
        return file.read_bytes() if file.is_file() else None

    def stamp(self, path: str) -> str:
        file = self._folder / path
        return _stamp(file) if file.is_file() else ""


class _InArchive:
    """Paths read ``images_detected/NAME`` or ``images_labeled/NAME``."""

    def __init__(self, archive: Cuhk03Archive) -> None:
        self._archive = archive
        self._stamp = _stamp(archive.path)

    def read(self, path: str) -> bytes | None:
        folder, _, name = path.rpartition("/")
        return self._archive.picture(folder.removeprefix("images_"), name)

    def stamp(self, path: str) -> str:
        return f"{self._stamp} {path}"


def _stamp(file: Path) -> str:
    told = file.stat()
    return f"{told.st_size} {told.st_mtime_ns}"
