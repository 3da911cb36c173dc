from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from reid_core.graph.neighbours import Neighbours, nearest_in
from reid_core.graph.transit_rules import learned_rule, recorded_transitions, transition_rule
from reid_core.spatio_temporal.sightings import Sightings


def seen(*places: tuple[int, float]) -> Sightings:
    times = np.array([time for _, time in places], float)
    return Sightings(("a", "b", "c", "d"), np.array([camera for camera, _ in places], np.int64), times, times)


def recorded(moments: Sightings, rows: list[list[int]]):
    return recorded_transitions(Neighbours(np.array(rows), np.ones((len(rows), len(rows[0])), np.float32)), moments)


def allows(sets, one: tuple[int, float], other: tuple[int, float]) -> bool:
    row = np.array([0])
    return bool(transition_rule(sets, seen(one), seen(other), delta_s=25)(row, row)[0])


@pytest.mark.parametrize(
    ("gap", "kept"), [(274, False), (275, True), (300, True), (325, True), (326, False), (-300, False), (9e6, False)]
)
def test_a_gap_fits_within_delta_of_a_recorded_one_in_its_direction(gap: float, *, kept: bool):
    sets = recorded(seen((1, 300), (2, 0)), [[0, 1], [1, 1]])
    assert allows(sets, (1, gap), (2, 0)) == kept
    assert not allows(sets, (2, gap), (1, 0))
    assert not allows(sets, (1, gap), (0, 0))


def test_one_camera_or_an_unknown_time_neither_records_nor_fits():
    assert recorded(seen((1, 0), (1, 50), (2, np.nan)), [[0, 1, 2], [1, 0, 2], [2, 0, 1]]).gaps_s == {}
    sets = recorded(seen((0, 0), (1, 0)), [[0, 1], [1, 0]])
    assert allows(sets, (0, 7), (1, 0))
    assert not allows(sets, (0, 7), (0, 7))
    assert not allows(sets, (0, np.nan), (1, 0))


@pytest.mark.parametrize("seed", range(3))
def test_the_rule_says_what_all_recorded_gaps_say(seed: int):
    rng = np.random.default_rng(seed)
    looks = rng.normal(size=(60, 4)).astype(np.float32)
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    there = seen(*zip(rng.integers(0, 4, 60).tolist(), rng.integers(0, 3000, 60).tolist(), strict=True))
    here = seen(*zip(rng.integers(0, 4, 40).tolist(), rng.integers(-500, 9000, 40).tolist(), strict=True))
    found = nearest_in(looks, 3)
    rule = transition_rule(recorded_transitions(found, there), here, there, delta_s=25)
    rows, columns = (axis.ravel() for axis in np.meshgrid(np.arange(40), np.arange(60), indexing="ij"))
    known: dict[tuple[int, int], list[float]] = {}
    for i, near in enumerate(found.rows):
        for j in near:
            if there.cameras[i] != there.cameras[j]:
                pair = (int(there.cameras[i]), int(there.cameras[j]))
                known.setdefault(pair, []).append(there.starts_s[i] - there.starts_s[j])
    expected = [
        any(
            abs(here.starts_s[i] - there.starts_s[j] - gap) <= 25
            for gap in known.get((int(here.cameras[i]), int(there.cameras[j])), [])
        )
        for i, j in zip(rows, columns, strict=True)
    ]
    assert rule(rows, columns).tolist() == expected
    assert 0 < sum(expected) < len(expected)


def test_nobody_records_nothing_and_no_pair_fits():
    sets = recorded_transitions(nearest_in(np.zeros((0, 2), np.float32), 3), seen())
    nobody = np.zeros(0, np.int64)
    assert transition_rule(sets, seen(), seen(), delta_s=1)(nobody, nobody).shape == (0,)


def test_neighbours_must_be_of_the_sightings():
    with pytest.raises(ValueError, match="1 nodes have neighbours, 2 were seen"):
        recorded(seen((0, 0), (1, 0)), [[0]])


def test_a_learned_rule_keeps_what_speaks_for_one_person():
    transit = SimpleNamespace(pair_llr=lambda one, other: np.where(one.cameras == other.cameras, 0.0, one.starts_s))
    rule = learned_rule(transit, seen((0, 2.0), (0, -1.0), (1, 5.0)), seen((1, 0.0), (2, 0.0)))
    rows, columns = np.array([0, 1, 2, 2]), np.array([0, 1, 0, 1])
    assert rule(rows, columns).tolist() == [True, False, False, True]
    strict = learned_rule(transit, seen((0, 2.0)), seen((1, 0.0)), least_nats=2.0)
    assert strict(np.array([0]), np.array([0])).tolist() == [False]
