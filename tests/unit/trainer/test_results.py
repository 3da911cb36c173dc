from __future__ import annotations

import os

import pytest

from services.trainer.results import StepResults


def test_a_kept_result_comes_back(tmp_path):
    results = StepResults(tmp_path / "job")
    assert results.of("train-1") is None
    assert results.seconds() == {}
    results.keep("train-1", {"metrics": {"loss": 0.5}}, seconds=12.5)
    assert results.of("train-1") == {"metrics": {"loss": 0.5}}


def test_seconds_come_in_the_order_in_which_steps_were_done(tmp_path):
    results = StepResults(tmp_path)
    for place, step in enumerate(("within", "associate-1", "train-1")):
        results.keep(step, {}, seconds=float(place))
        os.utime(tmp_path / "results" / f"{step}.json", ns=(place, place))
    assert list(results.seconds().items()) == [("within", 0.0), ("associate-1", 1.0), ("train-1", 2.0)]


def test_half_a_result_is_none(tmp_path):
    results = StepResults(tmp_path)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / ".train-1.json.partial").write_text('{"resul')
    assert results.of("train-1") is None
    assert results.seconds() == {}


def test_a_result_that_is_no_json_is_refused_and_leaves_nothing(tmp_path):
    results = StepResults(tmp_path)
    with pytest.raises(ValueError, match="JSON"):
        results.keep("train-1", {"loss": float("nan")}, seconds=1.0)
    assert results.of("train-1") is None
