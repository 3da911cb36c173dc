from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from dataset_layouts import market1501, msmt17

from reid_core.errors import DatasetError
from reid_core.evaluation.dataset_tracklets import write_training_set
from reid_core.evaluation.datasets.dataset import ReidRecord
from reid_core.evaluation.datasets.pictures import open_pictures
from reid_core.evaluation.datasets.registry import read_dataset
from reid_core.evaluation.datasets.times import taken_s
from reid_core.learning.tracklet_set import TrackletSet

_HOW = {"size_px": (32, 64), "crops_at_most": 60}


def paint_all(root):
    rng = np.random.default_rng(0)
    for path in sorted(root.rglob("*.jpg")):
        cv2.imwrite(str(path), rng.integers(0, 256, (16, 8, 3), dtype=np.uint8))
    return root


def written(name, root, folder, **how):
    dataset = read_dataset(name, root)
    count = write_training_set(dataset, open_pictures(dataset, root), folder, **_HOW, **how)
    made = TrackletSet.load(folder)
    assert len(made) == count
    return made


def test_a_source_has_its_labels_and_a_target_has_none(tmp_path):
    root = paint_all(market1501(tmp_path / "market"))
    source = written("market1501", root, tmp_path / "a", labelled=True)
    target = written("market1501", root, tmp_path / "b", labelled=False)
    assert source.in_camera_ids.tolist() == [2, 2, 7]
    assert target.in_camera_ids is None
    assert target.images.shape == (3, 64, 32, 3)
    assert np.array_equal(source.images, target.images)
    assert not np.array_equal(target.images[0], target.images[1])


def test_cameras_and_times_come_from_names(tmp_path):
    market = written("market1501", paint_all(market1501(tmp_path / "market")), tmp_path / "a", labelled=False)
    assert [market.sightings.camera_ids[at] for at in market.cameras] == ["1", "2", "3"]
    np.testing.assert_allclose(market.sightings.starts_s, [86400 + 451 / 25, 86400 + 801 / 25, 3 * 86400 + 77419 / 25])
    msmt = written("msmt17", paint_all(msmt17(tmp_path / "msmt")), tmp_path / "b", labelled=False)
    assert np.diff(msmt.sightings.starts_s).tolist() == [9.0]


def test_parts_of_a_day_follow_one_another_and_other_datasets_have_no_clock():
    def at(sequence):
        return taken_s("msmt17", ReidRecord("a", 1, "01", frame=5, sequence=sequence))

    assert at("0303morning") < at("0303noon") < at("0303afternoon") < at("0304morning")
    assert math.isnan(at("0303evening"))
    assert math.isnan(taken_s("market1501", ReidRecord("a", 1, "1")))
    assert math.isnan(taken_s("ltcc", ReidRecord("a", 1, "1", frame=3)))


def test_a_lost_or_torn_picture_is_named(tmp_path):
    root = paint_all(market1501(tmp_path / "market"))
    torn = root / "bounding_box_train" / "0002_c2s1_000801_01.jpg"
    torn.write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"0002_c2s1_000801_01\.jpg cannot be decoded"):
        written("market1501", root, tmp_path / "a", labelled=False)
    dataset = read_dataset("market1501", root)
    torn.unlink()
    with pytest.raises(DatasetError, match=r"0002_c2s1_000801_01\.jpg is missing"):
        write_training_set(dataset, open_pictures(dataset, root), tmp_path / "b", labelled=True, **_HOW)
    assert not (tmp_path / "b" / "tracklets.json").exists()
