from __future__ import annotations

import numpy as np
import pytest

from reid_core.simulation.sensor import Sensor, Tone, draw_tone, tone_spread
from reid_core.simulation.settings import DIFFICULTIES, generator

EYE = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
PLAIN = Tone(matrix=EYE, haze=0.0, gammas=(1.0, 1.0, 1.0), drift=0.0, periods_s=(30.0, 90.0), phases=(0.0, 0.0))


def test_plain_tone_changes_nothing():
    np.testing.assert_array_equal(PLAIN.table(12.0)[0, :, 0], np.arange(256))


def test_gamma_two_squares_light():
    tone = Tone(matrix=EYE, haze=0.0, gammas=(2.0, 1.0, 1.0), drift=0.0, periods_s=(30.0, 90.0), phases=(0.0, 0.0))
    assert tone.table(0.0)[0, 128, 0] == round(255 * (128 / 255) ** 2)


def test_haze_lifts_black():
    tone = Tone(matrix=EYE, haze=0.2, gammas=(1.0, 1.0, 1.0), drift=0.0, periods_s=(30.0, 90.0), phases=(0.0, 0.0))
    assert tone.table(0.0)[0, 0].tolist() == [51, 51, 51]
    assert tone.table(0.0)[0, 255].tolist() == [255, 255, 255]


def test_light_drifts_around_one():
    tone = draw_tone(generator(7, 98), DIFFICULTIES["hard"], np.zeros(7))
    exposures = [tone.exposure(time_s) for time_s in np.linspace(0, 2000, 4000)]
    assert np.mean(exposures) == pytest.approx(1.0, abs=0.01)
    assert 0.88 <= min(exposures) < 0.95
    assert 1.05 < max(exposures) <= 1.12


def test_grey_stays_grey_under_less_saturation():
    # the mixing matrix keeps the sum of each row, so that only the cast changes greys
    level = DIFFICULTIES["default"]
    tone = draw_tone(generator(7, 97), level, tone_spread(generator(7, 96), 4)[0])
    rows = np.array(tone.matrix).sum(axis=1)
    assert np.all(np.abs(rows - 1.0) <= level.cast + 1e-9)


def test_noise_has_the_deviation_asked_for_and_no_bias():
    sensor = Sensor(PLAIN, noise=4.0, size_px=(320, 180), rng=np.random.default_rng(0))
    image = sensor.expose(np.full((180, 320, 3), 120, np.uint8), 0.0).astype(np.float64)
    assert image.std() == pytest.approx(4.0, abs=0.5)
    assert image.mean() == pytest.approx(120.0, abs=0.3)


def test_equal_seeds_give_equal_noise():
    light = np.full((90, 160, 3), 120, np.uint8)
    first, again = (
        Sensor(PLAIN, noise=4.0, size_px=(160, 90), rng=np.random.default_rng(3)).expose(light, 0.0) for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("cameras", [2, 4, 7])
def test_every_site_has_its_whole_range_of_cameras(cameras):
    spread = tone_spread(generator(7, 95), cameras)
    assert spread.shape == (cameras, 7)
    parts = np.floor((np.sort(spread, axis=0) + 1) / 2 * cameras)
    np.testing.assert_array_equal(parts, np.repeat(np.arange(cameras)[:, None], 7, axis=1))


def test_camera_without_departures_shows_true_colours():
    tone = draw_tone(generator(7, 94), DIFFICULTIES["default"], np.zeros(7))
    np.testing.assert_allclose(tone.matrix, EYE)
    np.testing.assert_allclose(tone.gammas, 1.0)
