"""What `reknit ingest` makes of input that is broken, and of an installation that is: one clear line, nothing lost."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from blocks_reknit import use_blocks
from moving_blocks import Walk, record
from sqlalchemy import text
from stored import stored

from services.cli.main import main
from services.storage.blobs import BlobStore
from services.storage.session import Database

if TYPE_CHECKING:
    from collections.abc import Callable

TESTS = Path(__file__).resolve().parent.parent
WALKS = (Walk(0, 5, 45), Walk(1, 12, 55), Walk(2, 25, 70))
FRAMES = 75


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def complaints(self) -> list[str]:
        """Lines on standard error that are neither progress nor about loading."""
        quiet = ("Ingesting frames", "reknit: loading the networks")
        return [line for line in self.err.splitlines() if not line.startswith(quiet)]


@pytest.fixture
def reknit(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Said]:
    """Runs `reknit` over the installation ``data`` in the test's folder."""
    use_blocks(monkeypatch.setattr)
    monkeypatch.setenv("REKNIT_DATA_DIR", str(tmp_path / "data"))

    def run(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["reknit", *map(str, arguments)])
        with pytest.raises(SystemExit) as leaving:
            main()
        captured = capsys.readouterr()
        return Said(leaving.value.code if isinstance(leaving.value.code, int) else 0, captured.out, captured.err)

    return run


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("good") / "hall.avi", WALKS, FRAMES)


def cut(source: Path, target: Path, share: float) -> Path:
    whole = source.read_bytes()
    target.write_bytes(whole[: int(len(whole) * share)])
    return target


def tracklets(data: Path) -> dict[Any, Any]:
    with Database(f"sqlite:///{data / 'reknit.db'}") as database:
        return stored(database, BlobStore(data / "blobs"))["tracklets"]  # type: ignore[return-value]


def test_good_video_is_ingested_and_told(reknit: Callable[..., Said], good: Path) -> None:
    said = reknit("ingest", good, "--json", "-", "--once")
    assert said.code == 0
    report = json.loads(said.out)
    assert (report["frames"], report["tracklets"]) == (FRAMES, len(WALKS))
    assert report["sources"][0]["state"] == "ingested"
    assert set(report["stages"]["tracker"]) == {"seconds", "ms_per_frame"}
    assert said.complaints == []


def test_profile_says_where_the_time_went(reknit: Callable[..., Said], good: Path) -> None:
    said = reknit("ingest", good, "--profile")
    for stage in ("decode", "gate", "letterbox + detector", "tracker", "crops", "embed", "store", "all in"):
        assert stage in said.out


def test_second_ingest_says_that_there_is_nothing_to_do(reknit: Callable[..., Said], good: Path) -> None:
    reknit("ingest", good)
    said = reknit("ingest", good)
    assert said.code == 0
    assert f"finished before with {len(WALKS)} tracklets, nothing to do" in said.out
    assert said.complaints == []
    assert "loading the networks" not in said.err


@pytest.mark.parametrize(
    "content", [b"", b"this is a text, not a video\n" * 100, bytes(5000)], ids=["empty", "text", "zeros"]
)
def test_file_that_is_no_video_is_refused_in_one_line(
    reknit: Callable[..., Said], tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "door.mp4"
    path.write_bytes(content)
    said = reknit("ingest", path)
    assert said.code == 2
    assert len(said.complaints) == 1
    assert "door.mp4" in said.complaints[0]
    assert said.out == ""


def test_file_that_is_not_there_is_refused_in_one_line(reknit: Callable[..., Said], tmp_path: Path) -> None:
    said = reknit("ingest", tmp_path / "none.mp4")
    assert (said.code, len(said.complaints)) == (2, 1)
    assert "none.mp4" in said.complaints[0]


def test_truncated_mp4_without_its_index_is_refused(reknit: Callable[..., Said], tmp_path: Path) -> None:
    whole = record(tmp_path / "whole.mp4", WALKS, FRAMES)
    said = reknit("ingest", cut(whole, tmp_path / "cut.mp4", 0.6))
    assert (said.code, len(said.complaints)) == (2, 1)
    assert "cut.mp4" in said.complaints[0]


@pytest.mark.parametrize("suffix", [".avi", ".ts"])
def test_truncated_video_keeps_its_frames_and_warns(reknit: Callable[..., Said], tmp_path: Path, suffix: str) -> None:
    whole = record(tmp_path / f"whole{suffix}", WALKS, FRAMES)
    said = reknit("ingest", cut(whole, tmp_path / f"cut{suffix}", 0.6), "--json", tmp_path / "report.json")
    assert said.code == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert 0.4 * FRAMES < report["frames"] < 0.8 * FRAMES
    assert len(tracklets(tmp_path / "data")) >= 2
    if suffix == ".avi":  # a transport stream does not say how long it should have been
        assert report["sources"][0]["problems"]
        assert all("warning" in line and "cut.avi" in line for line in said.complaints)
        assert said.complaints


def test_truncated_video_equals_the_beginning_of_the_whole_one(
    reknit: Callable[..., Said], good: Path, tmp_path: Path
) -> None:
    reknit("ingest", cut(good, tmp_path / "cut.avi", 0.9), "--camera", "hall")
    reknit("ingest", good, "--data-dir", tmp_path / "other")
    first = min(tracklets(tmp_path / "data").items(), key=lambda item: item[0][2])[1]
    expected = min(tracklets(tmp_path / "other").items(), key=lambda item: item[0][2])[1]
    assert first == expected


def test_video_that_changes_size_midway_is_ingested_whole(reknit: Callable[..., Said], tmp_path: Path) -> None:
    small = record(tmp_path / "small.ts", WALKS, FRAMES)
    large = record(tmp_path / "large.ts", WALKS, FRAMES, size_px=(320, 240))
    (tmp_path / "both.ts").write_bytes(small.read_bytes() + large.read_bytes())
    said = reknit("ingest", tmp_path / "both.ts", "--json", tmp_path / "report.json")
    assert said.code == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["frames"] > 1.9 * FRAMES
    assert len(tracklets(tmp_path / "data")) == 2 * len(WALKS)
    assert any("160x120 to 320x240" in line for line in said.complaints)


def test_bad_source_does_not_keep_the_good_ones_back(reknit: Callable[..., Said], good: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    (tmp_path / "empty.mp4").touch()
    said = reknit("ingest", tmp_path / "bad.mp4", good, tmp_path / "empty.mp4", "--json", tmp_path / "report.json")
    assert said.code == 2
    assert ["bad.mp4" in said.complaints[0], "empty.mp4" in said.complaints[1]] == [True, True]
    assert len(said.complaints) == 2
    states = [source["state"] for source in json.loads((tmp_path / "report.json").read_text())["sources"]]
    assert states == ["failed", "ingested", "failed"]
    assert len(tracklets(tmp_path / "data")) == len(WALKS)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "name a SOURCE or a --site"),
        (("rtsp://camera/stream",), "streams cannot be ingested yet"),
        (("a.mp4", "--start", "noon"), "'noon'"),
        (("--site", "none.toml", "--start", "2026-01-01T08:00:00Z"), "none.toml"),
        (("a.mp4", "b.mp4", "--camera", "c", "--start", "2026-01-01T08:00:00Z"), "cannot all start"),
        (("x/a.mp4", "y/a.mp4"), "--camera a"),
        (("--camera", "door", "--site", "none.toml"), "none.toml"),
        (("--site", "none.toml"), "none.toml"),
    ],
)
def test_contradiction_on_the_command_line_is_refused(
    reknit: Callable[..., Said], arguments: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    said = reknit("ingest", *arguments)
    assert (said.code, len(said.complaints)) == (2, 1)
    assert says in said.complaints[0]
    assert not (tmp_path / "data").exists()


def test_site_file_registers_cameras_links_and_ingests_its_videos(
    reknit: Callable[..., Said], good: Path, tmp_path: Path
) -> None:
    (tmp_path / "site.toml").write_text(
        f"""
        [site]
        name = "pair"
        [[cameras]]
        id = "cam1"
        source = "{good}"
        start = "2026-01-01T08:00:00Z"
        position_m = [1, 2]
        [[cameras]]
        id = "cam2"
        [[links]]
        cameras = ["cam1", "cam2"]
        distance_m = 20
        """
    )
    assert reknit("ingest", "--site", tmp_path / "site.toml").code == 0
    with Database(f"sqlite:///{tmp_path / 'data' / 'reknit.db'}") as database, database.read() as session:
        links = session.execute(text("SELECT camera_a, camera_b, distance_m FROM camera_links")).all()
        starts = session.execute(text("SELECT start_s, clock_quality FROM sources")).all()
    assert links == [("cam1", "cam2", 20.0)]
    assert starts == [(1767254400.0, "stated")]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        ("DELETE FROM alembic_version", "not Reknit's"),
        ("UPDATE alembic_version SET version_num = '9999'", "newer Reknit"),
    ],
    ids=["of unknown making", "ahead"],
)
def test_database_of_another_version_is_refused_and_left_alone(
    reknit: Callable[..., Said], good: Path, tmp_path: Path, spoil: str, says: str
) -> None:
    reknit("ingest", good)
    before = tracklets(tmp_path / "data")
    with Database(f"sqlite:///{tmp_path / 'data' / 'reknit.db'}") as database:
        head = database.current_revision()
        with database.write() as session:
            session.execute(text(spoil))
    said = reknit("ingest", good)
    assert (said.code, len(said.complaints)) == (2, 1)
    assert says in said.complaints[0]
    with Database(f"sqlite:///{tmp_path / 'data' / 'reknit.db'}") as database, database.write() as session:
        session.execute(text("DELETE FROM alembic_version"))
        session.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": head})
    assert tracklets(tmp_path / "data") == before


FILL = """
import os, subprocess, sys
from pathlib import Path
disk, tests, video, out = map(Path, sys.argv[1:])
sys.path.insert(0, str(tests))
from services.storage.blobs import BlobStore
from services.storage.session import Database
from stored import stored
(disk / "data").mkdir()
with Database(f"sqlite:///{disk}/data/reknit.db") as database:
    database.upgrade()
ballast, room = disk / "ballast", os.statvfs(disk)
ballast.write_bytes(bytes(room.f_bavail * room.f_bsize - ROOM))
command = [sys.executable, str(tests / "blocks_reknit.py"), "ingest", str(video), "--data-dir", str(disk / "data")]
full = subprocess.run(command, capture_output=True, text=True)
ballast.unlink()
whole = subprocess.run(command, capture_output=True, text=True)
with Database(f"sqlite:///{disk}/data/reknit.db") as database:
    found = stored(database, BlobStore(disk / "data" / "blobs"))["tracklets"]
out.write_text(repr((full.returncode, full.stderr, whole.returncode, whole.stderr, found)))
"""


@pytest.mark.parametrize("room", [60_000, 150_000, 200_000])
def test_full_disk_is_told_in_one_line_and_the_next_run_completes_the_ingest(
    reknit: Callable[..., Said], good: Path, tmp_path: Path, room: int
) -> None:
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this kernel lets nobody mount a small disk of his own")
    disk, out = tmp_path / "disk", tmp_path / "out"
    disk.mkdir()
    mount = f'mount -t tmpfs -o size=4m disk "{disk}" && "$@"'
    script = FILL.replace("ROOM", str(room))
    python = [sys.executable, "-c", script, str(disk), str(TESTS), str(good), str(out)]
    subprocess.run(["unshare", "-rm", "sh", "-c", mount, "sh", *python], check=True, timeout=120)
    code, err, code_after, err_after, found = eval(out.read_text(), vars(sys.modules["services.storage.records"]))
    complaints = Said(code, "", err).complaints
    assert (code, len(complaints)) == (1, 1)
    assert "no space left" in complaints[0].lower()
    assert code_after == 0, err_after
    reknit("ingest", good)
    assert len(found) == len(WALKS)
    assert repr(found) == repr(tracklets(tmp_path / "data"))
