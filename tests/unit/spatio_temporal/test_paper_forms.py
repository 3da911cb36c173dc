from __future__ import annotations

import math

import numpy as np
import pytest

from reid_core.spatio_temporal.paper_forms import (
    GaussianTransit,
    TransitionSets,
    gaussian_regularisation,
    joint_distance,
)
from reid_core.spatio_temporal.sightings import MatchedPairs, Sightings
from reid_core.types import CameraLink


def site(seed=0, count=30):
    rng = np.random.default_rng(seed)
    starts_s = rng.uniform(0, 100, count)
    return Sightings(("a", "b", "c"), rng.integers(0, 3, count), starts_s, starts_s + rng.uniform(1, 5, count))


def naive_regularisation(gap_s, mean_s, sigma_s, *, as_printed):
    if as_printed:
        return math.exp(-((gap_s - mean_s) ** 2) / (2 * sigma_s))
    sigma_s = max(sigma_s, 5.0)
    return max(math.exp(-((gap_s - mean_s) ** 2) / (2 * sigma_s * sigma_s)), 1e-4)


@pytest.mark.parametrize("as_printed", [True, False])
def test_both_readings_of_equation_3_equal_a_plain_loop(as_printed):
    gaps = np.linspace(-30, 60, 19)
    found = gaussian_regularisation(gaps, 12.0, 8.4, as_printed=as_printed)
    expected = [naive_regularisation(gap, 12.0, 8.4, as_printed=as_printed) for gap in gaps.tolist()]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_authors_code_never_falls_below_its_floor_and_the_print_does():
    assert gaussian_regularisation(np.array([500.0]), 10.0, 7.0).tolist() == [1e-4]
    assert gaussian_regularisation(np.array([500.0]), 10.0, 7.0, as_printed=True)[0] == 0.0


@pytest.mark.parametrize("as_printed", [True, False])
def test_the_matrix_of_a_site_equals_a_plain_loop_over_its_pairs(as_printed):
    seen = site()
    transit = GaussianTransit.of_map(seen.camera_ids, [CameraLink("a", "b", 10.0)], as_printed=as_printed)
    found = transit.matrix(seen, seen)
    for i in range(len(seen)):
        for j in range(len(seen)):
            expected = 1.0
            if {int(seen.cameras[i]), int(seen.cameras[j])} == {0, 1}:
                first, then = (
                    (i, j) if seen.starts_s[j] - seen.ends_s[i] > seen.starts_s[i] - seen.ends_s[j] else (j, i)
                )
                gap_s = seen.starts_s[then] - seen.ends_s[first]
                expected = naive_regularisation(gap_s, 8.0, 5.6, as_printed=as_printed)
            assert found[i, j] == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_the_joint_distance_divides_and_knows_no_zero():
    assert joint_distance(np.array([0.5, 0.2, 0.0]), np.array([1.0, 0.1, 0.0])).tolist() == [0.5, 2.0, np.inf]
    with pytest.raises(ValueError, match="do not fit"):
        joint_distance(np.zeros(2), np.zeros(3))


def test_a_spread_of_nought_is_refused():
    with pytest.raises(ValueError, match="sigma_s must be above 0"):
        gaussian_regularisation(np.zeros(1), 1.0, 0.0)


def test_transition_sets_equal_a_plain_loop():
    seen, rng = site(1, 40), np.random.default_rng(2)
    pairs = MatchedPairs(rng.integers(0, 40, 60), rng.integers(0, 40, 60), np.ones(60))
    sets = TransitionSets.of_pairs(seen, pairs)
    for a in range(3):
        for b in range(3):
            recorded = [
                seen.starts_s[i] - seen.starts_s[j]
                for i, j in zip(pairs.rows_a, pairs.rows_b, strict=True)
                if a != b and (seen.cameras[i], seen.cameras[j]) == (a, b)
            ]
            gaps = rng.uniform(-100, 100, 25)
            expected = [any(abs(gap - one) <= 2.0 for one in recorded) for gap in gaps]
            assert sets.holds(a, b, gaps, delta_s=2.0).tolist() == expected


def test_unknown_times_are_in_no_set_and_a_negative_width_is_refused():
    sets = TransitionSets({(0, 1): np.array([1.0])})
    assert sets.holds(0, 1, np.array([np.nan, 1.0]), delta_s=1.0).tolist() == [False, True]
    with pytest.raises(ValueError, match="delta_s"):
        sets.holds(0, 1, np.zeros(1), delta_s=-1.0)
