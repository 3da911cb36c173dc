"""Times come from stamps, rise always, and say how far they can be trusted."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reid_core.types import ClockQuality
from reid_core.vision.video_clock import FrameClock, source_start

MS = Fraction(1, 1000)


def test_first_stamp_is_the_start_and_gaps_are_kept():
    clock = FrameClock(50.0, fps=10.0)
    assert [clock.tick(pts, MS) for pts in (7000, 7100, 9100)] == pytest.approx([50.0, 50.1, 52.1])
    assert clock.replaced == 0


def test_missing_stamps_follow_from_the_rate_until_stamps_come():
    clock = FrameClock(0.0, fps=4.0)
    assert [clock.tick(pts, MS) for pts in (None, None, 8000, 8250)] == pytest.approx([0.0, 0.25, 0.5, 0.75])
    assert clock.replaced == 2


@given(st.lists(st.one_of(st.none(), st.integers(-(10**9), 10**9)), max_size=40))
def test_times_rise_whatever_the_stamps_are(stamps):
    clock = FrameClock(1000.0, fps=25.0)
    times = [clock.tick(pts, MS) for pts in stamps]
    assert all(later > earlier for earlier, later in pairwise(times))
    assert times[:1] in ([], [1000.0])


def test_stated_start_is_preferred_to_the_containers():
    metadata = {"creation_time": "2026-01-01T08:00:00Z"}
    assert source_start(12.5, metadata) == (12.5, ClockQuality.STATED)
    assert source_start(None, metadata) == (1767254400.0, ClockQuality.CONTAINER)


@pytest.mark.parametrize("said", [{}, {"creation_time": "yesterday"}, {"creation_time": "1970-01-01T00:00:00Z"}])
def test_no_usable_creation_time_is_an_unknown_clock(said):
    assert source_start(None, said) == (0.0, ClockQuality.UNKNOWN)


def test_creation_time_without_a_zone_is_read_as_utc():
    assert source_start(None, {"creation_time": "2026-01-01T08:00:00"})[0] == 1767254400.0
