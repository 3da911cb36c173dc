"""The transit model's small parts: background, densities, zones, weights, candidates, walks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reid_core.spatio_temporal.candidates import visual_candidates
from reid_core.spatio_temporal.density import log_normal, log_normal_quantiles
from reid_core.spatio_temporal.gaps import Background, background_of
from reid_core.spatio_temporal.paths import walking_seconds
from reid_core.spatio_temporal.sightings import Sightings
from reid_core.spatio_temporal.weights import recalibrate
from reid_core.spatio_temporal.zones import UNKNOWN, Zones, find_zones
from reid_core.types import CameraLink


def test_the_background_of_even_arrivals_is_a_triangle_of_area_one():
    times_s = np.arange(0.0, 600.0, 2.0)
    found = background_of(times_s, times_s)
    gaps_s = np.linspace(-500, 500, 400)
    np.testing.assert_allclose(found.density(gaps_s), (600 - np.abs(gaps_s)) / 600**2, rtol=0.1, atol=3e-5)
    fine = np.linspace(-620, 620, 50_000)
    assert np.trapezoid(found.density(fine), fine) == pytest.approx(1.0, abs=0.01)


def test_the_background_counts_every_pair_of_sightings():
    rng = np.random.default_rng(0)
    ends_s, starts_s = rng.uniform(0, 300, 40), rng.uniform(0, 300, 50)
    found = background_of(ends_s, starts_s)
    gaps = np.array([start - end for start in starts_s for end in ends_s])
    for low, high in ((-100, -20), (-20, 20), (20, 100)):
        fine = np.linspace(low, high, 2000)
        share = np.mean((gaps > low) & (gaps < high))
        assert np.trapezoid(found.density(fine), fine) == pytest.approx(share, abs=0.03)


def test_a_window_leaves_longer_gaps_out_and_nobody_has_no_background():
    times_s = np.arange(0.0, 3600.0, 5.0)
    assert background_of(times_s, times_s, reach_s=100.0).reach_s == pytest.approx(100.0)
    empty = background_of(np.zeros(0), times_s)
    assert empty.density(np.array([1.0, 2.0])).tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="known"):
        background_of(np.array([np.nan]), times_s)


def test_the_background_survives_json():
    found = background_of(np.arange(50.0), np.arange(60.0))
    again = Background.from_json(found.to_json())
    np.testing.assert_allclose(again.density(np.arange(-40.0, 40.0)), found.density(np.arange(-40.0, 40.0)), rtol=1e-3)


def test_log_normal_equals_its_formula_and_its_quantiles_have_its_moments():
    for value in (0.5, 2.0, 9.0):
        expected = math.exp(-((math.log(value) - 1.2) ** 2) / (2 * 0.09)) / (value * 0.3 * math.sqrt(2 * math.pi))
        assert log_normal(np.array([value]), 1.2, 0.3)[0] == pytest.approx(expected)
    logs = np.log(log_normal_quantiles(1.2, 0.3))
    assert logs.mean() == pytest.approx(1.2)
    assert logs.std() == pytest.approx(0.3, rel=0.01)


def doors(seed=0):
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(at, 0.02, (40, 2)) for at in ((0.05, 0.5), (0.95, 0.4), (0.5, 0.97))])


def test_three_doors_are_found_and_everybody_is_put_to_theirs():
    points = doors()
    zones = find_zones(points)
    assert len(zones) == 4
    numbers = zones.of(points, len(points))
    assert all(len(set(numbers[k : k + 40].tolist())) == 1 for k in (0, 40, 80))
    assert len(set(numbers.tolist())) == 3


def test_the_order_of_points_does_not_matter_to_zones():
    points = doors()
    turned = find_zones(points[::-1])
    assert sorted(map(tuple, turned.centres.round(6))) == sorted(map(tuple, find_zones(points).centres.round(6)))


def test_far_points_are_elsewhere_and_unknown_ones_unknown():
    zones = find_zones(np.concatenate([doors(), np.random.default_rng(1).uniform(0, 1, (12, 2))]))
    found = zones.of(np.array([[0.5, 0.2], [np.nan, 0.1]]), 2)
    assert found.tolist() == [len(zones) - 1, UNKNOWN]
    assert zones.of(None, 2).tolist() == [UNKNOWN, UNKNOWN]


def test_few_points_make_one_zone_and_wrong_shapes_none():
    assert len(find_zones(np.full((5, 2), 0.5))) == 1
    assert len(find_zones(np.full((40, 2), np.nan))) == 1
    with pytest.raises(ValueError, match="shape"):
        find_zones(np.zeros((3, 3)))


def test_zones_survive_json():
    zones = find_zones(doors())
    again = Zones.from_json(zones.to_json())
    assert again.of(doors(), 120).tolist() == zones.of(doors(), 120).tolist()


def test_overconfident_weights_are_lowered_and_their_order_stays():
    weights = np.linspace(0.3, 0.95, 400)
    posterior = weights / 3
    found = recalibrate(weights, posterior)
    assert found.mean() == pytest.approx(posterior.mean(), abs=0.02)
    assert (np.diff(found) > 0).all()
    assert recalibrate(weights, weights) == pytest.approx(weights, abs=0.01)
    assert recalibrate(np.zeros(0), np.zeros(0)).shape == (0,)
    with pytest.raises(ValueError, match="do not fit"):
        recalibrate(weights, posterior[:3])


def people_in_two_cameras(count=60, *, tint=0.0, seed=0):
    rng = np.random.default_rng(seed)
    looks = rng.normal(size=(count, 32))
    vectors = np.concatenate([looks, looks + 0.4 * rng.normal(size=looks.shape) + tint])
    starts_s = np.tile(np.arange(count) * 10.0, 2)
    cameras = np.repeat([0, 1], count).astype(np.int64)
    return vectors, Sightings(("a", "b"), cameras, starts_s, starts_s + 2)


@pytest.mark.parametrize("tint", [0.0, 5.0])
def test_people_who_look_alike_across_cameras_are_candidates_whatever_the_cameras_tint(tint):
    vectors, seen = people_in_two_cameras(tint=tint)
    found = visual_candidates(vectors, seen)
    sure = found.take(found.weights > 0.5)
    assert len(sure) >= 50
    assert (sure.rows_b - sure.rows_a == 60).mean() > 0.95


def test_strangers_are_hardly_ever_likely():
    rng = np.random.default_rng(2)
    _, seen = people_in_two_cameras()
    found = visual_candidates(rng.normal(size=(120, 32)), seen)
    assert found.weights.sum() < 12


def test_a_window_keeps_those_apart_who_are_far_apart_in_time():
    vectors, seen = people_in_two_cameras()
    found = visual_candidates(vectors, seen, within_s=25.0)
    assert np.abs(seen.starts_s[found.rows_a] - seen.starts_s[found.rows_b]).max() <= 25.0


def test_nobody_has_no_candidates_and_wrong_input_is_refused():
    vectors, seen = people_in_two_cameras()
    assert len(visual_candidates(vectors[:0], seen.take(np.zeros(0, np.int64)))) == 0
    with pytest.raises(ValueError, match="do not fit"):
        visual_candidates(vectors[:3], seen)
    with pytest.raises(ValueError, match="finite"):
        visual_candidates(vectors * np.nan, seen)
    with pytest.raises(ValueError, match="above 0"):
        visual_candidates(vectors, seen, within_s=0.0)


def test_walks_take_the_shortest_path_and_unjoined_cameras_none():
    links = [
        CameraLink("a", "b", 10.0),
        CameraLink("b", "c", 5.0),
        CameraLink("a", "c", 50.0),
        CameraLink("a", "z", 1.0),
    ]
    found = walking_seconds(["a", "b", "c", "d"], links)
    assert found[0, 2] == found[2, 0] == pytest.approx(12.0)
    assert not [pair for pair in found if 3 in pair]
