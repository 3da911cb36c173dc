"""kill -9 at random moments: what is stored in the end equals what an uninterrupted ingest stores."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from stored import stored

from reid_core.simulation.settings import SiteSettings
from reid_core.simulation.site import simulate_site
from services.storage.blobs import BlobStore
from services.storage.session import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

REKNIT = Path(sys.executable).with_name("reknit")
PATIENCE_S = 120.0

pytestmark = pytest.mark.weights


@dataclass(frozen=True)
class Uninterrupted:
    """What an ingest that nobody killed left, and how long it worked after it had begun to load its networks."""

    site_file: Path
    data: Path
    holds: dict[str, object]
    seconds: float


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, weights_dir: Path) -> Uninterrupted:
    folder = tmp_path_factory.mktemp("whole")
    site = simulate_site(folder / "site", SiteSettings(cameras=2, people=12, minutes=0.15))
    with ingesting(site.site_file, folder / "data") as process:
        started_s = time.monotonic()
        assert process.wait(timeout=PATIENCE_S) == 0, f"with weights at {weights_dir}"
        seconds = time.monotonic() - started_s
    found = holds(folder / "data")
    assert len(found["tracklets"]) >= 4  # type: ignore[arg-type]  # a dict
    return Uninterrupted(site.site_file, folder / "data", found, seconds)


@pytest.mark.parametrize("kills", [pytest.param(3, id="three"), pytest.param(20, id="twenty", marks=pytest.mark.slow)])
def test_killed_ingest_ends_at_the_same_tracklets(uninterrupted: Uninterrupted, tmp_path: Path, kills: int) -> None:
    chance = random.Random(kills)
    installation = 0
    killed = 0
    for _ in range(3 * kills):
        if killed == kills:
            break
        data = tmp_path / f"data-{installation}"
        if killed_at(chance.uniform(0.0, uninterrupted.seconds), uninterrupted.site_file, data):
            killed += 1
        else:  # it was done before the signal came: look at it, and take the next kills in a fresh installation
            assert holds(data) == uninterrupted.holds
            installation += 1
    assert killed == kills, "too many ingests ended before they could be killed"
    data = tmp_path / f"data-{installation}"
    finish(uninterrupted.site_file, data)
    assert holds(data) == uninterrupted.holds


def test_ingesting_a_finished_site_again_changes_nothing(uninterrupted: Uninterrupted) -> None:
    rows = (uninterrupted.data / "reknit.db").read_bytes()
    assert "finished before" in finish(uninterrupted.site_file, uninterrupted.data)
    assert holds(uninterrupted.data) == uninterrupted.holds
    assert (uninterrupted.data / "reknit.db").read_bytes() == rows


def killed_at(delay_s: float, site_file: Path, data: Path) -> bool:
    """Kill an ingest so long after it began to load its networks; False if it was done before."""
    with ingesting(site_file, data) as process:
        try:
            assert process.wait(timeout=delay_s) == 0
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=PATIENCE_S)
            return True
    return False


@contextmanager
def ingesting(site_file: Path, data: Path) -> Iterator[subprocess.Popen[str]]:
    """`reknit ingest` as a process of its own, from the moment it begins to load its networks; dead afterwards."""
    command = [str(REKNIT), "ingest", "--site", str(site_file), "--data-dir", str(data), "--once"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        try:
            line = process.stderr.readline() if process.stderr else ""
            assert "loading the networks" in line or not line, line
            yield process
        finally:
            process.kill()


def finish(site_file: Path, data: Path) -> str:
    """Ingest to the end; what it prints."""
    command = [str(REKNIT), "ingest", "--site", str(site_file), "--data-dir", str(data), "--once"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    return done.stdout


def holds(data: Path) -> dict[str, object]:
    with Database(f"sqlite:///{data / 'reknit.db'}") as database:
        return stored(database, BlobStore(data / "blobs"))
