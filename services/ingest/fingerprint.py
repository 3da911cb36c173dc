"""What a source holds, as one hash: the same pictures under another name are the same source."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from reid_core.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["content_hash"]


def content_hash(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of a folder's files in order of name.

    Raises:
        InputError: If it is not there or cannot be read.
    """
    try:
        if not path.is_dir():
            return _file_hash(path)
        whole = hashlib.sha256()
        for part in sorted(path.iterdir()):
            if part.is_file():
                whole.update(f"{part.name}\0{_file_hash(part)}\n".encode())
        return whole.hexdigest()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
