"""Blobs: the crops of one tracklet in one stored zip, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reid_core.errors import StorageError, UnknownCropError
from services.storage.failures import disk_in_our_words, flush_folder
from services.storage.records import crop_to_json

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from pathlib import Path
    from uuid import UUID

    from reid_core.types import Tracklet

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,119}")
_MANIFEST = "manifest.json"
_MANIFEST_VERSION = 1
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can name; equal tracklets give equal bytes
_SUFFIX = ".zip"
_PARTIAL = ".partial"


def blob_key(source_id: UUID, track_no: int) -> str:
    """The key of a tracklet's blob: the same each time the tracklet is made, so that a repeated write replaces it."""
    return f"{source_id}-{track_no:06d}"


class BlobStore:
    """A folder of blobs, fanned out into 256 folders by hash of the key.

    A blob appears by renaming a complete, flushed file, and the folder is flushed too: once `put_tracklet` returns, a
    power cut does not take the blob away. Its row is committed after that, so a row never points to nothing; a blob
    without a row is an orphan, for `collect_orphans`.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def put_tracklet(self, key: str, tracklet: Tracklet) -> None:
        """Store the crops of a tracklet; a blob of the same key is replaced.

        Raises:
            ValueError: If the key is not a plain name.
            StorageFullError: If there is no space left; nothing of the blob remains.
            StorageError: If the folder cannot be written.
        """
        path = self._path(key)
        partial = path.with_name(f".{key}.{secrets.token_hex(4)}{_PARTIAL}")
        with disk_in_our_words(path):
            self._make_folder(path.parent)
            try:
                _write_zip(partial, tracklet)
                partial.replace(path)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
            flush_folder(path.parent)

    def read_crop(self, key: str, crop_no: int) -> bytes:
        """One crop as JPEG.

        Raises:
            UnknownCropError: If the tracklet has no crop of this number.
            StorageError: If there is no such blob or it is damaged.
        """
        with self._opened(key) as blob:
            try:
                return blob.read(_crop_name(crop_no))
            except KeyError as error:
                raise UnknownCropError(f"{crop_no} of {key}") from error

    def read_crops(self, key: str) -> list[bytes]:
        """All crops as JPEG, in order of time.

        Raises:
            StorageError: If there is no such blob or it is damaged.
        """
        with self._opened(key) as blob:
            return [blob.read(name) for name in blob.namelist() if name != _MANIFEST]

    def read_manifest(self, key: str) -> dict[str, object]:
        """What the blob says of its crops.

        Raises:
            StorageError: If there is no such blob or it is damaged.
        """
        with self._opened(key) as blob:
            manifest: dict[str, object] = json.loads(blob.read(_MANIFEST))
            return manifest

    def delete(self, key: str) -> None:
        """Remove a blob; removing one that is not there changes nothing.

        Raises:
            StorageError: If the folder cannot be written.
        """
        path = self._path(key)
        with disk_in_our_words(path):
            path.unlink(missing_ok=True)

    def keys(self) -> Iterator[str]:
        """The key of every blob, in no order."""
        return (path.stem for path in self._root.glob(f"??/[!.]*{_SUFFIX}"))

    def collect_orphans(self, known_keys: Container[str], *, min_age_s: float, now: float) -> list[str]:
        """Remove blobs that no tracklet refers to, and what broken writes left behind.

        Args:
            known_keys: Keys that tracklets refer to; read them from the database before this call.
            min_age_s: Younger files stay: their tracklet may be about to be committed.
            now: UTC epoch seconds.

        Returns:
            Names of the removed files, sorted.
        """
        removed = []
        for path in sorted(self._root.glob("??/*")):
            is_blob = path.suffix == _SUFFIX and not path.name.startswith(".")
            if (is_blob and path.stem in known_keys) or not (is_blob or path.suffix == _PARTIAL):
                continue
            with disk_in_our_words(path):
                try:
                    if now - path.stat().st_mtime >= min_age_s:
                        path.unlink()
                        removed.append(path.name)
                except FileNotFoundError:
                    continue  # somebody else was quicker
        return removed

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"a blob key is 1 to 120 letters, digits, '-' and '_', got {key!r}")
        return self._root / hashlib.sha256(key.encode()).hexdigest()[:2] / f"{key}{_SUFFIX}"

    def _make_folder(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            flush_folder(folder.parent)

    @contextmanager
    def _opened(self, key: str) -> Iterator[zipfile.ZipFile]:
        path = self._path(key)
        with disk_in_our_words(path):
            try:
                with zipfile.ZipFile(path) as blob:
                    yield blob
            except zipfile.BadZipFile as error:
                raise StorageError(f"{path}: the blob is damaged ({error})") from error


def _write_zip(path: Path, tracklet: Tracklet) -> None:
    manifest = {
        "version": _MANIFEST_VERSION,
        "track_no": int(tracklet.track_no),
        "frame_size_px": [int(edge) for edge in tracklet.frame_size_px],
        "display_order": [int(no) for no in tracklet.display_order],
        "crops": [crop_to_json(crop) for crop in tracklet.crops],
    }
    with path.open("xb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as blob:
            blob.writestr(_entry(_MANIFEST), json.dumps(manifest, separators=(",", ":"), allow_nan=False))
            for crop_no, crop in enumerate(tracklet.crops):
                blob.writestr(_entry(_crop_name(crop_no)), crop.jpeg)
        file.flush()
        os.fsync(file.fileno())


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system = 3  # the same bytes on every system
    entry.external_attr = 0o644 << 16
    return entry


def _crop_name(crop_no: int) -> str:
    return f"crops/{crop_no:02d}.jpg"
