from __future__ import annotations

from typing import TYPE_CHECKING

import dataset_layouts
import pytest

from reid_core.evaluation.datasets.dataset import JUNK, NOBODY, ReidDataset, ReidRecord
from reid_core.evaluation.datasets.registry import DATASETS, read_dataset

if TYPE_CHECKING:
    from pathlib import Path


def read(name: str, root: Path) -> ReidDataset:
    return read_dataset(name, dataset_layouts.WRITERS[name](root))


def part(dataset: ReidDataset, which: str, split: int = 0) -> list[ReidRecord]:
    return [dataset.records[at] for at in getattr(dataset.splits[split], which)]


def facts(records: list[ReidRecord]) -> list[tuple[int, str]]:
    return [(record.person_id, record.camera_id) for record in records]


@pytest.mark.parametrize("name", DATASETS)
def test_every_registered_layout_is_read_with_each_record_named_once(name: str, tmp_path: Path):
    dataset = read(name, tmp_path)
    assert dataset.name == name
    assert len({record.path for record in dataset.records}) == len(dataset.records)
    for split in dataset.splits:
        assert min(len(split.train), len(split.query), len(split.gallery)) > 0


@pytest.mark.parametrize("name", DATASETS)
def test_every_path_that_a_reader_names_exists(name: str, tmp_path: Path):
    dataset = read(name, tmp_path)
    paths = [path for record in dataset.records for path in (record.path, *record.tracklet)]
    assert [path for path in paths if not (tmp_path / path).exists()] == []


def test_market_knows_junk_distractors_sequences_and_frames(tmp_path: Path):
    dataset = read("market1501", tmp_path)
    assert [record.person_id for record in part(dataset, "gallery")] == [JUNK, NOBODY, 1, 1, 3, 3]
    query = part(dataset, "query")[1]
    assert query == ReidRecord("query/0003_c1s6_015971_00.jpg", 3, "1", frame=15971, sequence="6")
    assert facts(part(dataset, "train")) == [(2, "1"), (2, "2"), (7, "3")]


def test_market_is_found_in_the_folder_of_its_archive(tmp_path: Path):
    (tmp_path / "Market-1501-v15.09.15").mkdir()
    dataset_layouts.market1501(tmp_path / "Market-1501-v15.09.15")
    assert len(part(read_dataset("market1501", tmp_path), "query")) == 2


def test_duke_knows_cameras_and_frames_and_says_that_it_was_withdrawn(tmp_path: Path):
    dataset = read("dukemtmc-reid", tmp_path)
    assert part(dataset, "query") == [ReidRecord("query/0005_c2_f0046985.jpg", 5, "2", frame=46985)]
    assert "withdrawn" in dataset.notes[0]


def test_msmt17_counts_people_from_one_and_knows_the_time_of_day(tmp_path: Path):
    dataset = read("msmt17", tmp_path)
    query = ReidRecord("test/0000/0000_004_03_0113noon_0245_0.jpg", 1, "03", frame=245, sequence="0113noon")
    assert part(dataset, "query") == [query]
    assert facts(part(dataset, "gallery")) == [(1, "14"), (3, "05")]
    assert facts(part(dataset, "train")) == [(1, "01"), (2, "01")]


def test_second_version_of_msmt17_has_masked_folders(tmp_path: Path):
    dataset_layouts.msmt17(tmp_path)
    (tmp_path / "mask_test_v2").mkdir()
    assert part(read_dataset("msmt17", tmp_path), "query")[0].path.startswith("mask_test_v2/0000/")


def test_cuhk03_new_follows_the_table_and_cameras_differ_by_pair(tmp_path: Path):
    dataset = read("cuhk03-labeled", tmp_path)
    assert facts(part(dataset, "query")) == [(2, "1.1"), (1463, "5.1")]
    assert facts(part(dataset, "gallery")) == [(2, "1.2"), (1463, "5.2")]
    assert part(dataset, "train")[0].path == "images_labeled/1_001_1_01.png"


def test_cuhk03_classic_asks_with_the_first_view_in_every_split(tmp_path: Path):
    dataset = read("cuhk03-classic-detected", tmp_path)
    assert len(dataset.splits) == 2
    assert facts(part(dataset, "query", 1)) == [(1001, "1.1"), (1001, "1.1"), (1003, "1.1"), (1003, "1.1")]
    assert facts(part(dataset, "gallery", 1)) == [(1001, "1.2"), (1001, "1.2"), (1003, "1.2"), (1003, "1.2")]
    assert {record.person_id for record in part(dataset, "train", 1)} == {1002}


def test_mars_queries_stay_in_the_gallery(tmp_path: Path):
    dataset = read("mars", tmp_path)
    split = dataset.splits[0]
    assert set(split.query.tolist()) < set(split.gallery.tolist())
    assert facts(part(dataset, "query")) == [(2, "1"), (2, "2"), (4, "1"), (4, "3")]
    assert [record.person_id for record in part(dataset, "gallery")][:2] == [JUNK, NOBODY]


def test_mars_tracklets_go_by_their_first_picture_and_know_all(tmp_path: Path):
    tracklet = part(read("mars", tmp_path), "query")[1]
    assert tracklet.path == "bbox_test/0002/0002C2T0001F001.jpg"
    assert [picture[-8:-4] for picture in tracklet.tracklet] == ["F001", "F002", "F003"]


def test_duke_video_reads_both_ways_of_naming(tmp_path: Path):
    dataset = read("dukemtmc-videoreid", tmp_path)
    assert part(dataset, "query")[0].frame == 100
    gallery = part(dataset, "gallery")[0]
    assert (gallery.path, gallery.camera_id, gallery.frame) == ("gallery/0010/0004", "5", 30825)
    assert len(gallery.tracklet) == 2


def test_ilids_tests_on_the_first_half_of_each_row(tmp_path: Path):
    dataset = read("ilids-vid", tmp_path)
    assert facts(part(dataset, "query", 0)) == [(1, "cam1"), (4, "cam1")]
    assert facts(part(dataset, "gallery", 0)) == [(1, "cam2"), (4, "cam2")]
    assert facts(part(dataset, "train", 0)) == [(3, "cam1"), (3, "cam2"), (10, "cam1"), (10, "cam2")]
    assert part(dataset, "query", 0)[0].frame == 317
    assert len(dataset.splits) == 3


def test_prid_asks_from_camera_a_in_every_split(tmp_path: Path):
    dataset = read("prid2011", tmp_path)
    assert facts(part(dataset, "query", 0)) == [(3, "cam_a"), (4, "cam_a")]
    assert facts(part(dataset, "gallery", 1)) == [(2, "cam_b"), (4, "cam_b")]
    assert dataset.notes == ()


def test_prid_without_splits_draws_ten_always_the_same_and_says_so(tmp_path: Path):
    root = dataset_layouts.prid2011(tmp_path, with_splits=False, pictures=28)
    first, second = read_dataset("prid2011", root), read_dataset("prid2011", root)
    assert len(first.splits) == 10
    assert [split.query.tolist() for split in first.splits] == [split.query.tolist() for split in second.splits]
    assert {len(split.query) for split in first.splits} == {2}
    assert "not the ones of published figures" in first.notes[0]


def test_last_gives_every_picture_a_camera_of_its_own_and_clothes_to_training_only(tmp_path: Path):
    dataset = read("last", tmp_path)
    assert len({record.camera_id for record in dataset.records}) == len(dataset.records)
    assert [record.clothes_id for record in part(dataset, "train")] == ["2_000", "2_001"]
    assert {record.clothes_id for record in part(dataset, "gallery")} == {None}


def test_last_keeps_validation_people_apart(tmp_path: Path):
    dataset = read("last", tmp_path)
    assert [dataset.records[at].person_id for at in dataset.validation.query] == [5002]
    assert {record.person_id for record in part(dataset, "gallery")} == {10904, 10905, 10906}


def test_prcc_people_change_clothes_at_camera_c(tmp_path: Path):
    dataset = read("prcc", tmp_path)
    assert [record.clothes_id for record in part(dataset, "train")] == ["1_1", "1_1", "1_2"]
    assert facts(part(dataset, "gallery")) == [(3, "A"), (3, "A"), (5, "A"), (5, "A")]
    assert {record.camera_id for record in part(dataset, "query")} == {"B", "C"}


def test_ltcc_knows_outfits_and_counts_people_from_one(tmp_path: Path):
    dataset = read("ltcc", tmp_path)
    query = ReidRecord("query/148_1_c3_014811.png", 149, "3", frame=14811, clothes_id="149_1")
    assert query in part(dataset, "query")
    assert facts(part(dataset, "train")) == [(1, "1"), (1, "3")]


@pytest.mark.parametrize("name", ["celeb-reid", "celebrities-reid"])
def test_celebrities_have_a_camera_for_every_picture(name: str, tmp_path: Path):
    dataset = read(name, tmp_path)
    assert facts(part(dataset, "query")) == [(633, "query/633_1_0.jpg")]
    assert [record.person_id for record in part(dataset, "gallery")] == [633, 634]


def test_campus4k_trains_on_people_first_seen_before_frame_46410(tmp_path: Path):
    dataset = read("campus4k", tmp_path)
    # Person 1 comes at 423 (and again late), person 2 at 46,410 exactly, person 3 one frame before.
    assert facts(part(dataset, "train")) == [(1, "1"), (1, "5"), (3, "2")]
    assert dataset.notes[0].startswith("1 training tracklets")


def test_campus4k_people_of_one_camera_are_distractors(tmp_path: Path):
    gallery = part(read("campus4k", tmp_path), "gallery")
    assert [(record.person_id, record.frame) for record in gallery] == [(900, 50500), (NOBODY, 50500)]
