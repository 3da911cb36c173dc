from __future__ import annotations

import numpy as np
import pytest
from fusion_lists import walkers

from reid_core.evaluation.fusion.appearance import Appearance
from reid_core.evaluation.fusion.case import FusionCase, score, visual_rows
from reid_core.evaluation.fusion.fused_method import gfusion_default_rows, learned_times
from reid_core.evaluation.fusion.graph_methods import gfusion_paper_rows
from reid_core.evaluation.fusion.lists import TimedImages, TimedLists
from reid_core.evaluation.fusion.trials import TRIALS, expanded


@pytest.fixture(scope="module")
def case() -> FusionCase:
    lists = walkers(40)
    return FusionCase(lists, Appearance(lists, seed=2).features(0.3))


def test_the_default_ranks_better_than_the_papers_form_and_looks(case: FusionCase):
    looks, paper, ours = (
        score(case.lists, rows(case)) for rows in (visual_rows, gfusion_paper_rows, gfusion_default_rows)
    )
    assert ours.map_rectangle > paper.map_rectangle + 0.05
    assert paper.map_rectangle > looks.map_rectangle + 0.1
    assert ours.rank(1) > paper.rank(1)


def test_nothing_is_learned_from_person_ids(case: FusionCase):
    parts = (case.lists.train, case.lists.query, case.lists.gallery)
    nobody = TimedLists(*(TimedImages(np.zeros_like(p.person_ids), p.camera_ids, p.frames) for p in parts))
    rows = gfusion_default_rows(FusionCase(nobody, case.features))
    np.testing.assert_array_equal(rows(0, 9), gfusion_default_rows(case)(0, 9))


def cut(part: TimedImages) -> TimedImages:
    """A clock of camera 3 that loses 100 s when its second recording begins."""
    late = part.frames > 50_000
    behind = np.where((part.camera_ids == 3) & late, 2500, 0)
    return TimedImages(part.person_ids, part.camera_ids, part.frames - behind, late.astype(np.int64) + 1)


def test_a_clock_that_jumps_between_recordings_is_set_right(case: FusionCase):
    parts = (case.lists.train, case.lists.query, case.lists.gallery)
    broken = FusionCase(TimedLists(*(cut(part) for part in parts)), case.features)
    gallery = broken.lists.gallery
    shifts_s = learned_times(broken).gallery.starts_s - gallery.frames / 25
    late = [shifts_s[(gallery.recordings == 2) & (gallery.camera_ids == camera)] for camera in (1, 2, 3)]
    assert [float(np.ptp(some)) for some in late] == pytest.approx([0, 0, 0], abs=1e-6)
    assert [late[2][0] - late[other][0] for other in (0, 1)] == pytest.approx([100, 100], abs=20)


@pytest.fixture(scope="module")
def plain(case: FusionCase) -> np.ndarray:
    return gfusion_default_rows(case)(0, 180)


@pytest.mark.parametrize("name", [name for name in TRIALS if name != "hard_constraints"])
def test_each_trial_has_another_answer_than_the_default(case: FusionCase, plain: np.ndarray, name: str):
    rows = TRIALS[name](case)(0, 40)
    assert rows.shape == (40, len(case.lists.gallery))
    assert np.isfinite(rows).all()
    assert np.allclose(rows, plain[:40], atol=1e-3) == (name == "clocks_as_counted")  # which were never cut here


def test_expansion_by_hand():
    gallery = np.array([[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]], np.float32)
    found = expanded(gallery[:1], gallery, neighbours=3, alpha=2.0)
    expected = np.array([1 + 1 + 0.36 * 0.6, 0.36 * 0.8])
    np.testing.assert_allclose(found[0], expected / np.linalg.norm(expected), atol=1e-6)


def test_constraints_push_down_who_cannot_be_the_query(case: FusionCase, plain: np.ndarray):
    constrained = TRIALS["hard_constraints"](case)(0, 180)
    pushed = constrained > plain + 1
    query, gallery = case.lists.query, case.lists.gallery
    rows, columns = np.nonzero(pushed)
    assert (query.camera_ids[rows] == gallery.camera_ids[columns]).all()
    assert (np.abs(query.frames[rows] - gallery.frames[columns]) <= 25).all()
    np.testing.assert_array_equal(constrained[~pushed], plain[~pushed])
