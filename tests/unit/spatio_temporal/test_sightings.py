from __future__ import annotations

import numpy as np
import pytest

from reid_core.spatio_temporal.sightings import MatchedPairs, Sightings, foot_points


def make(starts=(0.0, 5.0), ends=(2.0, 6.0), cameras=(0, 1)):
    return Sightings(("a", "b"), np.array(cameras, np.int64), np.array(starts), np.array(ends))


def test_rows_are_taken_with_their_places():
    places = np.array([[0.1, 0.2], [0.3, 0.4]])
    site = Sightings(("a", "b"), np.array([0, 1]), np.array([0.0, 5.0]), np.array([2.0, 6.0]), places, places + 0.5)
    taken = site.take(np.array([1]))
    assert taken.cameras.tolist() == [1]
    assert taken.starts_s.tolist() == [5.0]
    assert taken.exits.tolist() == [[0.8, 0.9]]


def test_an_unknown_clock_is_no_error_but_known_as_such():
    assert make(starts=(np.nan, 5.0), ends=(np.nan, 6.0)).clock_known().tolist() == [False, True]


def test_each_cameras_times_are_shifted_by_its_own_seconds():
    assert make().shifted(np.array([10.0, -1.0])).starts_s.tolist() == [10.0, 4.0]


def test_nobody_can_be_seen_nowhere():
    none = Sightings(("a",), np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
    assert len(none.take(np.zeros(0, np.int64))) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"starts": (0.0, 7.0)}, "sighting 1 ends at 6.0"),
        ({"cameras": (0, 2)}, "cameras must be from 0 to 1"),
        ({"starts": (0.0,)}, "starts_s must have shape"),
    ],
)
def test_sightings_that_cannot_be_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        make(**change)


def test_weights_beyond_one_and_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match=r"weights must be in \[0, 1\]"):
        MatchedPairs(np.array([0]), np.array([1]), np.array([1.5]))
    with pytest.raises(ValueError, match="lists of one length"):
        MatchedPairs(np.array([0]), np.array([1, 2]), np.array([0.5]))


def test_feet_are_at_the_middle_of_the_lower_edge():
    assert foot_points(np.array([[10.0, 20.0, 30.0, 80.0]]), np.array([200, 100])).tolist() == [[0.1, 0.8]]
