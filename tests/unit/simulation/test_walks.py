from __future__ import annotations

import numpy as np
import pytest

from reid_core.simulation.walks import Stay, walk_points


def make_stay():
    # 4 m east in 4 s, a pause of 2 s, 2 m north in 2 s
    times_s = np.array([10.0, 14.0, 16.0, 18.0])
    points_m = np.array([[0.0, 5.0], [4.0, 5.0], [4.0, 5.0], [4.0, 7.0]])
    return Stay(person=0, camera=0, times_s=times_s, points_m=points_m, carries=False)


def test_walker_is_where_the_clock_says():
    state = make_stay().state(12.0)
    assert state.position_m == (2.0, 5.0)
    assert state.heading_rad == pytest.approx(0.0)
    assert state.walked_m == pytest.approx(2.0)
    assert state.stride == pytest.approx(1.0 / 1.3)


def test_pausing_walker_stands_and_keeps_looking_ahead():
    state = make_stay().state(15.0)
    assert state.position_m == (4.0, 5.0)
    assert state.stride == 0.0
    assert state.heading_rad == pytest.approx(0.0)


def test_turn_is_gradual():
    headings = [make_stay().state(time_s).heading_rad for time_s in (15.0, 15.8, 16.2, 17.0)]
    assert headings[0] < headings[1] < headings[2] < headings[3] == pytest.approx(np.pi / 2)


def test_path_keeps_right_of_its_corners():
    times_s, points_m = walk_points(
        np.array([[0.0, 0.0], [0.0, 10.0]]), aside_m=0.5, speed_mps=2.0, pauses_s=np.zeros(2)
    )
    np.testing.assert_allclose(points_m, [[0.5, 0.0], [0.5, 10.0]])
    np.testing.assert_allclose(times_s, [0.0, 5.0])


def test_pause_takes_its_time_and_no_way():
    times_s, points_m = walk_points(
        np.array([[0.0, 0.0], [0.0, 2.0], [0.0, 4.0]]), aside_m=0.0, speed_mps=1.0, pauses_s=np.array([0.0, 3.0, 0.0])
    )
    np.testing.assert_allclose(times_s, [0.0, 2.0, 5.0, 7.0])
    np.testing.assert_allclose(points_m[1], points_m[2])
