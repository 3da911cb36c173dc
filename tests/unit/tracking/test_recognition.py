"""Looks in contested pairs, relinking, and what teaches a track's looks."""

from __future__ import annotations

import numpy as np
import pytest

from reid_core.tracking.looks import FrameLooks
from reid_core.tracking.recognition import Recognition

RED, GREEN = np.array([1.0, 0.0], np.float32), np.array([0.0, 1.0], np.float32)


def recognition(**changes: float) -> Recognition:
    options = {"weight": 1.0, "usual": 0.5, "doubtful": 0.5, "relink_likeness": 0.8, "relink_reach": 1.0}
    options |= {"relink_growth": 0.1, "relink_resize": 0.3, "hidden": 0.1, "refresh_every": 4, "inertia": 0.5}
    return Recognition(**(options | changes))


def looks_of(*descriptors: np.ndarray, boxes: np.ndarray | None = None) -> tuple[FrameLooks, list[int]]:
    """A frame whose n-th detection looks like the n-th descriptor, and the list of those that were asked for."""
    asked: list[int] = []
    if boxes is None:
        boxes = np.array([[10 * n, 0, 10 * n + 8, 8] for n in range(len(descriptors))], np.float32)
    image = np.zeros((8, 100, 3), np.uint8)
    for n in range(len(descriptors)):
        image[:, 10 * n : 10 * n + 8] = n

    def describe(crop: np.ndarray) -> np.ndarray:
        asked.append(int(crop[0, 0, 0]))
        return descriptors[asked[-1]]

    return FrameLooks(image, boxes, describe=describe), asked


def knowing(*descriptors: np.ndarray | None, **changes: float) -> Recognition:
    made = recognition(**changes)
    made.memory.add(len(descriptors))
    for row, descriptor in enumerate(descriptors):
        if descriptor is not None:
            made.memory.learn(row, descriptor)
    return made


def test_clear_pairs_are_not_looked_at():
    looks, asked = looks_of(RED, GREEN)
    cost = np.array([[0.1, np.inf], [np.inf, 0.1]])
    judged = knowing(GREEN, RED).judge(cost, np.arange(2), np.arange(2), limit=0.8, looks=looks)
    assert judged is cost
    assert asked == []


def test_a_contested_pair_costs_less_for_the_one_who_looks_the_same():
    """Likeness 1 against a usual 0.5 takes 0.5 away, likeness 0 adds 0.5."""
    looks, asked = looks_of(RED)
    cost = np.array([[0.4], [0.3]])
    judged = knowing(RED, GREEN).judge(cost, np.arange(2), np.arange(1), limit=0.8, looks=looks)
    np.testing.assert_allclose(judged, [[-0.1], [0.8]], atol=1e-6)
    np.testing.assert_allclose(cost, [[0.4], [0.3]])
    assert asked == [0]


def test_looks_make_no_impossible_pair_possible():
    looks, _ = looks_of(RED)
    cost = np.array([[np.inf], [0.6]])
    judged = knowing(RED, RED).judge(cost, np.arange(2), np.arange(1), limit=0.8, looks=looks)
    assert np.isinf(judged[0, 0])


def test_a_track_never_seen_closely_is_judged_by_motion():
    looks, _ = looks_of(RED)
    judged = knowing(None).judge(np.array([[0.6]]), np.arange(1), np.arange(1), limit=0.8, looks=looks)
    np.testing.assert_allclose(judged, [[0.6]])


@pytest.mark.parametrize(
    ("away", "absent", "paired"), [(0.9, 0, True), (1.5, 0, False), (1.5, 6, True)], ids=["near", "far", "long ago"]
)
def test_relinking_reaches_further_with_absence(away: float, absent: int, *, paired: bool):
    looks, _ = looks_of(RED)
    expected, detected = np.array([[0.0, 0.0, 30.0, 90.0]]), np.array([[90.0 * away, 0.0, 30.0, 90.0]])
    found = knowing(RED).relink(expected, np.arange(1), np.array([absent]), detected, np.arange(1), looks=looks)
    assert bool(len(found.rows)) is paired


def test_relinking_needs_the_same_looks_and_size():
    expected, absent = np.array([[0.0, 0.0, 30.0, 90.0]]), np.array([5])
    for descriptor, height in ((GREEN, 90.0), (RED, 50.0)):
        looks, _ = looks_of(descriptor)
        detected = np.array([[0.0, 0.0, 30.0, height]])
        found = knowing(RED).relink(expected, np.arange(1), absent, detected, np.arange(1), looks=looks)
        assert len(found.rows) == 0


def test_only_whole_and_sure_sights_teach():
    boxes = np.array([[0, 0, 8, 8], [10, 0, 18, 8], [12, 0, 20, 8]], np.float32)
    looks, asked = looks_of(RED, RED, RED, boxes=boxes)
    made = knowing(None, None, None)
    made.learn(np.arange(3), np.arange(3), np.ones(3, np.int64), boxes_px=boxes, sure=np.array([0, 1, 2]), looks=looks)
    assert [made.memory.knows(row) for row in range(3)] == [True, False, False]
    assert asked == [0]


def test_a_known_track_is_refreshed_only_when_due():
    boxes = np.array([[0, 0, 8, 8], [10, 0, 18, 8]], np.float32)
    looks, asked = looks_of(RED, RED, boxes=boxes)
    made = knowing(GREEN, GREEN)
    made.learn(np.arange(2), np.arange(2), np.array([7, 8]), boxes_px=boxes, sure=np.arange(2), looks=looks)
    assert asked == [1]
