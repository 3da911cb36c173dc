"""Weight files by content: found in folders, in the cache or at a mirror, and never used before the hash is right."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import tempfile
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from reid_core.errors import StorageFullError, WeightsError
from reid_core.vision.weights_fetch import MirrorError, fetch_from
from reid_core.vision.weights_registry import REGISTRY, WeightsEntry, known_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reid_core.vision.weights_registry import Mirror

__all__ = ["REGISTRY", "WeightsState", "WeightsStatus", "known_weights", "resolve", "sha256_of", "status_of"]


class WeightsState(Enum):
    """Whether a weight file lies on this machine."""

    VERIFIED = "verified"
    WRONG_HASH = "wrong hash"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class WeightsStatus:
    """What was found of one entry; ``path`` and ``seen_sha256`` are ``None`` where there is no file."""

    entry: WeightsEntry
    state: WeightsState
    path: Path | None = None
    seen_sha256: str | None = None


def resolve(name: str, *, folders: Sequence[Path], cache_dir: Path, fetch: bool = True) -> Path:
    """The verified file of this name: from the folders, then the cache, then the mirrors.

    Args:
        name: A name of the registry or of a ``weights.toml`` in one of the folders.
        folders: Looked through first, in order; nothing is written there.
        cache_dir: Looked through next; fetched files are put there.
        fetch: Whether mirrors may be asked at all.

    Returns:
        Path of a file whose sha256 is the registered one.

    Raises:
        WeightsError: If the name is unknown, a file has a wrong hash, or the file is not to be had.
        StorageFullError: If the fetched file does not fit on the disk.
    """
    known = known_weights([*folders, cache_dir])
    if name not in known:
        raise WeightsError(f"{name!r} is unknown; known are {', '.join(sorted(known))}")
    status = status_of(known[name], folders=folders, cache_dir=cache_dir)
    if status.path is not None:
        return _require_verified(status)
    if not fetch:
        places = ", ".join(str(place) for place in _places(status.entry, folders, cache_dir))
        raise WeightsError(f"{name} is not at {places}; `reknit weights pull {name}` gets it")
    return _fetch(status.entry, cache_dir)


def status_of(entry: WeightsEntry, *, folders: Sequence[Path], cache_dir: Path) -> WeightsStatus:
    """Where an entry's file lies on this machine, and whether its content is the registered one."""
    for place in _places(entry, folders, cache_dir):
        if place.is_file():
            seen = sha256_of(place)
            state = WeightsState.VERIFIED if seen == entry.sha256 else WeightsState.WRONG_HASH
            return WeightsStatus(entry, state, place, seen)
    return WeightsStatus(entry, WeightsState.ABSENT)


def sha256_of(path: Path) -> str:
    """Lower-case hexadecimal sha256 of a file's content.

    Raises:
        WeightsError: If the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path}: {error.strerror}") from error


def _places(entry: WeightsEntry, folders: Sequence[Path], cache_dir: Path) -> list[Path]:
    own = [] if entry.path is None else [entry.path]
    return list(dict.fromkeys([*own, *(folder / entry.file_name for folder in [*folders, cache_dir])]))


def _require_verified(status: WeightsStatus) -> Path:
    if status.path is None or status.state is not WeightsState.VERIFIED:
        raise WeightsError(
            f"{status.path} has sha256 {status.seen_sha256}, expected {status.entry.sha256}; "
            f"delete it to have it fetched again"
        )
    return status.path


def _fetch(entry: WeightsEntry, cache_dir: Path) -> Path:
    """Ask mirror after mirror until one gives the registered content."""
    tried: list[str] = []
    for mirror in entry.mirrors:
        try:
            return _fetch_one(entry, mirror, cache_dir)
        except MirrorError as error:
            tried.append(f"{mirror}: {error}")
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise StorageFullError(f"{entry.name} into {cache_dir}") from error
            raise WeightsError(f"{cache_dir} cannot be written to: {error.strerror}") from error
    said = "; ".join(tried) or "it has no mirror"
    raise WeightsError(f"{entry.name} is not in {cache_dir} and could not be fetched ({said})")


def _fetch_one(entry: WeightsEntry, mirror: Mirror, cache_dir: Path) -> Path:
    """Fetch beside the target, verify, then rename: readers see the whole right file or none."""
    cache_dir.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{entry.file_name}.", suffix=".partial", dir=cache_dir)
    os.close(handle)
    partial = Path(name)
    try:
        fetch_from(mirror, partial)
        seen = sha256_of(partial)
        if seen != entry.sha256:
            raise MirrorError(f"gave sha256 {seen}, expected {entry.sha256}")
        partial.chmod(0o644)
        return partial.replace(cache_dir / entry.file_name)
    finally:
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()
