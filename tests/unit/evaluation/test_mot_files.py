from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from reid_core.errors import MotFileError
from reid_core.evaluation.mot_files import read_mot, read_tracks, require_people, write_mot
from reid_core.metrics.mot_boxes import MotBoxes

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, text: str) -> Path:
    path = folder / "rows.txt"
    path.write_text(text, encoding="ascii")
    return path


def test_seven_columns_are_frame_id_box_and_confidence(tmp_path: Path):
    boxes = read_mot(written(tmp_path, "3,7,10,20,30,40,0.5\n"))
    assert (boxes.frames.tolist(), boxes.ids.tolist(), boxes.boxes_px.tolist()) == ([3], [7], [[10, 20, 40, 60]])
    assert (boxes.confidences.tolist(), boxes.classes.tolist(), boxes.visibility.tolist()) == ([0.5], [1], [1.0])


def test_nine_columns_add_class_and_visibility(tmp_path: Path):
    boxes = read_mot(written(tmp_path, "1,1,0,0,5,5,1,8,0.25\n"))
    assert (boxes.classes.tolist(), boxes.visibility.tolist()) == ([8], [0.25])


def test_ten_columns_hold_world_coordinates_that_are_no_class(tmp_path: Path):
    boxes = read_mot(written(tmp_path, "1,1,0,0,5,5,1,-4.2,7.1,0\n"))
    assert (boxes.classes.tolist(), boxes.visibility.tolist()) == ([1], [1.0])


def test_blanks_and_empty_lines_are_read_over(tmp_path: Path):
    assert len(read_mot(written(tmp_path, "1 1 0 0 5 5 1\n\n2 1 0 0 5 5 1\n"))) == 2


def test_empty_file_holds_no_boxes(tmp_path: Path):
    assert read_mot(written(tmp_path, "")).boxes_px.shape == (0, 4)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,1,0,0,5", "5 columns"),
        ("1,1,0,0,5,5,1,1,1,1,1", "11 columns"),
        ("1,1,0,zero,5,5,1", "could not convert"),
        ("1,1,0,nan,5,5,1", "not finite"),
        ("0,1,0,0,5,5,1", "frames from 1"),
        ("1.5,1,0,0,5,5,1", "whole numbers"),
        ("1,1.5,0,0,5,5,1", "whole numbers"),
        ("1,1,0,0,-5,5,1", "negative"),
        ("1,1,0,0,5,5,1,1", "8 columns, the rows before have 7"),
    ],
)
def test_broken_row_is_named_with_file_and_line(tmp_path: Path, row: str, reason: str):
    path = written(tmp_path, f"1,1,0,0,5,5,1\n\n{row}\n")
    with pytest.raises(MotFileError, match=rf"rows\.txt, line 3: .*{reason}"):
        read_mot(path)


def test_missing_file_is_named(tmp_path: Path):
    with pytest.raises(MotFileError, match=r"absent\.txt"):
        read_mot(tmp_path / "absent.txt")


def test_picture_instead_of_text_is_refused(tmp_path: Path):
    path = tmp_path / "rows.txt"
    path.write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(MotFileError, match=r"rows\.txt"):
        read_mot(path)


def test_detections_are_no_tracks(tmp_path: Path):
    with pytest.raises(MotFileError, match="line 2: the row has no id"):
        read_tracks(written(tmp_path, "1,1,0,0,5,5,1\n1,-1,0,0,5,5,1\n"))


def test_id_twice_in_a_frame_is_named_with_its_second_line(tmp_path: Path):
    with pytest.raises(MotFileError, match="line 3: id 4 appears twice in frame 2"):
        read_tracks(written(tmp_path, "2,4,0,0,5,5,1\n1,4,0,0,5,5,1\n2,4,9,9,5,5,1\n"))


def test_what_is_written_is_read_back_sorted(tmp_path: Path):
    boxes = MotBoxes.of([2, 1], [5, 6], [[1.25, 2, 3, 4], [0, 0, 9, 9]], confidences=[0.5, 0.75])
    path = tmp_path / "tracks.txt"
    write_mot(path, boxes)
    again = read_tracks(path)
    assert (again.frames.tolist(), again.ids.tolist()) == ([1, 2], [6, 5])
    assert again.boxes_px.tolist() == [[0, 0, 9, 9], [1.25, 2, 3, 4]]
    assert again.confidences.tolist() == [0.75, 0.5]
    assert [entry.name for entry in tmp_path.iterdir()] == ["tracks.txt"]


def test_writing_nothing_makes_an_empty_file(tmp_path: Path):
    write_mot(tmp_path / "tracks.txt", MotBoxes.none())
    assert (tmp_path / "tracks.txt").read_text() == ""


def test_place_that_cannot_be_written_is_named(tmp_path: Path):
    with pytest.raises(MotFileError, match=r"absent/tracks\.txt: No such file"):
        write_mot(tmp_path / "absent" / "tracks.txt", MotBoxes.none())


def test_truth_without_people_is_refused_but_one_empty_camera_is_fine():
    nobody = MotBoxes.of([], [], np.zeros((0, 4)))
    ignored = MotBoxes.of([1], [1], [[0, 0, 4, 8]], confidences=[0.0])
    somebody = MotBoxes.of([1], [1], [[0, 0, 4, 8]])
    require_people({"gate": nobody, "hall": somebody})
    with pytest.raises(MotFileError, match="gate, hall: the ground truth holds no person"):
        require_people({"gate": nobody, "hall": ignored})
    with pytest.raises(MotFileError, match="no file"):
        require_people({})
