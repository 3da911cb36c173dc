"""Which pairs may be one person by looks and times, and which cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from reid_core.learning import candidates
from reid_core.learning.candidates import candidate_pairs
from reid_core.spatio_temporal.sightings import Sightings


class _FivePerCosine:
    """Log-odds of 5 for equal vectors, -5 for square ones."""

    def log_odds(self, distances, time_llr):
        return 5.0 - 10.0 * distances + time_llr


class _NoTimes:
    def llr_matrix(self, one, other):
        return np.zeros((len(one), len(other)))

    def corrected(self, seen):
        return seen


def found(cameras, starts_s, angles, *, floor=-3.0):
    starts = np.array(starts_s, np.float64)
    seen = Sightings(("a", "b", "c"), np.array(cameras), starts, starts + 10.0)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return candidate_pairs(vectors, seen, _FivePerCosine(), _NoTimes(), floor=floor)


def rows_of(pairs):
    return list(zip(pairs.rows_a.tolist(), pairs.rows_b.tolist(), strict=True))


def test_alike_ones_are_candidates_and_those_seen_at_once_are_apart():
    pairs = found([0, 1, 2, 0], [0.0, 50.0, 52.0, 90.0], [0.0, 0.1, 0.1, 0.0])
    assert rows_of(pairs) == [(0, 1), (0, 2), (0, 3), (1, 3), (2, 3)]
    assert pairs.apart.tolist() == [[1, 2]]
    assert pairs.log_odds[2] == pytest.approx(5.0)
    assert rows_of(found([0, 1, 2], [0.0, 50.0, 90.0], [0.0, 0.0, np.pi / 2])) == [(0, 1)]


def test_twice_at_once_in_one_camera_is_apart_and_unknown_times_forbid_nothing():
    assert found([0, 0], [0.0, 9.0], [0.0, 0.0]).apart.tolist() == [[0, 1]]
    assert rows_of(found([0, 0, 1], [np.nan, 9.0, np.nan], [0.0, 0.0, 0.0])) == [(0, 1), (0, 2), (1, 2)]


def test_of_one_camera_only_likely_ones_are_doubtful():
    angle = float(np.arccos(0.4))  # log-odds of -1
    pairs = found([0, 0, 1], [0.0, 50.0, 90.0], [0.0, angle, angle])
    doubtful = pairs.doubtful(np.array([0, 0, 1]))
    assert list(zip(doubtful.rows_a.tolist(), doubtful.rows_b.tolist(), strict=True)) == [(0, 2), (1, 2)]
    assert doubtful.weights == pytest.approx(1 / (1 + np.exp([1.0, -5.0])))


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(1)
    given = rng.integers(0, 3, 40), rng.uniform(0, 100, 40), rng.uniform(0, 3, 40)
    whole = found(*given)
    monkeypatch.setattr(candidates, "_BLOCK", 7)
    parts = found(*given)
    assert rows_of(parts) == rows_of(whole)
    assert parts.apart.tolist() == whole.apart.tolist()
    assert parts.log_odds == pytest.approx(whole.log_odds)


def test_of_nobody_there_are_no_pairs():
    assert len(found([], [], [])) == 0
