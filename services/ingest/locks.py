"""File locks: one process a source, and nobody at work while orphans are collected.

The system takes a dead process's locks away, so nothing needs to be cleaned up after a crash.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reid_core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["SourceBusyError", "at_work", "source_lock"]


class SourceBusyError(InputError):
    """Another process is ingesting this source."""


@contextmanager
def at_work(folder: Path, *, when_alone: Callable[[], None]) -> Iterator[None]:
    """Tell other ingest processes that this one is at work.

    Args:
        folder: Where lock files lie; processes over one folder see each other.
        when_alone: Called first, and only if no other process is at work.
    """
    with _opened(folder / "ingest.lock") as descriptor:
        if _try_lock(descriptor):
            when_alone()
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield


@contextmanager
def source_lock(folder: Path, name: str, *, says: str) -> Iterator[None]:
    """Keep other processes away from one source.

    Args:
        folder: Where lock files lie.
        name: Of the source.
        says: How messages call it.

    Raises:
        SourceBusyError: If another process holds it.
    """
    with _opened(folder / f"{name}.lock") as descriptor:
        if not _try_lock(descriptor):
            raise SourceBusyError(says)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
