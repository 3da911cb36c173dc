"""The gate rests on still scenes, noise or not, and opens for people, light and the passing of time."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reid_core.vision.motion import MotionGate, MotionGateSettings
from reid_core.vision.video import open_source

PATIENT = MotionGateSettings(refresh_frames=1000)


def scene(seed: int = 5, *, width: int = 384, height: int = 288) -> np.ndarray:
    rough = np.random.default_rng(seed).integers(40, 200, (height // 16, width // 16, 3), np.uint8)
    return cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)


def noisy(picture: np.ndarray, sigma: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def with_person(picture: np.ndarray, left: int, top: int = 120, *, width: int = 14, height: int = 40) -> np.ndarray:
    out = picture.copy()
    out[top : top + height, left : left + width] = (30, 25, 35)
    return out


def test_unchanged_picture_is_still_after_the_first():
    gate = MotionGate(PATIENT)
    assert [gate.is_still(scene()) for _ in range(5)] == [False, True, True, True, True]


@pytest.mark.parametrize("sigma", [0.0, 3.0, 8.0])
def test_noise_alone_is_still(sigma):
    gate = MotionGate(PATIENT)
    answers = [gate.is_still(noisy(scene(), sigma, seed)) for seed in range(15)]
    assert answers == [False] + [True] * 14


@pytest.mark.parametrize("crf", ["20", "33"])
def test_compressed_recording_of_a_still_scene_is_still(make_video, crf):
    path = make_video([noisy(scene(), 4.0, seed) for seed in range(24)], options={"crf": crf, "g": "8"})
    gate = MotionGate(PATIENT)
    answers = [gate.is_still(frame.image, frame.index) for frame in open_source(path).frames()]
    assert sum(answers[4:]) >= 19  # a coder that starts poor sharpens over the first pictures


@pytest.mark.parametrize("sigma", [0.0, 4.0])
def test_person_who_comes_moves_or_goes_is_seen(sigma):
    gate = MotionGate(PATIENT)
    empty = scene()
    pictures = [empty, with_person(empty, 200), with_person(empty, 206), empty]
    assert [gate.is_still(noisy(picture, sigma, seed)) for seed, picture in enumerate(pictures)] == [False] * 4


def test_slow_motion_adds_up_until_it_is_seen():
    gate = MotionGate(PATIENT)
    answers = [gate.is_still(with_person(scene(), 200 + step // 4)) for step in range(40)]
    assert 3 <= answers.count(False) <= 12


def test_crowd_that_moves_everywhere_is_seen():
    gate = MotionGate(PATIENT)
    assert [gate.is_still(scene(seed)) for seed in range(3)] == [False, False, False]


def test_change_of_the_light_is_seen_and_a_flicker_is_not():
    gate = MotionGate(PATIENT)
    assert [gate.is_still(scene() + np.uint8(level)) for level in (0, 1, 0, 12, 12)] == [
        False,
        True,
        True,
        False,
        True,
    ]


def test_picture_is_looked_at_again_when_the_refresh_is_due():
    gate = MotionGate(MotionGateSettings(refresh_frames=10))
    looked = [index for index in range(31) if not gate.is_still(scene(), index)]
    assert looked == [0, 10, 20, 30]


def test_reset_and_another_size_and_an_earlier_frame_are_looked_at():
    gate = MotionGate(PATIENT)
    gate.is_still(scene(), 0)
    gate.reset()
    assert not gate.is_still(scene(), 1)
    assert not gate.is_still(scene(width=320), 2)
    assert gate.is_still(scene(width=320), 3)
    assert not gate.is_still(scene(width=320), 1)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=12))
def test_answers_are_the_same_in_each_run_and_when_brightness_is_mirrored(places):
    pictures = [with_person(scene(), place) for place in places]
    runs = [[MotionGate.is_still(gate, picture) for picture in pictures] for gate in (MotionGate(), MotionGate())]
    mirrored = MotionGate()
    assert runs[0] == runs[1] == [mirrored.is_still(255 - picture) for picture in pictures]


@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 500, 3), (3000, 2, 3)])
def test_strange_shapes_are_taken(shape):
    gate = MotionGate(PATIENT)
    assert [gate.is_still(np.zeros(shape, np.uint8)) for _ in range(2)] == [False, True]


@pytest.mark.parametrize(
    "wrong", [{"refresh_frames": 0}, {"blocks_longest": 2}, {"min_level": 20.0}, {"min_level": 0.0}]
)
def test_settings_under_which_the_gate_is_stuck_are_refused(wrong):
    with pytest.raises(ValueError, match="got"):
        MotionGateSettings(**wrong)
