"""Neighbour graphs on disk, one file for each generation: lists of who is most alike, never a vector."""

from __future__ import annotations

import json
import os
import secrets
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from reid_core.errors import StorageError
from reid_core.graph.streaming_state import GraphLists
from services.storage.failures import disk_in_our_words, flush_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from uuid import UUID

__all__ = ["GraphStore"]

_ABOUT = "about"
_KEPT = 2  # the graph of the generation before serves a rollback
_PARTIAL = ".partial"


class GraphStore:
    """A folder of graphs, each of which appears whole or not at all; a cache that can be dropped at any time.

    Args:
        root: Where the files lie; made when the first is written.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def save(self, generation_id: UUID, about: Mapping[str, Any], lists: GraphLists) -> None:
        """Write a generation's graph; only the newest two graphs stay.

        Args:
            generation_id: Names the file.
            about: What the lists depend on; `load` refuses them to whoever expects anything else.
            lists: The lists.

        Raises:
            StorageFullError: If there is no space left; nothing of the file remains.
            StorageError: If the folder cannot be written.
        """
        path = self._path(generation_id)
        partial = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{_PARTIAL}")
        with disk_in_our_words(path):
            self._root.mkdir(parents=True, exist_ok=True)
            try:
                with partial.open("xb") as file:
                    words = np.frombuffer(json.dumps(dict(about), sort_keys=True).encode(), np.uint8)
                    np.savez(file, allow_pickle=False, **{_ABOUT: words}, **lists.as_arrays())
                    file.flush()
                    os.fsync(file.fileno())
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
            flush_folder(self._root)
            self._drop_old()

    def load(self, generation_id: UUID, about: Mapping[str, Any]) -> GraphLists | None:
        """A generation's graph, ``None`` where none was kept.

        Raises:
            StorageError: If the file is damaged, or depends on anything else than is expected; says which.
        """
        path = self._path(generation_id)
        with disk_in_our_words(path):
            try:
                with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                    kept = {name: arrays[name] for name in arrays.files}
            except FileNotFoundError:
                return None
            except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, KeyError) as error:
                raise StorageError(f"{path}: the graph is damaged ({error})") from error
        found = _words(path, kept)
        for name in sorted(found.keys() | about.keys()):
            if found.get(name) != about.get(name):
                raise StorageError(f"{path}: the graph has {name} {found.get(name)}, not {about.get(name)}")
        try:
            return GraphLists.of_arrays(kept)
        except ValueError as error:
            raise StorageError(f"{path}: the graph is damaged ({error})") from error

    def _path(self, generation_id: UUID) -> Path:
        return self._root / f"{generation_id}.npz"

    def _drop_old(self) -> None:
        newest_first = sorted(self._root.glob("*.npz"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in newest_first[_KEPT:]:
            path.unlink(missing_ok=True)


def _words(path: Path, arrays: Mapping[str, Any]) -> dict[str, Any]:
    try:
        words: dict[str, Any] = json.loads(arrays[_ABOUT].tobytes())
    except (KeyError, ValueError) as error:
        raise StorageError(f"{path}: the graph does not say what it is of") from error
    return words
