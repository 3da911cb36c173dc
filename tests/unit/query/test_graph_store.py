"""Graphs on disk: written whole, read back, refused where they belong to something else or are damaged."""

from __future__ import annotations

import os
from uuid import UUID

import numpy as np
import pytest
from graph_cases import crowd
from streams import rebuilt

from reid_core.errors import StorageError, StorageFullError
from reid_core.graph.streaming_state import lists_of
from services.query.graph_store import GraphStore

ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))
ABOUT = {"generation": str(ONE), "model": "m-1", "joining": {"length": 7}}


@pytest.fixture
def lists():
    return lists_of(rebuilt(crowd(1, 30), range(30), timed=True))


@pytest.fixture
def store(tmp_path):
    return GraphStore(tmp_path / "graphs")


def test_what_was_kept_comes_back(store, lists):
    assert store.load(ONE, ABOUT) is None
    store.save(ONE, ABOUT, lists)
    back = store.load(ONE, ABOUT)
    for name, array in lists.as_arrays().items():
        np.testing.assert_array_equal(getattr(back, name), array)


@pytest.mark.parametrize("name", ["generation", "model", "joining"])
def test_a_graph_of_anything_else_is_refused_and_says_what_differs(store, lists, name):
    store.save(ONE, ABOUT, lists)
    with pytest.raises(StorageError, match=f"the graph has {name} .*, not 'other'".replace("'", "")):
        store.load(ONE, {**ABOUT, name: "other"})
    with pytest.raises(StorageError, match="the graph has transit model None, not t-1"):
        store.load(ONE, {**ABOUT, "transit model": "t-1"})


def test_a_file_of_another_generation_under_this_ones_name_is_refused(store, lists, tmp_path):
    store.save(TWO, {**ABOUT, "generation": str(TWO)}, lists)
    (tmp_path / "graphs" / f"{TWO}.npz").rename(tmp_path / "graphs" / f"{ONE}.npz")
    with pytest.raises(StorageError, match=f"has generation {TWO}, not {ONE}"):
        store.load(ONE, ABOUT)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_refused(store, lists, tmp_path, share):
    store.save(ONE, ABOUT, lists)
    path = tmp_path / "graphs" / f"{ONE}.npz"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(StorageError, match="damaged"):
        store.load(ONE, ABOUT)


def test_changed_bytes_are_refused(store, lists, tmp_path):
    store.save(ONE, ABOUT, lists)
    path = tmp_path / "graphs" / f"{ONE}.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(StorageError, match="damaged"):
        store.load(ONE, ABOUT)


def test_other_files_are_refused(store, tmp_path):
    (tmp_path / "graphs").mkdir()
    path = tmp_path / "graphs" / f"{ONE}.npz"
    np.savez(path, numbers=np.arange(3))
    with pytest.raises(StorageError, match="does not say what it is of"):
        store.load(ONE, ABOUT)


def test_the_newest_two_graphs_stay(store, lists, tmp_path):
    for age, one in enumerate((ONE, TWO, THREE)):
        store.save(one, ABOUT, lists)
        os.utime(tmp_path / "graphs" / f"{one}.npz", (age, age))
    store.save(THREE, ABOUT, lists)
    assert sorted(path.stem for path in (tmp_path / "graphs").iterdir()) == [str(TWO), str(THREE)]


def test_a_full_disk_leaves_nothing_behind(store, lists, tmp_path, monkeypatch):
    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("services.query.graph_store.np.savez", full)
    with pytest.raises(StorageFullError):
        store.save(ONE, ABOUT, lists)
    assert list((tmp_path / "graphs").iterdir()) == []
