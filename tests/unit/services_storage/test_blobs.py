from __future__ import annotations

import errno
import os
import stat
import zipfile
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from factories import make_tracklet

from reid_core.errors import StorageError, StorageFullError, UnknownCropError
from services.storage import blobs
from services.storage.blobs import BlobStore, blob_key


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_crops_come_back_as_they_were_stored(store):
    tracklet = make_tracklet(crops=12)
    store.put_tracklet("key", tracklet)
    assert store.read_crops("key") == [crop.jpeg for crop in tracklet.crops]
    assert store.read_crop("key", 11) == tracklet.crops[11].jpeg


def test_the_manifest_describes_every_crop(store):
    store.put_tracklet("key", make_tracklet(7))
    manifest = store.read_manifest("key")
    assert (manifest["version"], manifest["track_no"]) == (1, 7)
    assert manifest["frame_size_px"] == [640, 480]
    assert manifest["display_order"] == [2, 1, 0]
    assert manifest["crops"][2]["box_px"] == [12.0, 20.0, 32.0, 80.0]


def test_a_blob_is_a_plain_zip_without_compression(store, tmp_path):
    store.put_tracklet("key", make_tracklet())
    (path,) = _files(tmp_path)
    with zipfile.ZipFile(path) as blob:
        assert blob.testzip() is None
        assert blob.namelist() == ["manifest.json", "crops/00.jpg", "crops/01.jpg", "crops/02.jpg"]
        assert {entry.compress_type for entry in blob.infolist()} == {zipfile.ZIP_STORED}


def test_equal_tracklets_give_equal_bytes(store, tmp_path):
    store.put_tracklet("one", make_tracklet())
    store.put_tracklet("two", make_tracklet())
    first, second = _files(tmp_path)
    assert first.read_bytes() == second.read_bytes()


def test_a_tracklet_without_crops_has_a_blob_too(store):
    store.put_tracklet("key", make_tracklet(crops=0))
    assert store.read_crops("key") == []


def test_a_blob_of_the_same_key_is_replaced(store, tmp_path):
    store.put_tracklet("key", make_tracklet(1))
    store.put_tracklet("key", make_tracklet(2))
    assert store.read_crops("key") == [crop.jpeg for crop in make_tracklet(2).crops]
    assert len(_files(tmp_path)) == 1


def test_keys_lists_every_blob_and_nothing_else(store, tmp_path):
    assert list(store.keys()) == []
    for key in ("a", "b-1", "C_2"):
        store.put_tracklet(key, make_tracklet())
    folder = next((tmp_path / "blobs").iterdir())
    (folder / ".a.1234.partial").write_bytes(b"half")
    (folder / "notes.txt").write_text("mine")
    assert sorted(store.keys()) == ["C_2", "a", "b-1"]


def test_a_deleted_blob_is_gone_and_deleting_it_again_is_no_error(store):
    store.put_tracklet("key", make_tracklet())
    store.delete("key")
    store.delete("key")
    assert list(store.keys()) == []
    with pytest.raises(StorageError, match="No such file"):
        store.read_crops("key")


@pytest.mark.parametrize("crop_no", [3, 99, -1])
def test_an_unknown_crop_is_refused(store, crop_no):
    store.put_tracklet("key", make_tracklet())
    with pytest.raises(UnknownCropError, match=f"{crop_no} of key"):
        store.read_crop("key", crop_no)


@pytest.mark.parametrize(
    "key", ["", ".", "..", "../up", "a/b", "a\\b", "/etc/passwd", "a\0b", "ä", "a.zip", "-a", "x" * 121]
)
def test_a_key_that_is_no_plain_name_is_refused_before_the_disk_is_touched(store, tmp_path, key):
    for act in (
        lambda: store.put_tracklet(key, make_tracklet()),
        lambda: store.read_crop(key, 0),
        lambda: store.delete(key),
    ):
        with pytest.raises(ValueError, match="a blob key is"):
            act()
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_blob_is_one_clear_line(store, tmp_path):
    store.put_tracklet("key", make_tracklet())
    (path,) = _files(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    with pytest.raises(StorageError, match="the blob is damaged"):
        store.read_crops("key")
    path.write_bytes(whole.replace(b"jpeg 1", b"jpeg X"))
    with pytest.raises(StorageError, match="the blob is damaged"):
        store.read_crop("key", 1)


def test_a_blob_is_flushed_before_it_is_renamed_and_its_folder_after(store, monkeypatch):
    acts: list[str] = []
    fsync, replace_ = os.fsync, Path.replace

    def noting_fsync(descriptor: int) -> None:
        acts.append("fsync " + ("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"))
        fsync(descriptor)

    def noting_replace(path: Path, target: Path) -> Path:
        acts.append("rename")
        return replace_(path, target)

    monkeypatch.setattr(blobs.os, "fsync", noting_fsync)
    monkeypatch.setattr(Path, "replace", noting_replace)
    store.put_tracklet("key", make_tracklet())
    assert acts[-3:] == ["fsync file", "rename", "fsync folder"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_no_space_left_is_told_with_the_path_and_leaves_nothing(store, tmp_path, monkeypatch, code):
    store.put_tracklet("kept", make_tracklet())

    def full(_descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(blobs.os, "fsync", full)
    with pytest.raises(StorageFullError, match=r"lost\.zip"):
        store.put_tracklet("lost", make_tracklet())
    assert [path.name for path in _files(tmp_path)] == ["kept.zip"]


def test_another_failure_of_the_disk_is_not_called_full(store, monkeypatch):
    def broken(_descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(blobs.os, "fsync", broken)
    with pytest.raises(StorageError, match="Input/output error") as caught:
        store.put_tracklet("key", make_tracklet())
    assert not isinstance(caught.value, StorageFullError)


def test_a_failed_replacement_leaves_the_old_blob(store):
    store.put_tracklet("key", make_tracklet(1))
    broken = replace(make_tracklet(2).crops[0], jpeg=None)
    with pytest.raises(TypeError):
        store.put_tracklet("key", replace(make_tracklet(2), crops=(broken,)))
    assert store.read_crops("key") == [crop.jpeg for crop in make_tracklet(1).crops]


def test_orphans_are_collected_once_they_are_old(store, tmp_path):
    for key in ("known", "orphan", "young"):
        store.put_tracklet(key, make_tracklet())
    folder = next((tmp_path / "blobs").iterdir())
    (folder / ".key.1234.partial").write_bytes(b"half")
    (folder / "notes.txt").write_text("mine")
    for path in _files(tmp_path):
        at_s = 990.0 if path.stem == "young" else 100.0
        os.utime(path, (at_s, at_s))
    removed = store.collect_orphans({"known"}, min_age_s=60.0, now=1000.0)
    assert sorted(removed) == [".key.1234.partial", "orphan.zip"]
    assert sorted(store.keys()) == ["known", "young"]
    assert (folder / "notes.txt").exists()


def test_collecting_in_a_store_that_does_not_exist_yet_finds_nothing(store):
    assert store.collect_orphans(set(), min_age_s=0.0, now=0.0) == []


def test_a_key_names_source_and_track():
    source_id = UUID("01900000-0000-7000-8000-000000000001")
    assert blob_key(source_id, 42) == "01900000-0000-7000-8000-000000000001-000042"
