from __future__ import annotations

import numpy as np
import pytest

from reid_core.spatio_temporal.constraints import impossible, overlap_s
from reid_core.spatio_temporal.sightings import Sightings


def at(camera, start_s, end_s):
    return Sightings(("a", "b"), np.array([camera]), np.array([start_s]), np.array([end_s]))


def test_nobody_is_in_two_cameras_at_once():
    assert impossible(at(0, 0.0, 10.0), at(1, 4.0, 12.0), clock_uncertainty_s=0.0).tolist() == [[True]]


def test_clocks_that_may_be_wrong_forbid_nothing_within_their_error():
    one, other = at(0, 0.0, 10.0), at(1, 8.0, 20.0)
    assert impossible(one, other, clock_uncertainty_s=0.9).all()
    assert not impossible(one, other, clock_uncertainty_s=1.0).any()
    assert not impossible(one, other, clock_uncertainty_s=np.array([0.0, np.inf])).any()
    assert not impossible(one, other, clock_uncertainty_s=np.array([0.0, np.nan])).any()


def test_overlapping_views_may_show_one_person_twice():
    one, other = at(0, 0.0, 10.0), at(1, 4.0, 12.0)
    assert not impossible(one, other, clock_uncertainty_s=0.0, overlapping_views=[("b", "a")]).any()


def test_two_boxes_apart_in_one_camera_are_two_people_and_boxes_on_each_other_are_not():
    one, other = at(0, 0.0, 10.0), at(0, 4.0, 12.0)
    assert impossible(one, other, clock_uncertainty_s=0.0, iou=np.array([[0.1]])).all()
    assert not impossible(one, other, clock_uncertainty_s=0.0, iou=np.array([[0.8]])).any()
    assert not impossible(one, other, clock_uncertainty_s=0.0, iou=np.array([[np.nan]])).any()
    assert not impossible(one, other, clock_uncertainty_s=0.0).any()


def test_it_does_not_matter_who_is_asked_first():
    one, other = at(0, 0.0, 10.0), at(1, 4.0, 12.0)
    there = impossible(one, other, clock_uncertainty_s=0.5)
    assert (impossible(other, one, clock_uncertainty_s=0.5) == there.T).all()
    assert overlap_s(one, other).tolist() == [[6.0]]


def test_unknown_clocks_and_nobody_forbid_nothing():
    assert not impossible(at(0, np.nan, np.nan), at(1, 0.0, 9.0), clock_uncertainty_s=0.0).any()
    nobody = at(0, 0.0, 1.0).take(np.zeros(0, np.int64))
    assert impossible(nobody, at(1, 0.0, 9.0), clock_uncertainty_s=0.0).shape == (0, 1)


def test_other_sites_and_negative_uncertainties_are_refused():
    with pytest.raises(ValueError, match="different sites"):
        impossible(at(0, 0.0, 1.0), Sightings(("x",), np.array([0]), np.zeros(1), np.ones(1)), clock_uncertainty_s=0.0)
    with pytest.raises(ValueError, match="at least 0"):
        impossible(at(0, 0.0, 1.0), at(1, 0.0, 1.0), clock_uncertainty_s=-1.0)
    with pytest.raises(ValueError, match="iou must have shape"):
        impossible(at(0, 0.0, 1.0), at(1, 0.0, 1.0), clock_uncertainty_s=0.0, iou=np.zeros((2, 2)))
