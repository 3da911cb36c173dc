from __future__ import annotations

import pytest

from services.trainer.eta import StepRate, expected_seconds, job_progress


def test_a_steady_step_takes_as_long_again_for_what_is_left():
    rate = StepRate()
    assert rate.left_s(100.0, 0, 40) is None, "one look tells no speed"
    assert rate.left_s(110.0, 10, 40) == pytest.approx(30.0)
    assert rate.left_s(140.0, 40, 40) == 0.0


def test_what_was_done_before_an_interruption_does_not_count_as_speed():
    rate = StepRate()
    rate.left_s(100.0, 30, 40)
    assert rate.left_s(102.0, 31, 40) == pytest.approx(18.0)


def test_a_step_that_starts_anew_is_timed_anew():
    rate = StepRate()
    rate.left_s(100.0, 30, 40)
    assert rate.left_s(110.0, 5, 40) is None
    assert rate.left_s(115.0, 10, 40) == pytest.approx(30.0)


@pytest.mark.parametrize(
    ("step", "seconds"),
    [
        ("train-3", 28.0),  # this job's last of the kind
        ("associate-1", 4.0),  # the job before
        ("associate-2", 5.0),  # the job before, its mean of the kind
        ("register", None),
    ],
)
def test_a_step_takes_as_long_as_the_last_one_of_its_kind(step, seconds):
    here = {"train-1": 30.0, "train-2": 28.0}
    before = {"train-3": 99.0, "associate-1": 4.0, "associate-9": 6.0}
    assert expected_seconds(step, here, before) == seconds


def progress(**given):
    usual = {"here": {"a": 10.0}, "before": {"b": 20.0, "c": 30.0}, "spent_s": 5.0, "left_s": None, "share": 0.25}
    return job_progress(["a", "b", "c"], "b", **(usual | given))


def test_share_and_seconds_are_weighed_by_what_steps_took_before():
    assert progress() == (pytest.approx(15 / 60), pytest.approx(45.0))


def test_a_step_that_says_how_far_it_is_is_believed():
    assert progress(left_s=10.0) == (pytest.approx(15 / 55), pytest.approx(40.0))


def test_a_step_that_takes_longer_than_before_is_about_to_end():
    assert progress(spent_s=50.0) == (pytest.approx(60 / 90), pytest.approx(30.0))


def test_nothing_is_said_of_seconds_before_every_step_was_seen_once():
    assert progress(before={"b": 20.0}) == (pytest.approx((1 + 0.25) / 3), None)


def test_the_last_step_ends_the_job():
    assert job_progress(["a"], "a", here={}, before={}, spent_s=3.0, left_s=0.0, share=1.0) == (1.0, 0.0)
