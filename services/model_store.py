"""The installation's own models on disk: a folder each, which appears whole or not at all and is verified when read."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import time
from typing import TYPE_CHECKING

from reid_core.errors import ModelFilesError
from services.storage.failures import disk_in_our_words, flush_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["ModelStore"]

_MODEL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,119}")
_MANIFEST = "manifest.json"
_MANIFEST_VERSION = 1
_PARTIAL = ".partial"
_READ_AT_ONCE = 1 << 20
_ABANDONED_AFTER_S = 3600.0


class ModelStore:
    """A folder of models.

    A model appears by renaming a complete, flushed folder, and the folder above is flushed too; its row is stored after
    that, so a row never points to nothing. Hashes are verified each time a model is read: weights that a disk has
    changed would answer wrongly and say nothing.

    Args:
        root: Where the models lie; made when the first is published.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def publish(self, model_id: str, files: Mapping[str, Path]) -> dict[str, str]:
        """Take copies of a model's files; a model that is here already and undamaged is left as it is.

        Args:
            model_id: Names the folder.
            files: The files by the names that they get.

        Returns:
            SHA-256 by file name, for `folder`.

        Raises:
            ValueError: If the model id or a name is not a plain name.
            ModelFilesError: If a file cannot be read.
            StorageFullError: If there is no space left; nothing of the model remains.
            StorageError: If the folder cannot be written.
        """
        place = self._place(model_id)
        hashes = {name: _hash_of(path) for name, path in sorted(files.items())}
        if _is_whole(place, hashes):
            return hashes
        partial = place.with_name(f".{model_id}.{secrets.token_hex(4)}{_PARTIAL}")
        with disk_in_our_words(place):
            self._root.mkdir(parents=True, exist_ok=True)
            self._remove_abandoned()
            try:
                _copy_all(model_id, files, hashes, partial)
                _put_in_place(partial, place, hashes)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
            flush_folder(self._root)
        return hashes

    def folder(self, model_id: str, hashes: Mapping[str, str]) -> Path:
        """The folder of a model whose files are what they were when it was published.

        Args:
            model_id: The model.
            hashes: What its files must hash to, as the registry of models holds them.

        Raises:
            ModelFilesError: If a file is missing or damaged; says which.
        """
        place = self._place(model_id)
        if not hashes:
            raise ModelFilesError(f"the registry names no file of model {model_id}")
        for name, expected in hashes.items():
            path = place / name
            if not path.is_file():
                raise ModelFilesError(f"{path} is missing; restore it from a backup or roll back to another generation")
            found = _hash_of(path)
            if found != expected:
                raise ModelFilesError(
                    f"{path} is damaged: its SHA-256 is {found[:16]}..., not {expected[:16]}...; "
                    "restore it from a backup or roll back to another generation"
                )
        return place

    def _place(self, model_id: str) -> Path:
        return self._root / _plain(model_id)

    def _remove_abandoned(self) -> None:
        """Remove what killed processes left unfinished."""
        for left in self._root.glob(f".*{_PARTIAL}"):
            if time.time() - left.stat().st_mtime > _ABANDONED_AFTER_S:
                shutil.rmtree(left, ignore_errors=True)


def _is_whole(place: Path, hashes: Mapping[str, str]) -> bool:
    if not (place / _MANIFEST).is_file():
        return False
    return all((place / name).is_file() and _hash_of(place / name) == one for name, one in hashes.items())


def _copy_all(model_id: str, files: Mapping[str, Path], hashes: Mapping[str, str], partial: Path) -> None:
    partial.mkdir()
    for name, source in files.items():
        target = partial / _plain(name)
        with source.open("rb") as read, target.open("xb") as written:
            shutil.copyfileobj(read, written, _READ_AT_ONCE)
            written.flush()
            os.fsync(written.fileno())
        if _hash_of(target) != hashes[name]:
            raise ModelFilesError(f"{source} changed while it was copied")
    manifest = {
        "version": _MANIFEST_VERSION,
        "model_id": model_id,
        "files": {name: {"sha256": one, "bytes": (partial / name).stat().st_size} for name, one in hashes.items()},
    }
    with (partial / _MANIFEST).open("x", encoding="utf-8") as file:
        file.write(json.dumps(manifest, indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    flush_folder(partial)


def _put_in_place(partial: Path, place: Path, hashes: Mapping[str, str]) -> None:
    """Give a complete folder its name; what stands there damaged makes way."""
    if place.exists() and not _is_whole(place, hashes):
        aside = place.with_name(f".{place.name}.{secrets.token_hex(4)}{_PARTIAL}")
        place.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
    try:
        partial.rename(place)
    except OSError:
        if not _is_whole(place, hashes):  # another process may have published the same model first
            raise


def _plain(name: str) -> str:
    if not _MODEL_ID.fullmatch(name) or name == _MANIFEST:
        raise ValueError(f"models and their files have plain names of at most 120 characters, got {name!r}")
    return name


def _hash_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelFilesError(f"{path}: {error.strerror}") from error
