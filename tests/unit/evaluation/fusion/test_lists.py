from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from fusion_lists import walkers, write_lists

from reid_core.errors import DatasetError
from reid_core.evaluation.fusion.lists import TimedImages, read_timed_lists

if TYPE_CHECKING:
    from pathlib import Path

TRAIN, TEST = "list_market_train_new.txt", "list_market_test_new.txt"


@pytest.mark.parametrize("packed", [False, True])
def test_written_lists_are_read_back(tmp_path: Path, *, packed: bool):
    wrote = walkers(5)
    read = read_timed_lists(write_lists(tmp_path, wrote, packed=packed))
    for part in ("train", "query", "gallery"):
        for column in ("person_ids", "camera_ids", "frames"):
            assert np.array_equal(getattr(getattr(read, part), column), getattr(getattr(wrote, part), column))


@pytest.mark.parametrize("name", [TRAIN, TEST])
def test_a_missing_list_is_named(tmp_path: Path, name: str):
    (write_lists(tmp_path, walkers(3)) / name).unlink()
    with pytest.raises(DatasetError, match=f"expected {name} or {name}.gz"):
        read_timed_lists(tmp_path)


@pytest.mark.parametrize("row", ["a.jpg 1 2", "a.jpg 1 2 x", "a.jpg 1 2 3 4", "a.jpg -1 2 3", "a.jpg 1 2 99999999999"])
def test_a_broken_row_is_named_by_file_and_line(tmp_path: Path, row: str):
    path = write_lists(tmp_path, walkers(3)) / TRAIN
    path.write_text(f"good.jpg 1 1 1\n{row}\n")
    with pytest.raises(DatasetError, match=f"{TRAIN}, line 2: "):
        read_timed_lists(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        (TRAIN, "", "no rows in list_market_train_new"),
        (TEST, "", "under query/"),
        (TEST, "bounding_box_test/a.jpg 1 1 1\n", "under query/"),
        (TEST, "query/a.jpg 1 1 1\n", "no gallery rows"),
        (TEST, "query/a.jpg 0 1 1\nbounding_box_test/a.jpg 1 1 1\n", "a query of person 0"),
    ],
)
def test_a_part_without_rows_is_refused(tmp_path: Path, name: str, text: str, reason: str):
    (write_lists(tmp_path, walkers(3)) / name).write_text(text)
    with pytest.raises(DatasetError, match=reason):
        read_timed_lists(tmp_path)


def test_a_damaged_archive_is_refused(tmp_path: Path):
    (write_lists(tmp_path, walkers(3), packed=True) / f"{TRAIN}.gz").write_bytes(b"not packed")
    with pytest.raises(DatasetError, match="cannot be read"):
        read_timed_lists(tmp_path)


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="one length"):
        TimedImages(np.zeros(2, np.int64), np.zeros(2, np.int64), np.zeros(3, np.int64))


def test_file_names_tell_the_recorded_sequence(tmp_path: Path):
    folder = write_lists(tmp_path, walkers(3))
    path = folder / TEST
    path.write_text(path.read_text().replace("s1_", "s4_", 2))
    (folder / TRAIN).write_text("nameless.jpg 1 1 5\n0001_c2s3_000005_01.jpg 1 2 5\n")
    read = read_timed_lists(folder)
    assert read.train.recordings.tolist() == [1, 3]
    assert read.query.recordings[:3].tolist() == [4, 4, 1]
    assert set(read.gallery.recordings.tolist()) == {1}
