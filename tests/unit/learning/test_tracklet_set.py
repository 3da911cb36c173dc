from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from learning_sets import make_set

from reid_core.errors import StorageError, TrackletSetError
from reid_core.learning.files import written_whole
from reid_core.learning.tracklet_set import TrackletSet, is_stored
from reid_core.types import CameraLink


def test_a_set_comes_back_as_it_was_saved(tmp_path):
    made, _ = make_set()
    entries = np.random.default_rng(0).random((len(made), 2))
    made = replace(
        made,
        sightings=replace(made.sightings, entries=entries, exits=entries + 1, bodies=np.tile(entries, 4)[:, :7]),
        in_camera_ids=np.arange(len(made)),
        must_link=np.array([[0, 6]]),
        cannot_link=np.array([[0, 7], [1, 6]]),
        map_links=(CameraLink("cam1", "cam2", 12.5),),
    )
    assert not is_stored(tmp_path / "set")
    made.save(tmp_path / "set")
    found = TrackletSet.load(tmp_path / "set")
    assert is_stored(tmp_path / "set")
    for name in ("tracklet_nos", "first_crop", "images", "in_camera_ids", "must_link", "cannot_link"):
        assert np.array_equal(getattr(found, name), getattr(made, name)), name
    for name in ("cameras", "starts_s", "ends_s", "entries", "exits", "bodies"):
        assert np.array_equal(getattr(found.sightings, name), getattr(made.sightings, name)), name
    assert found.sightings.camera_ids == made.sightings.camera_ids
    assert found.map_links == made.map_links
    assert isinstance(found.images, np.memmap)


def test_what_was_not_given_stays_absent(tmp_path):
    made, _ = make_set(people=2)
    made.save(tmp_path)
    found = TrackletSet.load(tmp_path)
    assert found.in_camera_ids is None
    assert found.sightings.entries is None
    assert found.sightings.bodies is None
    assert found.must_link.shape == found.cannot_link.shape == (0, 2)


def test_a_folder_without_a_whole_set_is_refused(tmp_path):
    with pytest.raises(TrackletSetError):
        TrackletSet.load(tmp_path)
    made, _ = make_set(people=2)
    made.save(tmp_path)
    pictures = tmp_path / "pictures.u8"
    pictures.write_bytes(pictures.read_bytes()[:-5])
    with pytest.raises(TrackletSetError):
        TrackletSet.load(tmp_path)


def test_arrays_that_do_not_belong_together_are_refused():
    made, _ = make_set(people=2)
    with pytest.raises(ValueError, match="do not fit"):
        replace(made, tracklet_nos=made.tracklet_nos[1:])
    with pytest.raises(ValueError, match="every tracklet with a picture"):
        replace(made, first_crop=np.array([0, 6, 6, 12, 24]))
    with pytest.raises(ValueError, match="must be uint8"):
        replace(made, images=made.images.astype(np.float32))
    with pytest.raises(ValueError, match="must_link"):
        replace(made, must_link=np.array([[0, 4]]))
    with pytest.raises(ValueError, match="in_camera_ids"):
        replace(made, in_camera_ids=np.zeros(3, np.int64))


def test_spread_crops_reach_from_the_first_to_the_last():
    made, _ = make_set(people=1, crops=9)
    assert made.spread_crops(1, 3).tolist() == [9, 13, 17]
    assert made.spread_crops(1, 99).tolist() == list(range(9, 18))
    assert made.spread_crops(0, 1).tolist() == [0]


def test_a_file_that_fails_half_way_leaves_the_old_one_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(TypeError), written_whole(path) as file:
        file.write("no bytes")
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
    with pytest.raises(StorageError), written_whole(tmp_path / "absent" / "file") as file:
        file.write(b"new")
