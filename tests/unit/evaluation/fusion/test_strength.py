from __future__ import annotations

import pytest
from fusion_lists import images, walkers

from reid_core.errors import DatasetError, FusionHarnessError
from reid_core.evaluation.fusion.appearance import Appearance
from reid_core.evaluation.fusion.lists import TimedLists
from reid_core.evaluation.fusion.strength import MAP_TOLERANCE, solve_strength, visual_map

LISTS = walkers(60)


@pytest.mark.parametrize("wanted", [0.604, 0.754, 0.826])
def test_looks_reach_the_wanted_map(wanted: float):
    appearance = Appearance(LISTS, seed=1)
    strength = solve_strength(LISTS, appearance, wanted_map=wanted)
    assert visual_map(LISTS, appearance, strength) == pytest.approx(wanted, abs=MAP_TOLERANCE)


@pytest.mark.parametrize("wanted", [0.99, 0.2])
def test_strengths_beyond_the_usual_ones_are_tried(wanted: float):
    appearance = Appearance(LISTS, seed=1)
    strength = solve_strength(LISTS, appearance, wanted_map=wanted)
    assert visual_map(LISTS, appearance, strength) == pytest.approx(wanted, abs=0.01)


def test_the_same_seed_gives_the_same_strength():
    strengths = {solve_strength(LISTS, Appearance(LISTS, seed=2), wanted_map=0.7) for _ in range(2)}
    assert len(strengths) == 1


def test_each_tried_strength_is_told():
    steps: list[None] = []
    solve_strength(LISTS, Appearance(LISTS, seed=1), wanted_map=0.7, on_step=lambda: steps.append(None))
    assert 3 <= len(steps) <= 40


@pytest.mark.parametrize("wanted", [0.0, 1.0, -0.1, 75.4, float("nan"), float("inf")])
def test_a_map_outside_of_0_and_1_is_refused(wanted: float):
    with pytest.raises(FusionHarnessError, match=f"between 0 and 1, got {wanted}"):
        solve_strength(LISTS, Appearance(LISTS, seed=1), wanted_map=wanted)


def test_a_map_that_no_confusion_gives_is_refused_with_the_worst_possible():
    with pytest.raises(FusionHarnessError, match=r"0\.0001 is below what these lists can give, 0\.\d{4}"):
        solve_strength(LISTS, Appearance(LISTS, seed=1), wanted_map=0.0001)


def test_a_map_that_the_least_confusion_does_not_give_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("reid_core.evaluation.fusion.strength.visual_map", lambda *_: 0.5)
    with pytest.raises(FusionHarnessError, match=r"0\.7 is above what these lists can give, 0\.5000"):
        solve_strength(LISTS, Appearance(LISTS, seed=1), wanted_map=0.7)


def test_lists_in_which_nobody_is_seen_twice_are_refused():
    lists = TimedLists(images((1, 1, 0)), images((1, 1, 0)), images((2, 2, 0)))
    with pytest.raises(DatasetError, match="true match"):
        solve_strength(lists, Appearance(lists, seed=1), wanted_map=0.7)
