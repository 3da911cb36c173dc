"""A worker as a child of another command: for as long as that runs, and only where no other worker is at work."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from services.cli.children import running_child
from services.trainer.locks import DEFAULT_WORKER, is_worker_alive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from services.settings import Settings

__all__ = ["supervised_worker"]

_LOOK_S = 0.25
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0
_HEALTHY_S = 30.0  # a worker that ran this long was not ended by what ended the one before


@contextmanager
def supervised_worker(settings: Settings, *, quiet: bool = False) -> Iterator[None]:
    """Keep a worker running beside the block, and start it again, ever more slowly, when it ends.

    Where another worker holds the data folder, nothing is started until that one is gone.

    Args:
        settings: Of the installation.
        quiet: The worker logs warnings and errors only, so that a bar of progress stays whole.
    """
    stop = threading.Event()
    thread = threading.Thread(
        target=_supervise, args=(_command(settings, quiet=quiet), settings.locks_dir, stop), daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _command(settings: Settings, *, quiet: bool) -> list[str]:
    return ["work", "--with-parent", "--data-dir", str(settings.data_dir), *(["--quiet"] if quiet else [])]


def _supervise(command: list[str], locks_dir: Path, stop: threading.Event) -> None:
    wait_s = _FIRST_WAIT_S
    while not stop.is_set():
        if is_worker_alive(locks_dir, DEFAULT_WORKER):
            stop.wait(_FIRST_WAIT_S)
            continue
        ran_s, code = _run(command, stop)
        if stop.is_set():
            return
        wait_s = _FIRST_WAIT_S if ran_s > _HEALTHY_S else min(2 * wait_s, _LONGEST_WAIT_S)
        structlog.get_logger().warning("worker.ended", code=code, again_in_s=wait_s)
        stop.wait(wait_s)


def _run(command: list[str], stop: threading.Event) -> tuple[float, int | None]:
    """Run a worker until it ends or we do; seconds that it ran, and its exit code."""
    ran_s = 0.0
    with running_child(command) as child:
        while child.poll() is None and not stop.wait(_LOOK_S):
            ran_s += _LOOK_S
        code = child.poll()
    return ran_s, code
