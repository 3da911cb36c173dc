from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import dataset_layouts
import h5py
import numpy as np
import pytest
from PIL import Image

from reid_core.errors import DatasetError
from reid_core.evaluation.datasets.cuhk03_archive import Cuhk03Archive
from reid_core.evaluation.datasets.pictures import open_pictures
from reid_core.evaluation.datasets.registry import read_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reid_core.evaluation.datasets.dataset import ReidDataset


@pytest.fixture
def mat(tmp_path: Path) -> Path:
    return dataset_layouts.cuhk03_archive(tmp_path, place="cuhk-03.mat") / "cuhk-03.mat"


@pytest.fixture
def archive(mat: Path) -> Iterator[Cuhk03Archive]:
    with Cuhk03Archive(mat) as opened:
        yield opened


def people(dataset: ReidDataset, which: str, split: int) -> list[tuple[int, str]]:
    return [
        (dataset.records[at].person_id, dataset.records[at].camera_id) for at in getattr(dataset.splits[split], which)
    ]


def colour(png: bytes | None) -> tuple[tuple[int, int], tuple[int, ...]]:
    with Image.open(BytesIO(png or b"")) as picture:
        assert picture.format == "PNG"
        return picture.size, picture.getpixel((3, 5))


def test_every_picture_has_the_name_that_tool_kits_give_it(archive: Cuhk03Archive):
    names = archive.names("detected")
    assert len(names) == 7 * 4  # seven people; cells without a picture have no name
    assert names[:5] == ["1_001_1_01.png", "1_001_1_02.png", "1_001_2_06.png", "1_001_2_07.png", "1_002_1_01.png"]
    assert names[-1] == "5_001_2_07.png"


def test_test_people_are_named_by_camera_pair_and_person(archive: Cuhk03Archive):
    assert archive.test_people() == [{(1, 2), (1, 3)}, {(1, 1), (1, 3)}]


def test_pictures_come_upright_and_in_their_colours(archive: Cuhk03Archive):
    assert colour(archive.picture("detected", "1_003_2_06.png")) == ((20, 48), (40, 180, 6))
    assert colour(archive.picture("detected", "1_002_1_01.png")) == ((20, 48), (40, 120, 1))
    assert colour(archive.picture("labeled", "5_001_1_02.png")) == ((20, 50), (200, 60, 2))


@pytest.mark.parametrize(
    "name",
    [
        "1_001_1_03.png",
        "1_001_2_01.png",
        "1_004_1_01.png",
        "6_001_1_01.png",
        "1_000_1_01.png",
        "1_001_1_00.png",
        "who.png",
    ],
)
def test_a_picture_that_is_not_there_is_named(archive: Cuhk03Archive, name: str):
    with pytest.raises(DatasetError, match=rf"cuhk-03\.mat holds no picture detected/{name}"):
        archive.picture("detected", name)


@pytest.mark.parametrize("place", ["cuhk-03.mat", "cuhk03_release/cuhk-03.mat", "cuhk03/cuhk03_release/cuhk-03.mat"])
@pytest.mark.parametrize("boxes", ["detected", "labeled"])
def test_classic_splits_of_the_archive_are_those_of_the_unpacked_json(tmp_path: Path, place: str, boxes: str):
    published = read_dataset(f"cuhk03-classic-{boxes}", dataset_layouts.cuhk03_archive(tmp_path / "a", place=place))
    unpacked = read_dataset(f"cuhk03-classic-{boxes}", dataset_layouts.cuhk03_classic(tmp_path / "b", boxes))
    assert published.name == unpacked.name
    for split in (0, 1):
        for part in ("query", "gallery"):
            assert people(published, part, split) == people(unpacked, part, split)
        first_pair = [one for one in people(published, "train", split) if one[1].startswith("1.")]
        assert first_pair == people(unpacked, "train", split)
        assert len(people(published, "train", split)) == len(first_pair) + 4 * 4  # the other camera pairs train


@pytest.mark.parametrize("name", ["cuhk03-classic-detected", "cuhk03-labeled"])
def test_pictures_that_nobody_unpacked_are_taken_from_the_archive(tmp_path: Path, name: str):
    dataset_layouts.cuhk03_new(tmp_path, "labeled")
    for picture in (tmp_path / "images_labeled").iterdir():
        picture.unlink()
    dataset = read_dataset(name, dataset_layouts.cuhk03_archive(tmp_path))
    pictures = open_pictures(dataset, tmp_path)
    record = next(one for one in dataset.records if one.path.endswith("1_002_2_06.png"))
    assert colour(pictures.read(record.path))[1] == (40, 120, 6)
    assert pictures.stamp(record.path) != pictures.stamp(dataset.records[0].path)


def test_unpacked_pictures_come_first(tmp_path: Path):
    root = dataset_layouts.cuhk03_classic(dataset_layouts.cuhk03_archive(tmp_path))
    dataset = read_dataset("cuhk03-classic-detected", root)
    pictures = open_pictures(dataset, root)
    assert pictures.read(dataset.records[0].path) == b""
    assert (pictures.read("images_detected/none.png"), pictures.stamp("images_detected/none.png")) == (None, "")


def test_pictures_are_none_where_neither_they_nor_the_archive_are_there(tmp_path: Path):
    dataset_layouts.cuhk03_new(tmp_path)
    for picture in (tmp_path / "images_detected").iterdir():
        picture.unlink()
    dataset = read_dataset("cuhk03-detected", tmp_path)
    assert open_pictures(dataset, tmp_path).read(dataset.records[0].path) is None


def test_a_file_of_another_form_is_refused(tmp_path: Path):
    (tmp_path / "cuhk-03.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(600))
    with pytest.raises(DatasetError, match=r"cuhk-03\.mat is not a readable MATLAB 7\.3 file"):
        read_dataset("cuhk03-classic-detected", tmp_path)


@pytest.mark.parametrize("spoilt", ["detected", "testsets"])
@pytest.mark.parametrize("how", ["gone", "numbers"])
def test_variables_of_another_form_are_refused(mat: Path, spoilt: str, how: str):
    with h5py.File(mat, "r+") as file:
        del file[spoilt]
        if how == "numbers":
            file[spoilt] = np.ones((1, 2))
    with pytest.raises(DatasetError, match="is not laid out like the published"):
        read_dataset("cuhk03-classic-detected", mat.parent)


def test_test_people_in_the_wrong_shape_are_refused(mat: Path):
    with h5py.File(mat, "r+") as file:
        split = file[file["testsets"][0, 0]].name
        del file[split]
        file[split] = np.ones((3, 4))
        file["testsets"][0, 0] = file[split].ref
    with pytest.raises(DatasetError, match="is not laid out like the published"):
        read_dataset("cuhk03-classic-labeled", mat.parent)
