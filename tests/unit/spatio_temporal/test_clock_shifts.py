from __future__ import annotations

import numpy as np
import pytest

from reid_core.spatio_temporal.clocks import estimate_offsets
from reid_core.spatio_temporal.shifts import ShiftProfile, clock_shifts

GRID = np.arange(-30.0, 31.0)


def profile(*peaks):
    heights = sum(height * np.exp(-0.5 * ((GRID - at) / 2.0) ** 2) for at, height in peaks)
    return ShiftProfile(GRID, np.asarray(heights, np.float64))


def test_a_clear_peak_is_a_shift_with_its_error():
    found = clock_shifts({(0, 1): profile((7.0, 40.0))}, ["a", "b"], largest_s=30.0)
    assert found[0].shift_s == pytest.approx(7.0, abs=0.3)
    assert 0.1 < found[0].error_s < 1.0


def test_neighbours_decide_between_two_peaks_of_a_pair():
    profiles = {(0, 1): profile((5.0, 30.0)), (1, 2): profile((3.0, 30.0)), (0, 2): profile((-20.0, 22.0), (8.0, 20.0))}
    shifts = clock_shifts(profiles, ["a", "b", "c"], largest_s=30.0)
    offsets = estimate_offsets(["a", "b", "c"], shifts).offsets_s
    assert offsets["b"] == pytest.approx(5.0, abs=0.5)
    assert offsets["c"] == pytest.approx(8.0, abs=0.5)


def test_a_flat_profile_and_one_that_rises_to_its_end_tell_nothing():
    flat = ShiftProfile(GRID, np.full(len(GRID), 3.0))
    rising = ShiftProfile(GRID, GRID + 30.0)
    assert not clock_shifts({(0, 1): flat}, ["a", "b"], largest_s=30.0)
    assert not clock_shifts({(0, 1): rising}, ["a", "b"], largest_s=30.0)
    assert not clock_shifts({}, ["a", "b"], largest_s=30.0)
