"""A disk that fills, for real.

Two ways, neither of which needs a special user: the kernel lets a process write no file beyond a size (RLIMIT_FSIZE),
and a small file system in memory is mounted in a name space that only the process under test sees (skipped where the
kernel forbids such name spaces).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from factories import make_tracklet

from services.storage.blobs import BlobStore
from services.storage.outbox import Outbox
from services.storage.session import Database

_TESTS = Path(__file__).resolve().parent.parent
_OWN_DISK = (
    "unshare",
    "--user",
    "--map-root-user",
    "--mount",
    "sh",
    "-c",
    'mount -t tmpfs -o size=1m disk "$0" && "$@"',
)

_FILL_A_DISK = """
import sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from factories import make_embedding, make_tracklet
from reid_core.errors import StorageFullError
from reid_core.types import Camera, ClockQuality
from services.storage.blobs import BlobStore, blob_key
from services.storage.cameras import CameraRepository
from services.storage.outbox import Outbox
from services.storage.session import Database
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository

disk = Path(sys.argv[1])
ballast = disk / "ballast"
ballast.write_bytes(bytes(100_000))
database, blobs = Database(f"sqlite:///{disk / 'reknit.db'}"), BlobStore(disk / "blobs")
database.upgrade()
with database.write() as session:
    CameraRepository(session).ensure(Camera("cam1"))
    source = SourceRepository(session).open_source(
        "cam1", "hash", "video", start_s=0.0, clock_quality=ClockQuality.STATED, frame_size_px=(640, 480), fps=10.0
    )

def add(number, crops):
    tracklet, key = make_tracklet(number, crops=crops), blob_key(source.source_id, number)
    blobs.put_tracklet(key, tracklet)
    with database.write() as session:
        TrackletRepository(session).add(source.source_id, "cam1", tracklet, key, make_embedding(crops=0))

added = 0
try:
    while added < 10_000:
        add(added + 1, int(sys.argv[3]))
        added += 1
except StorageFullError as error:
    print("full:", error)
with database.read() as session:
    stored = TrackletRepository(session).list(limit=1000).items
    told = len(Outbox(session).after(0))
assert [item.track_no for item in stored] == list(range(1, added + 1)), (added, stored)
assert told == added
for item in stored:
    expected = make_tracklet(item.track_no, crops=int(sys.argv[3]))
    assert blobs.read_crops(item.blob_key) == [crop.jpeg for crop in expected.crops]
assert not list(disk.rglob("*.partial"))
ballast.unlink()
add(added + 1, int(sys.argv[3]))
print("went on after", added)
database.close()
"""


@pytest.mark.parametrize("crops", [40, 0], ids=["by blobs", "by rows"])
def test_a_disk_that_fills_is_told_and_nothing_committed_is_lost(tmp_path: Path, crops: int):
    _require_own_disks(tmp_path)
    program = (sys.executable, "-W", "error", "-c", _FILL_A_DISK, str(tmp_path), str(_TESTS), str(crops))
    done = subprocess.run(
        [*_OWN_DISK, str(tmp_path), *program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    told, went_on = done.stdout.splitlines()
    assert told.startswith("full: There is no space left to store to: ")
    assert str(tmp_path) in told
    assert int(went_on.removeprefix("went on after ")) > 5


@pytest.mark.parametrize("until", ["associate-1", pytest.param("end", marks=pytest.mark.slow)])
def test_a_disk_that_fills_while_a_site_is_learned_ends_the_job_and_a_retry_goes_on_there(tmp_path: Path, until: str):
    disk, elsewhere = tmp_path / "disk", tmp_path / "elsewhere"
    disk.mkdir()
    elsewhere.mkdir()
    _require_own_disks(disk)
    own_disk = [part.replace("size=1m", "size=48m") for part in _OWN_DISK]
    program = (sys.executable, str(_TESTS / "full_disk_child.py"), str(disk), str(elsewhere), until)
    done = subprocess.run([*own_disk, str(disk), *program], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["state"] == "failed"
    assert told["error"].startswith(f"within: There is no space left to store to: {disk}")
    assert told["standing"] == {"cold": "current"}
    assert told["attempt"] == 2
    assert told["started"][:3] == ["prepare", "within", "within"], "what was done is not done again"
    if until == "end":
        assert (told["then"], told["after"]) == ("succeeded", {"cold": "retired", "learned": "current"})
    else:
        assert (told["then"], told["step"], told["after"]) == ("running", until, {"cold": "current"})


def test_a_blob_that_does_not_fit_leaves_nothing_and_the_others_alone(tmp_path: Path):
    store = BlobStore(tmp_path)
    store.put_tracklet("kept", make_tracklet())
    said = _with_small_files_only(
        "from services.storage.blobs import BlobStore; from factories import make_tracklet",
        f"BlobStore(Path({str(tmp_path)!r})).put_tracklet('lost', make_tracklet(crops=60))",
        limit=4096,
    )
    assert said.startswith("StorageFullError There is no space left to store to: ")
    assert "lost.zip: File too large" in said
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["kept.zip"]
    assert store.read_crops("kept") == [crop.jpeg for crop in make_tracklet().crops]


def test_a_database_that_may_not_grow_keeps_what_was_committed(sqlite_database: Database):
    """SQLite calls any failed write but ENOSPC an I/O error, so this is not told as a full disk."""
    with sqlite_database.write() as session:
        Outbox(session).append("test.kept", {})
    path = sqlite_database._url.database
    said = _with_small_files_only(
        "from services.storage.outbox import Outbox; from services.storage.session import Database",
        f"""
    with Database("sqlite:///{path}").write() as session:
        for _ in range(400):
            Outbox(session).append("test.lost", {{"text": "x" * 2000}})
    """,
        limit=300_000,
    )
    assert said.startswith("StorageError The storage cannot be used: sqlite:////"), said
    with Database(f"sqlite:///{path}") as again:
        with again.read() as session:
            assert [event.kind for event in Outbox(session).after(0)] == ["test.kept"]
        with again.write() as session:
            Outbox(session).append("test.more", {})


def _require_own_disks(folder: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare here")
    tried = subprocess.run([*_OWN_DISK, str(folder), "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"this kernel gives no name spaces: {tried.stderr.strip()}")


_LIMITED = """
import resource, signal, sys
sys.path.insert(0, {tests!r})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails with EFBIG instead of ending the process
from pathlib import Path
from reid_core.errors import ReknitError
{imports}
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    {act}
except ReknitError as error:
    print(type(error).__name__, error)
"""


def _with_small_files_only(imports: str, act: str, *, limit: int) -> str:
    program = _LIMITED.format(tests=str(_TESTS), imports=imports, act=act, limit=limit)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout
