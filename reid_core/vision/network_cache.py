"""Converted networks on disk: each is made once, by a process of its own, and appears whole or not at all."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from reid_core.errors import StorageError, WeightsError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["network_once"]

_PATIENCE_S = 3600.0  # seconds are usual: this ends a converter that hangs, and never one on a machine that is busy


def network_once(folder: Path, *, exporter: str, arguments: Sequence[str]) -> Path:
    """The network in ``folder``, made by ``python -m exporter ARGUMENTS... WORK_FOLDER`` where it is not there yet.

    The exporter writes ``network.xml`` and ``network.bin`` beside the folder's place, which then takes its name in one
    step; of two processes that convert at once the later uses the earlier one's result. The exporter runs as a process
    of its own so that no torch stays in the memory of the caller.

    Args:
        folder: Named by everything that decides the network.
        exporter: Module to run; it exits with 0, or says in one line on standard error why not.
        arguments: What it is told before the folder to write to.

    Returns:
        Path of ``network.xml``.

    Raises:
        WeightsError: If the exporter refuses the weights; its last line of standard error says why. Also if it does
            not end within an hour.
        StorageError: If the folder cannot be written to.
    """
    network = folder / "network.xml"
    if network.is_file():
        return network
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise StorageError(f"{folder.parent}: {error.strerror}") from error
    try:
        _run_in_child([sys.executable, "-m", exporter, *arguments, str(work.resolve())])
        with contextlib.suppress(OSError):  # another process was first
            work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if not network.is_file():
        raise StorageError(f"{network} could not be put in place")
    return network


def _run_in_child(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)  # noqa: S603  our own module
    except subprocess.TimeoutExpired as error:
        raise WeightsError(f"converting took more than {_PATIENCE_S:.0f} s") from error
    if done.returncode:
        raise WeightsError((done.stderr.strip().splitlines() or ["the exporter said nothing"])[-1])
