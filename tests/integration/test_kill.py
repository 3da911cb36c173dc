"""A writer that is killed leaves whole tracklets only."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from factories import make_tracklet

from services.storage.blobs import BlobStore
from services.storage.outbox import Outbox
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from services.storage.session import Database

_TESTS = Path(__file__).resolve().parent.parent
_WRITER = """
import sys
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from factories import make_embedding, make_tracklet
from reid_core.types import Camera, ClockQuality
from services.storage.blobs import BlobStore, blob_key
from services.storage.cameras import CameraRepository
from services.storage.session import Database
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository

database, blobs = Database(sys.argv[1]), BlobStore(Path(sys.argv[2]))
with database.write() as session:
    CameraRepository(session).ensure(Camera("cam1"))
    source = SourceRepository(session).open_source(
        "cam1", "hash", "video", start_s=0.0, clock_quality=ClockQuality.STATED, frame_size_px=(640, 480), fps=10.0
    )
for number in range(source.next_track_no, 100_000):
    tracklet, key = make_tracklet(number), blob_key(source.source_id, number)
    blobs.put_tracklet(key, tracklet)
    with database.write() as session:
        TrackletRepository(session).add(source.source_id, "cam1", tracklet, key, make_embedding(number))
        SourceRepository(session).advance(
            source.source_id, cursor_frame=10 * number, next_track_no=number + 1, next_track_id=number + 1
        )
    print(number, flush=True)
"""


def _write_then_kill(url: str, blobs: Path, *, after: int) -> None:
    command = [sys.executable, "-c", _WRITER, url, str(blobs), str(_TESTS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        lines: Iterator[str] = iter(writer.stdout)
        for _ in range(after):
            next(lines)
        writer.send_signal(signal.SIGKILL)


@pytest.mark.slow
def test_killed_writers_leave_no_half_and_no_double_tracklet(database: Database, tmp_path: Path):
    url, blobs = database._url.render_as_string(hide_password=False), tmp_path / "blobs"
    for after in (1, 7, 3, 12, 5):
        _write_then_kill(url, blobs, after=after)
    with database.read() as session:
        tracklets = TrackletRepository(session)
        (source,) = SourceRepository(session).list()
        stored = tracklets.list(limit=1000).items
        vectors = tracklets.embeddings([item.tracklet_no for item in stored], "model-a")
        told = [event.payload["tracklet_no"] for event in Outbox(session).after(0)]
    assert isinstance(source.source_id, UUID)
    assert len(stored) >= 28
    assert [item.track_no for item in sorted(stored, key=lambda item: item.tracklet_no)] == list(
        range(1, source.next_track_no)
    )
    assert sorted(vectors) == sorted(told) == sorted(item.tracklet_no for item in stored)
    store = BlobStore(blobs)
    for item in stored:
        assert store.read_crops(item.blob_key) == [crop.jpeg for crop in make_tracklet(item.track_no).crops]
    assert len(set(store.keys()) - {item.blob_key for item in stored}) <= 1, "at most the next one is an orphan"
