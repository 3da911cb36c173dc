from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import dataset_layouts
import numpy as np
import pytest
from scipy.io import savemat

from reid_core.errors import DatasetError
from reid_core.evaluation.datasets.dataset import ReidDataset, ReidRecord
from reid_core.evaluation.datasets.registry import DATASETS, read_dataset

if TYPE_CHECKING:
    from pathlib import Path

PRID_SPLITS = "splits_prid2011.json"
ILIDS_SPLITS = "train-test people splits/train_test_splits_ilidsvid.mat"


def refusal(name: str, root: Path) -> str:
    with pytest.raises(DatasetError) as caught:
        read_dataset(name, root)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", DATASETS)
def test_a_missing_folder_is_named_with_what_was_expected(name: str, tmp_path: Path):
    message = refusal(name, tmp_path / "nowhere")
    assert f"{tmp_path / 'nowhere'} is not a folder; expected " in message


@pytest.mark.parametrize("name", DATASETS)
def test_an_empty_folder_is_refused_naming_the_first_thing_missing(name: str, tmp_path: Path):
    message = refusal(name, tmp_path)
    assert " is missing; expected " in message
    assert str(tmp_path) in message


def test_an_unknown_name_is_answered_with_all_names(tmp_path: Path):
    assert "there is no dataset 'market'; there are market1501, msmt17" in refusal("market", tmp_path)


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("market1501", "query"),
        ("dukemtmc-reid", "bounding_box_test"),
        ("msmt17", "list_gallery.txt"),
        ("cuhk03-detected", "cuhk03_new_protocol_config_detected.mat"),
        ("mars", "info/query_IDX.mat"),
        ("mars", "info/test_name.txt"),
        ("dukemtmc-videoreid", "gallery"),
        ("ilids-vid", ILIDS_SPLITS),
        ("ilids-vid", "i-LIDS-VID/sequences/cam2/person003"),
        ("prid2011", "prid_2011/multi_shot/cam_b/person_0002"),
        ("last", "val/query"),
        ("prcc", "rgb/test/B"),
        ("ltcc", "test"),
        ("celeb-reid", "gallery"),
        ("campus4k", "query"),
    ],
)
def test_one_missing_piece_is_named(name: str, missing: str, tmp_path: Path):
    gone = dataset_layouts.WRITERS[name](tmp_path) / missing
    shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
    message = refusal(name, tmp_path)
    assert str(gone) in message
    assert "is missing; expected " in message


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("market1501", "query/0001_c1_001051.jpg"),
        ("msmt17", None),
        ("ltcc", "query/148_1_3.png"),
        ("prcc", "rgb/train/001/D_cropped_rgb001.jpg"),
        ("last", "test/query/somebody.jpg"),
        ("campus4k", "query/0900/0001/0900_C1_F500.jpg"),
        ("celeb-reid", "gallery/633.jpg"),
    ],
)
def test_a_name_of_another_form_is_refused(name: str, path: str | None, tmp_path: Path):
    root = dataset_layouts.WRITERS[name](tmp_path)
    if path is None:
        path = "test/0000/picture.jpg"
        (root / "list_query.txt").write_text("0000/picture.jpg 0\n")
    else:
        dataset_layouts.touch(root, [path])
    assert f"{root / path} has a name of another form" in refusal(name, root)


@pytest.mark.parametrize(
    "line", ["0000/0000_004_03_0113noon_0245_0.jpg", "0000/0000_004_03_0113noon_0245_0.jpg x", " 3"]
)
def test_a_broken_line_of_a_list_is_named_by_its_number(line: str, tmp_path: Path):
    root = dataset_layouts.msmt17(tmp_path)
    (root / "list_query.txt").write_text(f"0000/0000_004_03_0113noon_0245_0.jpg 0\n{line}\n")
    assert "list_query.txt, entry 2, is not a picture and its person" in refusal("msmt17", root)


def test_a_list_that_is_no_text_is_refused(tmp_path: Path):
    root = dataset_layouts.msmt17(tmp_path)
    (root / "list_train.txt").write_bytes(b"\xff\xfe\x00")
    assert "list_train.txt cannot be read" in refusal("msmt17", root)


@pytest.mark.parametrize("content", [b"", b"not a table", b"MATLAB 7.3 MAT-file, written in HDF5" + bytes(600)])
def test_a_table_that_is_no_matlab_file_is_refused(content: bytes, tmp_path: Path):
    root = dataset_layouts.mars(tmp_path)
    (root / "info" / "query_IDX.mat").write_bytes(content)
    assert "query_IDX.mat is not a readable MATLAB file" in refusal("mars", root)


@pytest.mark.parametrize(
    ("file", "variables", "reason"),
    [
        ("query_IDX", {"other": [1]}, "has no variable query_IDX"),
        ("query_IDX", {"query_IDX": [[3, 8]]}, "points outside the 7 test tracklets"),
        ("query_IDX", {"query_IDX": [[0, 3]]}, "points outside the 7 test tracklets"),
        ("tracks_test_info", {"track_test_info": np.ones((2, 3))}, "has shape (2, 3), not rows of first, last"),
        ("tracks_test_info", {"track_test_info": [[1, 99, -1, 1]]}, "row 1, names pictures 1 to 99 of 12"),
        (
            "tracks_test_info",
            {"track_test_info": [[1, 1, -1, 1], [2, 3, 7, 3]]},
            "row 2, does not fit its first picture",
        ),
    ],
)
def test_mars_tables_that_do_not_fit_are_refused(file: str, variables: dict, reason: str, tmp_path: Path):
    root = dataset_layouts.mars(tmp_path)
    savemat(root / "info" / f"{file}.mat", variables)
    assert reason in refusal("mars", root)


@pytest.mark.parametrize("rows", [[[1, 2, 3]], [[1, 2, 3, 3]], [[1, 2, 3, 9]]])
def test_ilids_splits_that_do_not_number_the_people_are_refused(rows: list, tmp_path: Path):
    root = dataset_layouts.ilids_vid(tmp_path)
    savemat(root / ILIDS_SPLITS, {"ls_set": rows})
    assert "does not number the 4 people" in refusal("ilids-vid", root)


@pytest.mark.parametrize("text", ["{", "[]]", '[{"train": []}]', "[3]"])
def test_a_splits_file_of_another_form_is_refused(text: str, tmp_path: Path):
    root = dataset_layouts.prid2011(tmp_path)
    (root / PRID_SPLITS).write_text(text)
    assert f"{PRID_SPLITS} is not a list of splits" in refusal("prid2011", root)
    (root / "splits_classic_labeled.json").write_text(text)
    assert "splits_classic_labeled.json is not a list of splits" in refusal("cuhk03-classic-labeled", root)


def test_cuhk03_tables_that_do_not_fit_are_refused(tmp_path: Path):
    root = dataset_layouts.cuhk03_new(tmp_path)
    table = root / "cuhk03_new_protocol_config_detected.mat"
    files = np.array([["1_001_1_01.png"], ["1_001_2_06.png"]], object)
    parts = {"train_idx": [1], "query_idx": [1], "gallery_idx": [2]}
    savemat(table, {"filelist": files, "labels": [1], **parts})
    assert "has 2 files but 1 labels" in refusal("cuhk03-detected", root)
    savemat(table, {"filelist": files, "labels": [1, 1], **parts, "gallery_idx": [3]})
    assert "gallery_idx points outside the 2 files" in refusal("cuhk03-detected", root)


def test_folders_not_named_by_numbers_are_refused(tmp_path: Path):
    dataset_layouts.touch(dataset_layouts.prcc(tmp_path / "p"), ["rgb/test/A/anna/cropped_rgb001.jpg"])
    assert "anna is not named by a person's number" in refusal("prcc", tmp_path / "p")
    root = dataset_layouts.prid2011(tmp_path / "q")
    (root / PRID_SPLITS).write_text(json.dumps([{"train": ["person_0001"], "test": ["anna"]}]))
    assert "anna is not named by a person's number" in refusal("prid2011", root)


def test_a_tracklet_in_the_folder_of_another_person_is_refused(tmp_path: Path):
    dataset_layouts.touch(dataset_layouts.dukemtmc_videoreid(tmp_path), ["query/0011/0001/0010_C2_F0001_X00100.jpg"])
    assert "lies in the folder of another person" in refusal("dukemtmc-videoreid", tmp_path)


def test_folders_without_pictures_or_folders_are_refused(tmp_path: Path):
    root = dataset_layouts.market1501(tmp_path / "m")
    (root / "query" / "0001_c1s1_001051_00.jpg").unlink()
    (root / "query" / "0003_c1s6_015971_00.jpg").unlink()
    assert f"there is no .jpg picture in {root / 'query'}" in refusal("market1501", root)
    root = dataset_layouts.last(tmp_path / "l")
    shutil.rmtree(root / "test/gallery")
    (root / "test/gallery").mkdir()
    (root / "test/gallery/.hidden").mkdir()
    assert f"there is no folder in {root / 'test/gallery'}" in refusal("last", root)


def test_a_dataset_without_queries_or_with_a_path_twice_is_refused():
    record = ReidRecord("a.jpg", 1, "1")
    with pytest.raises(DatasetError, match="split 1 of 1, has 0 queries and 1 gallery entries"):
        ReidDataset.of_parts("x", train=[], query=[], gallery=[record])
    with pytest.raises(DatasetError, match=r"x names a\.jpg twice"):
        ReidDataset.of_parts("x", train=[], query=[record], gallery=[record])
