"""What a training job learns from: the stored tracklets, whatever state their crops are in."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from factories import make_embedding, make_tracklet

from reid_core.errors import TooLittleToLearnError
from reid_core.learning.recipes import recipe_named
from reid_core.learning.tracklet_set import TrackletSet
from reid_core.types import Camera, CameraLink, ClockQuality
from services.storage.blobs import BlobStore, blob_key
from services.storage.cameras import CameraRepository
from services.storage.sources import SourceRepository
from services.storage.tracklets import TrackletRepository
from services.trainer import snapshot
from services.trainer.snapshot import take_snapshot

RECIPE = recipe_named("site-cpu")
WIDTH, HEIGHT = RECIPE.network.width_px, RECIPE.network.height_px


@pytest.fixture
def blobs(tmp_path):
    return BlobStore(tmp_path / "blobs")


def jpeg(level):
    done, buffer = cv2.imencode(".jpg", np.full((80, 40, 3), (level, 0, 0), np.uint8))
    assert done
    return buffer.tobytes()


def store(database, blobs, camera_id, *, starts_s, crops=3, clock=ClockQuality.STATED):
    """A source of tracklets; crop ``n`` of each is blue of level ``50 + 50 n``. Returns their blobs' keys."""
    keys = []
    with database.write() as session:
        CameraRepository(session).ensure(Camera(camera_id))
        source = SourceRepository(session).open_source(
            camera_id,
            f"{camera_id} {starts_s}",
            "video",
            start_s=0.0,
            clock_quality=clock,
            frame_size_px=(640, 480),
            fps=10.0,
        )
        for number, start_s in enumerate(starts_s, start=1):
            plain = make_tracklet(number, crops=crops, start_s=start_s)
            pictures = tuple(replace(crop, jpeg=jpeg(50 + 50 * n)) for n, crop in enumerate(plain.crops))
            tracklet, key = replace(plain, crops=pictures), blob_key(source.source_id, number)
            blobs.put_tracklet(key, tracklet)
            TrackletRepository(session).add(source.source_id, camera_id, tracklet, key, make_embedding(number))
            keys.append(key)
    return keys


def taken(database, blobs, folder, **options):
    told = take_snapshot(database, blobs, folder, recipe=RECIPE, on_tracklet=lambda _done, _total: None, **options)
    return told, TrackletSet.load(folder)


def test_every_tracklet_is_taken_with_its_time_place_and_pictures(sqlite_database, blobs, tmp_path):
    store(sqlite_database, blobs, "hall", starts_s=[500.0, 400.0])
    store(sqlite_database, blobs, "gate", starts_s=[100.0], crops=2)
    with sqlite_database.write() as session:
        CameraRepository(session).ensure_links([CameraLink("gate", "hall", 12.5)])
    told, found = taken(sqlite_database, blobs, tmp_path / "set")
    assert found.sightings.camera_ids == ("gate", "hall")
    assert found.cameras.tolist() == [0, 1, 1], "by camera, then time"
    assert found.sightings.starts_s.tolist() == [100.0, 400.0, 500.0]
    assert found.first_crop.tolist() == [0, 2, 5, 8]
    assert found.images.shape == (8, HEIGHT, WIDTH, 3)
    assert found.images[1].mean(axis=(0, 1)) == pytest.approx([0, 0, 100], abs=4), "RGB, in order of time"
    assert found.map_links == (CameraLink("gate", "hall", 12.5),)
    assert found.sightings.entries[0].tolist() == pytest.approx([20 / 640, 80 / 480])
    assert told == {
        "tracklets": 3,
        "crops": 8,
        "cameras": 2,
        "data_from_s": 100.0,
        "data_to_s": pytest.approx(500.8),
        "confirmed": 0,
        "rejected": 0,
        "contradictions": 0,
        "tracklets_passed_over": 0,
        "crops_passed_over": 0,
        "problems": [],
        "held_out": 0,
    }


def test_the_order_of_ingest_changes_nothing_but_the_numbers(sqlite_database, blobs, tmp_path, make_second):
    other = make_second
    for database, order in ((sqlite_database, ("gate", "hall")), (other, ("hall", "gate"))):
        for camera_id in order:
            store(database, blobs, camera_id, starts_s=[300.0 if camera_id == "hall" else 100.0, 200.0])
    _, one = taken(sqlite_database, blobs, tmp_path / "one")
    _, two = taken(other, blobs, tmp_path / "two")
    assert one.tracklet_nos.tolist() != two.tracklet_nos.tolist()
    assert one.cameras.tolist() == two.cameras.tolist()
    assert one.sightings.starts_s.tolist() == two.sightings.starts_s.tolist()
    assert np.array_equal(one.images, two.images)


@pytest.fixture
def make_second(tmp_path):
    from services.storage.session import Database

    with Database(f"sqlite:///{tmp_path / 'second.db'}") as database:
        database.upgrade()
        yield database


def test_a_tracklet_of_an_unknown_clock_has_no_time(sqlite_database, blobs, tmp_path):
    store(sqlite_database, blobs, "gate", starts_s=[1.0], clock=ClockQuality.UNKNOWN)
    told, found = taken(sqlite_database, blobs, tmp_path / "set")
    assert np.isnan(found.sightings.starts_s).all()
    assert (told["data_from_s"], told["data_to_s"]) == (None, None)


def test_damaged_and_lost_crops_are_told_and_passed_over(sqlite_database, blobs, tmp_path):
    keys = store(sqlite_database, blobs, "gate", starts_s=[100.0, 200.0, 300.0, 400.0])
    blobs.delete(keys[0])
    path = blobs._path(keys[1])
    path.write_bytes(path.read_bytes().replace(jpeg(100), bytes(len(jpeg(100)))))
    blobs._path(keys[2]).write_bytes(b"no zip")
    told, found = taken(sqlite_database, blobs, tmp_path / "set")
    assert np.diff(found.first_crop).tolist() == [2, 3]
    assert (told["tracklets"], told["tracklets_passed_over"], told["crops_passed_over"]) == (2, 2, 7)
    assert len(told["problems"]) == 5
    assert "crop 0 of tracklet" in told["problems"][0]


def test_a_site_without_a_crop_that_can_be_read_is_too_little(sqlite_database, blobs, tmp_path):
    with pytest.raises(TooLittleToLearnError, match="0 tracklets are stored"):
        taken(sqlite_database, blobs, tmp_path / "set")
    keys = store(sqlite_database, blobs, "gate", starts_s=[100.0])
    blobs.delete(keys[0])
    with pytest.raises(TooLittleToLearnError, match="1 tracklets are stored, and none of them has a crop"):
        taken(sqlite_database, blobs, tmp_path / "set")


def test_of_many_crops_evenly_spaced_ones_are_taken(sqlite_database, blobs, tmp_path):
    store(sqlite_database, blobs, "gate", starts_s=[100.0], crops=5)
    few = replace(RECIPE, sampling=replace(RECIPE.sampling, crops_at_most=3))
    take_snapshot(sqlite_database, blobs, tmp_path / "set", recipe=few, on_tracklet=lambda _done, _total: None)
    blues = TrackletSet.load(tmp_path / "set").images.mean(axis=(1, 2))[:, 2]
    assert blues == pytest.approx([50, 150, 250], abs=5)


def test_a_large_site_keeps_some_tracklets_back(sqlite_database, blobs, tmp_path, monkeypatch):
    monkeypatch.setattr(snapshot, "FEWEST_TO_HOLD_OUT", 4)
    keys = store(sqlite_database, blobs, "gate", starts_s=[100.0, 200.0, 300.0, 400.0])
    monkeypatch.setattr(snapshot, "is_held_out", lambda key: key == keys[1])
    told, found = taken(sqlite_database, blobs, tmp_path / "set")
    assert found.sightings.starts_s.tolist() == [100.0, 300.0, 400.0]
    assert told["held_out"] == 1
