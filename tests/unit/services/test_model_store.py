"""Models on disk appear whole, are verified, and survive what disks and crashes do."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from typing import TYPE_CHECKING

import pytest

from reid_core.errors import ModelFilesError, StorageError, StorageFullError
from reid_core.learning.recipes import RECIPES
from services import model_store
from services.model_store import ModelStore

if TYPE_CHECKING:
    from pathlib import Path

MODEL = "site-cpu-0123"


@pytest.fixture
def made(tmp_path: Path) -> dict[str, Path]:
    """Files as a learning cycle leaves them."""
    folder = tmp_path / "finish"
    folder.mkdir()
    (folder / "weights").write_bytes(b"w" * 5000)
    (folder / "recipe").write_text('{"name": "site-cpu"}')
    return {"model.safetensors": folder / "weights", "recipe.json": folder / "recipe"}


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_published_model_is_found_again_with_its_manifest(store, made, tmp_path):
    hashes = store.publish(MODEL, made)
    assert hashes["model.safetensors"] == hashlib.sha256(b"w" * 5000).hexdigest()
    folder = store.folder(MODEL, hashes)
    assert folder == tmp_path / "models" / MODEL
    assert names(folder) == ["manifest.json", "model.safetensors", "recipe.json"]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["model_id"], manifest["files"]["model.safetensors"]["bytes"]) == (MODEL, 5000)
    assert {name: one["sha256"] for name, one in manifest["files"].items()} == hashes
    assert names(tmp_path / "models") == [MODEL], "nothing is left beside it"


def test_publishing_again_changes_nothing(store, made):
    hashes = store.publish(MODEL, made)
    before = store.folder(MODEL, hashes).stat().st_ino
    assert store.publish(MODEL, made) == hashes
    assert store.folder(MODEL, hashes).stat().st_ino == before


@pytest.mark.parametrize(
    "damage", [lambda file: file.write_bytes(b"w" * 4999 + b"x"), lambda file: file.write_bytes(b"")]
)
def test_a_damaged_file_is_noticed_each_time_and_made_good_by_publishing(store, made, damage):
    hashes = store.publish(MODEL, made)
    damage(store.folder(MODEL, hashes) / "model.safetensors")
    with pytest.raises(
        ModelFilesError, match=r"model\.safetensors is damaged: its SHA-256 is .*restore it from a backup"
    ):
        store.folder(MODEL, hashes)
    store.publish(MODEL, made)
    store.folder(MODEL, hashes)


def test_a_missing_file_is_named(store, made, tmp_path):
    hashes = store.publish(MODEL, made)
    (store.folder(MODEL, hashes) / "recipe.json").unlink()
    with pytest.raises(ModelFilesError, match=r"recipe\.json is missing; restore it from a backup or roll back"):
        store.folder(MODEL, hashes)
    with pytest.raises(ModelFilesError, match="is missing"):
        ModelStore(tmp_path / "nowhere").folder(MODEL, hashes)
    with pytest.raises(ModelFilesError, match="names no file"):
        store.folder(MODEL, {})


def test_every_recipe_names_models_that_can_be_kept(store, made):
    for recipe in RECIPES:
        assert store.folder(f"{recipe}-0123", store.publish(f"{recipe}-0123", made)).is_dir()


def test_names_that_are_paths_are_refused(store, made):
    for wrong in ("../escape", "", "a/b", ".hidden", "x" * 121):
        with pytest.raises(ValueError, match="plain names"):
            store.publish(wrong, made)
    with pytest.raises(ValueError, match="plain names"):
        store.publish(MODEL, {"../../x": made["recipe.json"]})
    with pytest.raises(ValueError, match="plain names"):
        store.publish(MODEL, {"manifest.json": made["recipe.json"]})


def test_a_file_that_is_not_there_is_named(store, made, tmp_path):
    made["recipe.json"].unlink()
    with pytest.raises(ModelFilesError, match="recipe: No such file"):
        store.publish(MODEL, made)
    assert names(tmp_path / "models") == []


def test_a_full_disk_leaves_nothing_behind(store, made, tmp_path, monkeypatch):
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(model_store.os, "fsync", full)
    with pytest.raises(StorageFullError, match="No space left"):
        store.publish(MODEL, made)
    assert names(tmp_path / "models") == []


def test_a_folder_that_cannot_be_made_is_told_of(made, tmp_path):
    (tmp_path / "models").write_text("a file")
    with pytest.raises(StorageError, match="models"):
        ModelStore(tmp_path / "models").publish(MODEL, made)


@pytest.mark.parametrize("moment", range(6))
def test_a_process_that_dies_while_publishing_leaves_all_or_nothing(store, made, tmp_path, monkeypatch, moment):
    """Whichever flush it dies at, the model is either whole under its name or not there, and can be published again."""
    flushed = []

    def dying(descriptor: int, flush=os.fsync) -> None:
        if len(flushed) == moment:
            raise KeyboardInterrupt
        flushed.append(descriptor)
        flush(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(model_store.os, "fsync", dying)
        patched.setattr(model_store.shutil, "rmtree", lambda *_arguments, **_options: None)
        with contextlib.suppress(KeyboardInterrupt):
            store.publish(MODEL, made)
    place = tmp_path / "models" / MODEL
    assert not place.exists() or names(place) == ["manifest.json", "model.safetensors", "recipe.json"]
    store.folder(MODEL, store.publish(MODEL, made))


def test_what_dead_processes_left_is_removed_after_an_hour(store, made, tmp_path):
    left, recent = tmp_path / "models" / ".old.1234.partial", tmp_path / "models" / ".new.1234.partial"
    for folder in (left, recent):
        folder.mkdir(parents=True)
    os.utime(left, (1.0, 1.0))
    store.publish(MODEL, made)
    assert not left.exists()
    assert recent.exists()
