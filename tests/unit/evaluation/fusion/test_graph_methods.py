from __future__ import annotations

import numpy as np
import pytest
from fusion_lists import walkers
from gfusion_reference import GFusion

from reid_core.evaluation.fusion.appearance import Appearance
from reid_core.evaluation.fusion.case import FusionCase, score, visual_rows
from reid_core.evaluation.fusion.graph_methods import gfusion_paper_rows, gfusion_rows, k_reciprocal_rows
from reid_core.evaluation.fusion.lists import TimedImages, TimedLists


@pytest.fixture(scope="module")
def case() -> FusionCase:
    lists = walkers(40)
    return FusionCase(lists, Appearance(lists, seed=2).features(0.3))


def test_the_papers_graph_is_the_references(case: FusionCase):
    count = len(case.lists.query)
    expected = GFusion(case.lists, case.features).rows(None)(0, count)
    np.testing.assert_allclose(gfusion_rows(case)(0, count), expected, atol=1e-5)


def test_with_its_projection_the_papers_form_scores_as_the_reference_over_seeds(case: FusionCase):
    reference = GFusion(case.lists, case.features)
    maps = [score(case.lists, reference.rows(seed)).map_rectangle for seed in range(3)]
    ours = score(case.lists, gfusion_paper_rows(case)).map_rectangle
    assert ours == pytest.approx(np.mean(maps), abs=0.01)
    assert ours > score(case.lists, visual_rows(case)).map_rectangle


def test_k_reciprocal_is_the_same_at_other_times(case: FusionCase):
    parts = (case.lists.train, case.lists.query, case.lists.gallery)
    later = TimedLists(*(TimedImages(part.person_ids, part.camera_ids, part.frames[::-1].copy()) for part in parts))
    rows = k_reciprocal_rows(case)(0, 5)
    assert rows.shape == (5, len(case.lists.gallery))
    np.testing.assert_array_equal(rows, k_reciprocal_rows(FusionCase(later, case.features))(0, 5))
