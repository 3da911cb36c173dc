from __future__ import annotations

import numpy as np

from reid_core.association.known_links import close_links
from reid_core.learning.relations import PairWeights, Relations

_CAMERAS = np.array([0, 0, 0, 1, 1])
_STARTS = np.array([0.0, 12.0, 100.0, 30.0, 31.0])
_ENDS = _STARTS + 10


def _relations(**changes):
    how = {
        "positives": PairWeights.none(),
        "doubtful": PairWeights.none(),
        "apart_s": 5.0,
        "one_camera": False,
        **changes,
    }
    return Relations(_CAMERAS, _STARTS, _ENDS, **how)


def test_a_tracklet_is_its_own_positive():
    positives, ignored = _relations().of(np.array([2, 4]))
    assert positives.tolist() == [[0, 0, 1, 0, 0], [0, 0, 0, 0, 1]]
    assert not ignored.any()


def test_a_possible_continuation_is_ignored_and_whoever_is_seen_together_is_not():
    _, ignored = _relations().of(np.arange(5))
    assert ignored[0].tolist() == [False, True, False, False, False]  # starts 2 s after it ended
    assert not ignored[3].any()  # 4 was there at the same time, so it is somebody else


def test_before_any_association_other_cameras_say_nothing():
    _, ignored = _relations(one_camera=True).of(np.array([2]))
    assert ignored[0].tolist() == [False, False, False, True, True]


def test_positives_and_doubts_hold_both_ways_and_positives_win():
    pairs = PairWeights(np.array([3, 0]), np.array([0, 3]), np.array([0.4, 0.8]))
    doubts = PairWeights(np.array([0, 4]), np.array([3, 2]), np.ones(2))
    relations = _relations(positives=pairs, doubtful=doubts)
    positives, ignored = relations.of(np.array([0, 3, 4]))
    assert positives[0, 3] == positives[1, 0] == np.float32(0.8)
    assert not ignored[0, 3]
    assert ignored[2, 2]
    assert [part.tolist() for part in relations.partners(3)] == [[0], [0.8]]
    assert [part.tolist() for part in relations.partners(1)] == [[], []]


def test_unknown_times_of_one_camera_are_doubtful():
    unknown = np.full(5, np.nan)
    relations = Relations(
        _CAMERAS,
        unknown,
        unknown,
        positives=PairWeights.none(),
        doubtful=PairWeights.none(),
        apart_s=5.0,
        one_camera=False,
    )
    _, ignored = relations.of(np.array([0]))
    assert ignored[0].tolist() == [False, True, True, False, False]


def test_what_people_said_stands_above_doubts():
    known = close_links(5, np.array([[0, 3]]), np.array([[0, 1], [2, 4]]))
    doubts = PairWeights(np.array([2]), np.array([4]), np.ones(1))
    positives, ignored = _relations(known=known, doubtful=doubts, one_camera=True).of(np.array([0, 2]))
    assert positives[0].tolist() == [1, 0, 0, 1, 0]
    assert ignored[0].tolist() == [False, False, False, False, True]  # 1 is somebody else, although it may continue
    assert ignored[1].tolist() == [False, False, False, True, False]
