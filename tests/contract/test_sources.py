"""What the record of ingested sources promises, on every database."""

from __future__ import annotations

from uuid import uuid4

import pytest

from reid_core.errors import StorageError, UnknownCameraError
from reid_core.types import Camera, ClockQuality
from services.storage.cameras import CameraRepository
from services.storage.outbox import Outbox
from services.storage.sources import SourceRepository, StoredSource


def _open(database, *, camera_id="cam1", content_hash="hash", **changes) -> StoredSource:
    stated = {
        "start_s": 1.5,
        "clock_quality": ClockQuality.CONTAINER,
        "frame_size_px": (640, 480),
        "fps": 9.99,
        **changes,
    }
    with database.write() as session:
        CameraRepository(session).ensure(Camera(camera_id))
        return SourceRepository(session).open_source(camera_id, content_hash, "video.mp4", **stated)


def test_a_new_source_stands_at_its_beginning(database):
    source = _open(database)
    assert (source.cursor_frame, source.next_track_no, source.next_track_id) == (0, 1, 1)
    assert (source.start_s, source.fps, source.frame_size_px) == (1.5, 9.99, (640, 480))
    assert source.clock_quality is ClockQuality.CONTAINER
    assert not source.is_finished
    assert source.problems == ()


def test_opening_a_source_again_finds_it_as_it_stands(database):
    source = _open(database)
    with database.write() as session:
        SourceRepository(session).advance(source.source_id, cursor_frame=40, next_track_no=3, next_track_id=8)
    again = _open(database, start_s=99.0)
    assert again.source_id == source.source_id
    assert (again.cursor_frame, again.next_track_no, again.next_track_id) == (40, 3, 8)
    assert again.start_s == 1.5, "its tracklets have their times from the start it was first opened with"


def test_another_camera_or_another_content_is_another_source(database):
    ids = {
        _open(database).source_id,
        _open(database, camera_id="cam2").source_id,
        _open(database, content_hash="other").source_id,
    }
    assert len(ids) == 3
    with database.read() as session:
        sources = SourceRepository(session)
        assert {source.source_id for source in sources.list()} == ids
        assert [source.camera_id for source in sources.list(camera_id="cam2")] == ["cam2"]


def test_a_source_of_an_unknown_camera_is_refused(database):
    with pytest.raises(UnknownCameraError, match="nowhere"), database.write() as session:
        SourceRepository(session).open_source(
            "nowhere",
            "hash",
            "video.mp4",
            start_s=0.0,
            clock_quality=ClockQuality.UNKNOWN,
            frame_size_px=(1, 1),
            fps=1.0,
        )


@pytest.mark.parametrize("numbers", [(39, 3, 8), (40, 2, 8), (40, 3, 7)])
def test_a_source_never_goes_back(database, numbers):
    source_id = _open(database).source_id
    cursor_frame, next_track_no, next_track_id = numbers
    with database.write() as session:
        SourceRepository(session).advance(source_id, cursor_frame=40, next_track_no=3, next_track_id=8)
    with pytest.raises(ValueError, match="cannot go back"), database.write() as session:
        SourceRepository(session).advance(
            source_id, cursor_frame=cursor_frame, next_track_no=next_track_no, next_track_id=next_track_id
        )


def test_finishing_is_told_once(database):
    source_id = _open(database).source_id
    for problems in (["frame 7 is damaged"], ["something else"]):
        with database.write() as session:
            SourceRepository(session).finish(source_id, problems)
    with database.read() as session:
        source = SourceRepository(session).by_id(source_id)
        events = Outbox(session).after(0)
    assert source.is_finished
    assert source.problems == ("frame 7 is damaged",)
    assert [event.kind for event in events] == ["source.finished"]
    assert events[0].payload["source_id"] == str(source_id)


def test_a_file_name_that_is_no_text_is_stored_readably(database):
    with database.write() as session:
        CameraRepository(session).ensure(Camera("cam1"))
        sources = SourceRepository(session)
        source = sources.open_source(
            "cam1",
            "hash",
            "film\udcff.mp4",
            start_s=0.0,
            clock_quality=ClockQuality.UNKNOWN,
            frame_size_px=(1, 1),
            fps=1.0,
        )
        sources.finish(source.source_id, ["film\udcff.mp4: frame 3 has a \0"])
    with database.read() as session:
        source = SourceRepository(session).by_id(source.source_id)
    assert source.uri == "film\\udcff.mp4"
    assert source.problems == ("film\\udcff.mp4: frame 3 has a \\x00",)


def test_an_unknown_source_is_refused(database):
    unknown = uuid4()
    with database.write() as session:
        sources = SourceRepository(session)
        with pytest.raises(StorageError, match=f"there is no source {unknown}"):
            sources.by_id(unknown)
        with pytest.raises(StorageError, match=f"there is no source {unknown}"):
            sources.finish(unknown)
        with pytest.raises(StorageError, match=f"there is no source {unknown}"):
            sources.advance(unknown, cursor_frame=1, next_track_no=1, next_track_id=1)
