from __future__ import annotations

import numpy as np
import pytest

from reid_core.spatio_temporal.clocks import ClockOffsets, ClockShift, estimate_offsets


def test_two_cameras_differ_by_their_shift():
    found = estimate_offsets(["a", "b"], [ClockShift("a", "b", 3.5, 0.5)])
    assert found.offsets_s["a"] == 0.0
    assert found.offsets_s["b"] == pytest.approx(3.5)
    assert found.errors_s["b"] == pytest.approx(0.5)


def test_a_camera_that_no_shift_touches_is_unidentified():
    found = estimate_offsets(
        ["a", "b", "c", "d", "e"], [ClockShift("a", "b", 1.0, 0.5), ClockShift("c", "d", 2.0, 0.5)]
    )
    assert found.offsets_s["e"] is None
    assert found.components["a"] == found.components["b"] != found.components["c"] == found.components["d"]
    assert found.offsets_s["c"] == 0.0
    assert found.uncertainty_s(["e"]).tolist() == [np.inf]
    assert found.seconds(["e", "b", "nowhere"]).tolist() == [0.0, pytest.approx(1.0), 0.0]


def test_one_wrong_shift_in_a_cycle_is_flagged_and_moves_nobody_far():
    true = {"a": 0.0, "b": 5.0, "c": -3.0, "d": 8.0}
    joined = [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d"), ("a", "c"), ("b", "d")]
    shifts = [ClockShift(a, b, true[b] - true[a], 0.3) for a, b in joined]
    shifts[2] = ClockShift("c", "d", 40.0, 0.3)
    found = estimate_offsets(list(true), shifts)
    assert [shift.closes for shift in found.shifts] == [True, True, False, True, True, True]
    assert abs(found.shifts[2].residual_s) > 25
    for camera, seconds in true.items():
        assert found.offsets_s[camera] == pytest.approx(seconds, abs=1.0)


def test_shifts_turned_round_give_the_same_offsets():
    shifts = [ClockShift("a", "b", 2.0, 0.5), ClockShift("b", "c", -1.0, 0.5), ClockShift("a", "c", 1.4, 0.5)]
    turned = [ClockShift(one.camera_b, one.camera_a, -one.shift_s, one.error_s) for one in shifts]
    there, back = estimate_offsets(["a", "b", "c"], shifts), estimate_offsets(["a", "b", "c"], turned)
    assert there.seconds(["a", "b", "c"]) == pytest.approx(back.seconds(["a", "b", "c"]))


def test_nothing_is_known_without_shifts():
    found = ClockOffsets.unidentified(["a", "b"])
    assert set(found.offsets_s.values()) == {None}
    assert len(set(found.components.values())) == 2


def test_offsets_survive_json():
    found = estimate_offsets(["a", "b", "c"], [ClockShift("a", "b", 2.25, 0.5)])
    assert ClockOffsets.from_json(found.to_json()).to_json() == found.to_json()


def test_unknown_cameras_and_errors_of_nought_are_refused():
    with pytest.raises(ValueError, match="unknown camera"):
        estimate_offsets(["a"], [ClockShift("a", "b", 1.0, 0.5)])
    with pytest.raises(ValueError, match="above 0"):
        estimate_offsets(["a", "b"], [ClockShift("a", "b", 1.0, 0.0)])
