from __future__ import annotations

import numpy as np
import pytest
from fusion_lists import images, walkers

from reid_core.evaluation.fusion.appearance import Appearance, SimulatedFeatures
from reid_core.evaluation.fusion.case import FusionCase, score, visual_rows
from reid_core.evaluation.fusion.lists import TimedLists
from reid_core.evaluation.fusion.transit import nearest_elsewhere, transit_evidence, transit_rows

FLAT = np.ones(3, np.int64)


def test_evidence_of_one_gap_is_what_the_hand_computes():
    evidence = transit_evidence(np.array([2, 2, 2, 2]), FLAT, FLAT)
    anybody = np.array([1, 2, 3, 2, 1]) / 9  # pairs of three bins with three bins
    walked = (np.array([0, 1, 2, 1, 0]) + 20 * anybody) / 24
    assert np.allclose(evidence, np.log(0.5 * walked / anybody + 0.5), atol=1e-3)
    assert evidence.argmax() == 2


def test_time_never_vetoes():
    counted = transit_evidence(np.full(100_000, 0), FLAT, FLAT)
    assert counted.min() >= np.log(0.5)


def test_without_pairs_time_says_nothing():
    assert np.allclose(transit_evidence(np.array([], np.int64), FLAT, FLAT), 0)


def test_neighbours_are_sought_at_other_cameras_only():
    vectors = np.array([[1, 0], [1, 0], [0.8, 0.6], [0, 1]], np.float32)
    seen = images((1, 1, 0), (1, 1, 9), (1, 2, 0), (2, 2, 0))
    assert nearest_elsewhere(vectors, seen).tolist() == [2, 2, 0, 0]
    alone = images((1, 1, 0), (1, 1, 9), (1, 1, 0), (2, 1, 0))
    assert nearest_elsewhere(vectors, alone).tolist() == [-1] * 4


def case_of(lists: TimedLists, strength: float = 0.4) -> FusionCase:
    return FusionCase(lists, Appearance(lists, seed=1).features(strength))


def test_time_helps_where_everybody_walks_alike():
    lists = walkers(60)
    case = case_of(lists)
    assert score(lists, transit_rows(case)).map_rectangle > score(lists, visual_rows(case)).map_rectangle + 0.03


def test_rows_in_parts_are_the_rows_in_one():
    rows = transit_rows(case_of(walkers(10)))
    assert np.allclose(np.concatenate([rows(0, 7), rows(7, 30)]), rows(0, 30), atol=1e-6)


def test_a_later_start_of_all_clocks_changes_nothing():
    lists = walkers(10)
    late = TimedLists(
        *(type(p)(p.person_ids, p.camera_ids, p.frames + 250_000) for p in (lists.train, lists.query, lists.gallery))
    )
    looks = Appearance(lists, seed=1).features(0.4)
    assert np.array_equal(transit_rows(FusionCase(lists, looks))(0, 30), transit_rows(FusionCase(late, looks))(0, 30))


def test_a_camera_that_training_never_saw_is_judged_by_looks():
    lists = TimedLists(images((0, 1, 0), (0, 2, 500)), images((1, 3, 0)), images((1, 4, 100), (2, 1, 0)))
    unit = np.eye(3, dtype=np.float32)
    case = FusionCase(lists, SimulatedFeatures(unit[:2], unit[:1], unit[:2]))
    assert transit_rows(case)(0, 1)[0] == pytest.approx([0, 1])
