from __future__ import annotations

from itertools import count

import pytest

from services.ingest.stages import Stage, StageClock


def test_time_is_summed_by_stage() -> None:
    clock = StageClock(now_s=map(float, count()).__next__)
    for _ in range(3):
        with clock.measure(Stage.EMBED):
            pass
    assert clock.seconds().seconds["embed"] == 3.0
    assert clock.seconds().seconds["decode"] == 0.0


def test_stages_are_told_in_the_order_in_which_data_passes_them() -> None:
    assert list(StageClock().seconds().seconds) == [stage.value for stage in Stage]


def test_time_of_work_that_fails_counts_too() -> None:
    clock = StageClock(now_s=map(float, count()).__next__)
    with pytest.raises(ZeroDivisionError), clock.measure(Stage.STORE):
        _ = 1 / 0
    assert clock.seconds().seconds["store"] == 1.0
