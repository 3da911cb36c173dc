from __future__ import annotations

import math

import pytest

from reid_core.errors import SimulationSettingsError
from reid_core.simulation.settings import DIFFICULTIES, SiteSettings, camera_format, generator


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"people": 0}, "people must be at least 1, not 0"),
        ({"minutes": 0.0}, "minutes must be above 0, not 0.0"),
        ({"minutes": math.nan}, "minutes must be above 0, not nan"),
        ({"cameras": 1}, "cameras must be at least 2, not 1"),
        ({"difficulty": "brutal"}, "not 'brutal'"),
        ({"seed": -1}, "seed must be at least 0, not -1"),
        ({"processes": 0}, "processes must be at least 1, not 0"),
    ],
)
def test_bad_settings_are_refused_with_the_value(wrong, named):
    with pytest.raises(SimulationSettingsError, match=named):
        SiteSettings(**wrong)


def test_total_frames_follow_each_cameras_rate():
    settings = SiteSettings(cameras=4, minutes=2.0)
    assert [camera_format(camera).fps for camera in range(4)] == [10, 10, 12, 8]
    assert [settings.frames_of(camera) for camera in range(4)] == [1200, 1200, 1440, 960]
    assert settings.total_frames == 4800


def test_default_pictures_are_960_by_540_at_10_a_second():
    first = camera_format(0)
    assert (first.width_px, first.height_px, first.fps) == (960, 540, 10)
    assert all(camera_format(camera).width_px % 2 == 0 for camera in range(8))


def test_difficulties_grow_harder_in_every_setting():
    easy, default, hard = (DIFFICULTIES[name] for name in ("easy", "default", "hard"))
    for name in (
        "uniform_share",
        "cast",
        "gamma",
        "saturation",
        "haze",
        "noise",
        "tint",
        "bag_change",
        "clock_offset_s",
    ):
        assert getattr(easy, name) < getattr(default, name) < getattr(hard, name)
    assert easy.shade > default.shade > hard.shade
    assert easy.saturated_share > default.saturated_share > hard.saturated_share


def test_streams_of_random_numbers_do_not_depend_on_each_other():
    assert generator(7, 1).random() == generator(7, 1).random()
    assert generator(7, 1).random() != generator(7, 2).random()
    assert generator(7, 1, 0).random() != generator(8, 1, 0).random()
