from __future__ import annotations

import pytest

from reid_core.spatio_temporal.clocks import ClockOffsets
from services.cli.demo_scores import clock_offset_error_s


def offsets(found: dict[str, float | None], components: dict[str, int]) -> ClockOffsets:
    errors = {camera: 0.3 for camera, offset in found.items() if offset is not None}
    return ClockOffsets(found, errors, components)


def test_clocks_are_compared_with_the_first_camera_of_their_component():
    found = offsets({"a": 0.0, "b": 3.5, "c": -1.0}, {"a": 0, "b": 0, "c": 0})
    # true: b is 3 s ahead of a, c 2 s behind it; found 3.5 and 1 s behind
    assert clock_offset_error_s(found, {"a": 5.0, "b": 8.0, "c": 3.0}) == (pytest.approx(1.0), 0)


def test_a_common_shift_of_all_clocks_changes_nothing():
    found = offsets({"a": 0.0, "b": 3.5}, {"a": 0, "b": 0})
    near = clock_offset_error_s(found, {"a": 1.0, "b": 4.0})
    assert near == clock_offset_error_s(found, {"a": 101.0, "b": 104.0})


def test_unidentified_and_lone_clocks_are_counted_and_not_judged():
    found = offsets({"a": 0.0, "b": None, "c": 0.0}, {"a": 0, "b": 0, "c": 1})
    assert clock_offset_error_s(found, {"a": 0.0, "b": 9.0, "c": 9.0}) == (0.0, 2)
    assert clock_offset_error_s(offsets({"a": 0.0}, {"a": 0}), {"a": 4.0}) == (None, 1)
