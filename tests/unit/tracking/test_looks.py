"""Descriptors on demand, and what a track is remembered to look like."""

from __future__ import annotations

import numpy as np
import pytest

from reid_core.tracking.looks import FrameLooks, LooksMemory, covered_shares

RED, GREEN = np.array([1.0, 0.0], np.float32), np.array([0.0, 1.0], np.float32)


def test_a_detection_is_described_once_and_only_when_asked():
    asked = []

    def describe(crop):
        asked.append(crop.shape)
        return RED

    image = np.zeros((50, 50, 3), np.uint8)
    looks = FrameLooks(image, np.array([[0, 0, 10, 20], [5, 5, 9, 9]], np.float32), describe=describe)
    assert 0 not in looks
    looks.of(0)
    looks.of(0)
    assert asked == [(20, 10, 3)]
    assert 0 in looks
    assert 1 not in looks


def test_a_box_outside_of_the_picture_has_no_looks():
    looks = FrameLooks(np.zeros((50, 50, 3), np.uint8), np.array([[90, 90, 99, 99]], np.float32))
    assert looks.of(0) is None
    assert 0 not in looks


def test_a_grey_picture_is_refused():
    with pytest.raises(ValueError, match=r"\(H, W, 3\), got \(50, 50\)"):
        FrameLooks(np.zeros((50, 50), np.uint8), np.zeros((0, 4), np.float32))


def test_memory_moves_towards_what_is_seen_and_stays_of_length_one():
    memory = LooksMemory(inertia=0.5)
    memory.add(1)
    assert not memory.knows(0)
    memory.learn(0, RED)
    memory.learn(0, GREEN)
    np.testing.assert_allclose(memory.likeness(np.array([0]), RED), [np.sqrt(0.5)], rtol=1e-6)


def test_likeness_with_a_track_never_described_is_not_a_number():
    memory = LooksMemory(inertia=0.5)
    memory.add(2)
    memory.learn(1, RED)
    likeness = memory.likeness(np.array([0, 1]), RED)
    assert np.isnan(likeness[0])
    assert likeness[1] == 1


def test_a_forgotten_track_takes_its_looks_along():
    memory = LooksMemory(inertia=0.5)
    memory.add(2)
    memory.learn(0, RED)
    memory.learn(1, GREEN)
    memory.keep(np.array([False, True]))
    assert len(memory) == 1
    assert memory.likeness(np.array([0]), GREEN)[0] == 1


def test_covered_share_of_no_boxes_is_empty():
    assert covered_shares(np.zeros((0, 4))).shape == (0,)


def test_a_box_inside_another_is_wholly_covered():
    boxes = np.array([[0.0, 0.0, 10.0, 10.0], [2.0, 2.0, 4.0, 4.0]])
    np.testing.assert_allclose(covered_shares(boxes), [0.04, 1.0])
