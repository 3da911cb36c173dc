"""A folder of pictures is a video in the natural order of its names."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from reid_core.errors import NotAVideoError
from reid_core.types import ClockQuality
from reid_core.vision.video import open_source
from reid_core.vision.video_images import natural_order


@pytest.fixture
def folder(tmp_path):
    for number in (2, 10, 1):
        cv2.imwrite(str(tmp_path / f"img{number}.png"), np.full((8, 12, 3), number, np.uint8))
    (tmp_path / "notes.txt").write_text("not a picture")
    return tmp_path


def test_pictures_come_in_natural_order_at_the_given_rate(folder):
    source = open_source(folder, start_time_s=5.0, image_fps=4.0)
    frames = list(source.frames())
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [1, 2, 10]
    assert [frame.time_s for frame in frames] == [5.0, 5.25, 5.5]
    assert (source.info.width, source.info.height, source.info.frame_count) == (12, 8, 3)
    assert source.info.clock_quality is ClockQuality.STATED


def test_reading_from_an_index_skips_the_pictures_before_it(folder):
    source = open_source(folder)
    assert [frame.index for frame in source.frames(first_index=1)] == [1, 2]
    assert source.info.clock_quality is ClockQuality.UNKNOWN
    source.close()


def test_unreadable_picture_leaves_a_gap_in_time_and_is_told(folder):
    (folder / "img2.png").write_bytes(b"spoilt")
    source = open_source(folder)
    frames = list(source.frames())
    assert [(frame.index, frame.time_s) for frame in frames] == [(0, 0.0), (1, 0.2)]
    assert source.problems == ("img2.png cannot be decoded and was passed over",)


def test_size_change_is_told(folder):
    cv2.imwrite(str(folder / "img11.png"), np.zeros((9, 12, 3), np.uint8))
    source = open_source(folder)
    assert list(source.frames())[-1].image.shape == (9, 12, 3)
    assert source.problems == ("size changes from 12x8 to 12x9 at img11.png",)


def test_folder_without_pictures_is_refused(tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(NotAVideoError, match="holds no picture"):
        open_source(tmp_path)
    with pytest.raises(ValueError, match="positive"):
        open_source(tmp_path, image_fps=0)


def test_natural_order_reads_digits_as_numbers_and_tells_all_names_apart():
    names = ["b", "a10", "a2", "A3", "1", "a02"]
    assert sorted(names, key=natural_order) == ["1", "a02", "a2", "A3", "a10", "b"]
    assert sorted(["f100", "f20", "f3"], key=natural_order) == ["f3", "f20", "f100"]
