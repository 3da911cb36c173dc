"""Exports from a real SQLite database and a real folder of blobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

from reid_core.errors import ExportError, UnknownCameraError
from reid_core.evaluation.mot_files import read_tracks
from reid_core.types import Camera, ClockQuality, Crop, CropQuality, Embedding, Tracklet, TrackPath
from services.bootstrap import open_blobs, open_database
from services.cli.main import app
from services.settings import Settings
from services.storage.blobs import blob_key
from services.storage.cameras import CameraRepository
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository

if TYPE_CHECKING:
    from pathlib import Path

GOOD = CropQuality(1.0, 1.0, 1.0, 1.0)


def tracklet(track_no: int, first_frame: int, boxes: list[tuple[float, float, float, float]]) -> Tracklet:
    frames = np.arange(first_frame, first_frame + len(boxes))
    path = TrackPath(frames, frames / 10, np.array(boxes, np.float32), np.full(len(boxes), 0.5, np.float32))
    crops = tuple(Crop(int(f), f / 10, b, b"jpeg %d" % f, 64, 128, GOOD) for f, b in zip(frames, boxes, strict=True))
    return Tracklet(track_no, path, crops, tuple(reversed(range(len(boxes)))), (640, 480))


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    settings = Settings(data_dir=folder, database_url="")
    blobs = open_blobs(settings)
    vector = np.ones(1, np.float32)
    with open_database(settings) as database, database.write() as session:
        for camera, videos in (("hall", ["hall.mp4"]), ("gate", ["monday.mp4", "tuesday.mp4"]), ("roof", [])):
            CameraRepository(session).ensure(Camera(camera))
            for video in videos:
                source = SourceRepository(session).open_source(
                    camera,
                    video,
                    video,
                    start_s=0.0,
                    clock_quality=ClockQuality.STATED,
                    frame_size_px=(640, 480),
                    fps=10.0,
                )
                for one in (tracklet(1, 4, [(1, 2, 11, 22), (2, 2, 12, 22)]), tracklet(2, 0, [(5, 5, 9, 15)])):
                    key = blob_key(source.source_id, one.track_no)
                    blobs.put_tracklet(key, one)
                    embedding = Embedding("model", vector, vector[:, None])
                    TrackletRepository(session).add(source.source_id, camera, one, key, embedding)
                SourceRepository(session).finish(source.source_id)
    return folder


def export(*args: object) -> str:
    result = CliRunner().invoke(app, ["export", *map(str, args)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_stored_paths_become_rows_with_frames_from_one(data_dir: Path, tmp_path: Path):
    out = tmp_path / "tracks.txt"
    assert "3 boxes of 2 tracklets" in export("mot", "--data-dir", data_dir, "--camera", "hall", out)
    boxes = read_tracks(out)
    assert (boxes.frames.tolist(), boxes.ids.tolist()) == ([1, 5, 6], [2, 1, 1])
    assert boxes.boxes_px.tolist() == [[5, 5, 9, 15], [1, 2, 11, 22], [2, 2, 12, 22]]
    assert boxes.confidences.tolist() == [0.5] * 3


def test_a_camera_of_two_videos_needs_to_know_which(data_dir: Path, tmp_path: Path):
    command = ["mot", "--data-dir", data_dir, "--camera", "gate", tmp_path / "tracks.txt"]
    with pytest.raises(ExportError, match=r"monday\.mp4, tuesday\.mp4"):
        export(*command)
    assert "3 boxes" in export(*command, "--source", "tuesday")


def test_a_camera_without_video_is_told(data_dir: Path, tmp_path: Path):
    with pytest.raises(ExportError, match=r"'roof'.*none"):
        export("mot", "--data-dir", data_dir, "--camera", "roof", tmp_path / "tracks.txt")


def test_an_unknown_camera_is_told(data_dir: Path, tmp_path: Path):
    with pytest.raises(UnknownCameraError, match="cellar"):
        export("mot", "--data-dir", data_dir, "--camera", "cellar", tmp_path / "tracks.txt")


def test_crops_are_written_best_first_under_market_names(data_dir: Path, tmp_path: Path):
    export("market", "--data-dir", data_dir, "--crops", 1, tmp_path / "market")
    files = {path.name: path.read_bytes() for path in (tmp_path / "market").iterdir()}
    # cameras by name: gate 1, hall 2; the hall's two tracklets were stored first; the last crop of a track shows best
    assert files["0001_c2s1_000006_01.jpg"] == b"jpeg 5"
    assert files["0002_c2s1_000001_00.jpg"] == b"jpeg 0"
    assert {"0003_c1s1_000006_01.jpg", "0005_c1s2_000006_01.jpg"} <= files.keys()
    assert len(files) == 6
