"""Times as the witness of what a calibration states."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from transits import a_calibration, a_transit_model

from reid_core.spatio_temporal.calibration_check import check_by_time, witnessed_share
from reid_core.spatio_temporal.sightings import Sightings

WALK_S, SPAN_S = 20.0, 3600.0
PEOPLE = 150


def a_site(*, seed=0, dim=24, noise=0.5):
    """Everybody passes two cameras, a walk apart; looks are of each person, with noise."""
    rng = np.random.default_rng(seed)
    first = rng.uniform(0, SPAN_S, PEOPLE)
    gaps = WALK_S * np.exp(0.3 * rng.normal(size=PEOPLE))
    starts = np.concatenate([first, first + 5 + gaps])
    looks = np.tile(rng.normal(size=(PEOPLE, dim)), (2, 1)) + noise * rng.normal(size=(2 * PEOPLE, dim))
    vectors = looks / np.linalg.norm(looks, axis=1, keepdims=True)
    cameras = np.repeat(np.arange(2), PEOPLE)
    return vectors, Sightings(("a", "b"), cameras, starts, starts + 5)


def test_the_share_of_walks_is_found_by_hand():
    assert witnessed_share(np.array([1e6, 1e6, 0.0, 0.0])) == pytest.approx(0.5, abs=1e-3)
    assert witnessed_share(np.zeros(5)) == pytest.approx(0.0, abs=1e-6)
    assert witnessed_share(np.full(5, 9.0)) == pytest.approx(1.0, abs=1e-6)
    # By hand: half the pairs at ratio 3, half at 0. The likelihood ln(1+2s) + ln(1-s) peaks where 2/(1+2s) = 1/(1-s).
    assert witnessed_share(np.array([3.0, 0.0])) == pytest.approx(0.25, abs=1e-3)


def test_times_that_tell_nothing_leave_the_share_where_it_began():
    assert witnessed_share(np.ones(10)) == pytest.approx(0.5)


def test_no_pair_has_no_share():
    with pytest.raises(ValueError, match="no pair"):
        witnessed_share(np.zeros(0))


def test_the_share_does_not_depend_on_the_order_of_pairs():
    ratios = np.random.default_rng(1).exponential(size=50)
    assert witnessed_share(ratios) == pytest.approx(witnessed_share(ratios[::-1]), abs=1e-9)


def test_a_calibration_that_overstates_is_found_out():
    vectors, sightings = a_site()
    transit = a_transit_model("a", "b", walk_s=WALK_S, span_s=SPAN_S)
    sober = a_calibration(matches=1.0, candidates=PEOPLE, span_s=SPAN_S, steepness=2.5)
    boastful = replace(sober, matches=60.0)
    errors = [check_by_time(one, transit, vectors, sightings, seed=0).error for one in (sober, boastful)]
    assert errors[0] < 0.12
    assert errors[1] > errors[0] + 0.1


def test_what_is_stated_lies_in_order_and_every_pair_is_counted():
    vectors, sightings = a_site()
    transit = a_transit_model("a", "b", walk_s=WALK_S, span_s=SPAN_S)
    check = check_by_time(a_calibration(candidates=PEOPLE, matches=1.0), transit, vectors, sightings, seed=0)
    assert check.pairs.sum() == 10 * 2 * PEOPLE
    assert (np.diff(check.stated) > 0).all()
    assert ((check.witnessed >= 0) & (check.witnessed <= 1)).all()


def test_only_the_queries_that_are_judged_count():
    vectors, sightings = a_site()
    transit = a_transit_model("a", "b", walk_s=WALK_S, span_s=SPAN_S)
    judged = np.zeros(2 * PEOPLE, np.bool_)
    calibration = a_calibration(candidates=PEOPLE, matches=1.0)
    assert check_by_time(calibration, transit, vectors, sightings, seed=0, judged=judged).error is None
    judged[:7] = True
    assert check_by_time(calibration, transit, vectors, sightings, seed=0, judged=judged).pairs.sum() == 70


def test_one_camera_has_nothing_to_be_wrong_about():
    vectors, sightings = a_site()
    alone = sightings.take(sightings.cameras == 0)
    with pytest.raises(ValueError, match="other cameras"):
        check_by_time(a_calibration(), a_transit_model("a", "b"), vectors[:PEOPLE], alone, seed=0)
