from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fusion_lists import walkers, write_lists

from reid_core.errors import DatasetError
from reid_core.evaluation.fusion.site_log import read_site_log
from reid_core.evaluation.fusion.sources import read_times

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "tracklet_no,camera_id,start,end"
DAY = "2026-01-01T08:00:"
LOG = (
    (1, "west", 0.0, 2.5, 7),
    (2, "east", 1.0, 1.5, 8),
    (3, "east", 30.0, 50.0, 7),
    (4, "west", 31.0, 31.0, 8),
    (5, "west", 40.0, 41.0, 8),
)


def write_log(folder: Path, *, rows: str | None = None, truth: str | None = None) -> Path:
    spans = "".join(f"{n},{camera},{DAY}{a:06.3f}Z,{DAY}{b:06.3f}Z\n" for n, camera, a, b, _ in LOG)
    people = "".join(f"{n},{person}\n" for n, *_, person in LOG)
    (folder / "truth").mkdir()
    (folder / "tracklets.csv").write_text(f"{HEADER}\n{spans if rows is None else rows}")
    (folder / "truth" / "tracklets.csv").write_text(f"tracklet_no,person_id\n{people if truth is None else truth}")
    return folder


def test_a_log_gives_an_image_each_second_and_its_second_half_is_the_test(tmp_path: Path):
    lists = read_site_log(write_log(tmp_path))
    seen = {
        part: list(zip(images.person_ids.tolist(), images.camera_ids.tolist(), images.frames.tolist(), strict=True))
        for part in ("train", "query", "gallery")
        for images in (getattr(lists, part),)
    }
    assert seen["train"] == [(7, 2, 0), (8, 1, 25), (7, 2, 25), (7, 2, 50)]
    assert seen["query"] == [(7, 1, 750), (8, 2, 775)]
    later = [(7, 1, frame) for frame in (775, 800, 825, 850, 875)]
    assert seen["gallery"] == [*later, (8, 2, 1000), (8, 2, 1025)]


def test_a_folder_is_read_as_what_it_holds(tmp_path: Path):
    for name in ("log", "lists"):
        (tmp_path / name).mkdir()
    assert len(read_times(write_log(tmp_path / "log")).query) == 2
    assert len(read_times(write_lists(tmp_path / "lists", walkers(5))).query) == 15
    with pytest.raises(DatasetError, match="expected list_market_train_new"):
        read_times(tmp_path)


@pytest.mark.parametrize(
    "row",
    [
        "6,west,yesterday,2026-01-01T08:00:00Z",
        "x,west,2026-01-01T08:00:00Z,2026-01-01T08:00:01Z",
        "6,west,2026-01-01T08:00:02Z,2026-01-01T08:00:01Z",
        "6,west",
    ],
)
def test_a_broken_row_is_named_by_file_and_line(tmp_path: Path, row: str):
    write_log(tmp_path, rows=f"1,west,{DAY}00Z,{DAY}01Z\n{row}\n")
    with pytest.raises(DatasetError, match=r"tracklets\.csv, line 3: "):
        read_site_log(tmp_path)


@pytest.mark.parametrize(
    ("rows", "truth", "reason"),
    [
        ("", None, "no tracklets"),
        (None, "1,7\n2,8\n4,8\n5,8\n", "tracklet 3 is missing"),
        (f"1,west,{DAY}00Z,{DAY}01Z\n", None, "too few"),
        (f"1,west,{DAY}00Z,{DAY}00Z\n", None, "too few"),
    ],
)
def test_a_log_that_cannot_train_and_ask_is_refused(tmp_path: Path, rows: str | None, truth: str | None, reason: str):
    with pytest.raises(DatasetError, match=reason):
        read_site_log(write_log(tmp_path, rows=rows, truth=truth))


def test_a_log_without_its_truth_is_refused(tmp_path: Path):
    (write_log(tmp_path) / "truth" / "tracklets.csv").unlink()
    with pytest.raises(DatasetError, match=r"truth/tracklets\.csv cannot be read"):
        read_site_log(tmp_path)
