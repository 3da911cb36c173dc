"""File locks of the trainer; the system takes a dead process's locks away, so nothing needs to be cleaned up.

Workers of one installation share its data folder, so a lock that is free tells that its worker is dead.
"""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reid_core.errors import InputError, WorkerBusyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["DEFAULT_WORKER", "is_worker_alive", "lock_if_free", "worker_file", "worker_lock"]

DEFAULT_WORKER = "worker-1"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@contextmanager
def lock_if_free(file: Path) -> Iterator[bool]:
    """Hold a lock for the block, and say whether it was to be had."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        yield _try(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def worker_lock(locks_dir: Path, name: str) -> Iterator[None]:
    """Be the only worker of this name for the block.

    Raises:
        WorkerBusyError: If there is another one.
        InputError: If the name is not 1 to 64 letters, digits, '.', '_' and '-'.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"a worker's name is 1 to 64 letters, digits, '.', '_' and '-', got {name!r}")
    with lock_if_free(worker_file(locks_dir, name)) as is_ours:
        if not is_ours:
            raise WorkerBusyError(f"{name} in {locks_dir.parent}; a second one needs another --name")
        yield


def is_worker_alive(locks_dir: Path, name: str) -> bool:
    """True while a worker of this name runs."""
    with lock_if_free(worker_file(locks_dir, name)) as was_free:
        return not was_free


def worker_file(locks_dir: Path, name: str) -> Path:
    """The lock file of a worker."""
    return locks_dir / f"worker-{name}.lock"


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
