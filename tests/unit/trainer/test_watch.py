from __future__ import annotations

import pytest

from services.trainer.watch import StepWatch


class Clock:
    def __init__(self) -> None:
        self.now_s = 50.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def watched(clock):
    told = []

    def mirror(progress):
        told.append(progress)
        return True

    watch = StepWatch(
        "train-1",
        ["within", "train-1"],
        here={"within": 10.0},
        before={},
        spent_before_s=4.0,
        mirror=mirror,
        now_s=clock,
    )
    return watch, told


def test_progress_is_mirrored_at_once_and_then_once_a_second(watched, clock):
    watch, told = watched
    for _ in range(10):
        assert watch.is_wanted()
        clock.now_s += 0.25
    assert len(told) == 3


def test_what_the_step_told_last_is_what_is_shown(watched, clock):
    watch, _ = watched
    watch.hear({"done": 10, "total": 40, "metrics": {"loss": 0.5}})
    clock.now_s += 6.0
    watch.hear({"done": 20, "total": 40, "metrics": {"loss": 0.25}})
    assert watch.progress() == {
        "step_no": 2,
        "steps": ["within", "train-1"],
        "done": 20,
        "total": 40,
        "share": pytest.approx(20 / 32),
        "eta_s": 12.0,
        "step_seconds": 10.0,
        "metrics": {"loss": 0.25},
    }


def test_a_step_that_is_not_wanted_any_more_hears_so():
    watch = StepWatch("a", ["a"], here={}, before={}, spent_before_s=0.0, mirror=lambda _progress: False)
    assert not watch.is_wanted()


def test_the_farthest_place_is_kept_when_a_step_starts_again(watched):
    watch, _ = watched
    watch.hear({"done": 30, "total": 40, "metrics": {}})
    watch.hear({"done": 5, "total": 40, "metrics": {}})
    assert watch.farthest == 30
