from __future__ import annotations

import numpy as np
import pytest

from reid_core.evaluation.fusion.recordings import recording_shifts
from reid_core.spatio_temporal.sightings import MatchedPairs, Sightings

CAMERAS = ("a", "b", "c")
WALKS_S = np.array([0.0, 20.0, 55.0])  # from a
SHIFTS_S = {(0, 1): 0.0, (0, 2): 30.0, (1, 1): 0.0, (1, 2): -400.0, (2, 1): 0.0, (2, 2): 900.0}


def site(count: int = 60, *, seed: int = 0) -> tuple[Sightings, np.ndarray, MatchedPairs]:
    """People who pass all cameras; the footage is cut after an hour, and each camera's clock then jumps."""
    rng = np.random.default_rng(seed)
    starts_s = rng.uniform(0, 7200, count)
    cameras = np.tile(np.arange(3), count)
    times_s = np.repeat(starts_s, 3) + WALKS_S[cameras] + rng.normal(0, 3, 3 * count)
    cut = (np.repeat(starts_s, 3) > 3600).astype(np.int64) + 1
    clock_s = times_s + np.array([SHIFTS_S[key] for key in zip(cameras.tolist(), cut.tolist(), strict=True)])
    one, other = np.triu_indices(3, 1)
    rows_a = (3 * np.arange(count)[:, None] + one).ravel()
    rows_b = (3 * np.arange(count)[:, None] + other).ravel()
    wrong = 3 * rng.integers(0, count, len(rows_a)) + cameras[rows_b]
    pairs = MatchedPairs(np.tile(rows_a, 2), np.concatenate([rows_b, wrong]), np.full(2 * len(rows_a), 0.5))
    return Sightings(CAMERAS, cameras, clock_s, clock_s), cut, pairs


@pytest.mark.parametrize("seed", range(3))
def test_jumps_of_clocks_are_found_though_half_of_the_pairs_are_wrong(seed: int):
    sightings, cut, pairs = site(seed=seed)
    found = recording_shifts(sightings, cut, pairs)
    assert found.keys() == SHIFTS_S.keys()
    within_a_recording = found[2, 2] - found[1, 2], found[1, 2] - found[0, 2]
    assert within_a_recording == pytest.approx((1300.0, -430.0), abs=15)
    assert [found[camera, 1] for camera in range(3)] == pytest.approx([0, 0, 0], abs=0.01)


def test_pairs_may_name_either_camera_first():
    sightings, cut, pairs = site()
    turned = MatchedPairs(pairs.rows_b, pairs.rows_a, pairs.weights)
    assert recording_shifts(sightings, cut, turned) == pytest.approx(recording_shifts(sightings, cut, pairs))


def test_footage_in_one_piece_is_left_alone():
    sightings, _, pairs = site()
    found = recording_shifts(sightings, np.ones(len(sightings), np.int64), pairs)
    assert list(found.values()) == pytest.approx([0, 0, 0], abs=0.01)


def test_nobody_who_looks_alike_tells_nothing():
    sightings, cut, _ = site(4)
    none = MatchedPairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    assert set(recording_shifts(sightings, cut, none).values()) == {0.0}


def test_unknown_times_tell_nothing():
    sightings, cut, pairs = site(8)
    unknown = Sightings(CAMERAS, sightings.cameras, *[np.full(len(sightings), np.nan)] * 2)
    assert set(recording_shifts(unknown, cut, pairs).values()) == {0.0}


def test_lengths_that_differ_are_refused():
    sightings, cut, pairs = site(4)
    with pytest.raises(ValueError, match="11 recordings and 12 sightings"):
        recording_shifts(sightings, cut[:-1], pairs)
