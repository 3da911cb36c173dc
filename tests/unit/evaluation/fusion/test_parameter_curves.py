from __future__ import annotations

import numpy as np
import pytest
from fusion_lists import LINK_FRAMES, walkers

from reid_core.evaluation.fusion.fusion_page import fusion_page
from reid_core.evaluation.fusion.methods import chosen_methods
from reid_core.evaluation.fusion.parameter_curves import ParameterCurves, parameter_curves
from reid_core.evaluation.fusion.report import FusionReport, report_fusion
from reid_core.evaluation.report_page import render_page

WALKS_S = {("1", "2"): LINK_FRAMES[1] / 25, ("1", "3"): LINK_FRAMES[2] / 25}


@pytest.fixture(scope="module")
def report() -> FusionReport:
    return report_fusion(walkers(30), chosen_methods(["gfusion_paper"]), wanted_map=0.7, seed=1)


@pytest.fixture(scope="module")
def curves(report: FusionReport) -> ParameterCurves:
    return parameter_curves(report.case, visual=(1, 3), timed=(3, 60))


def test_the_papers_values_score_as_the_papers_form(report: FusionReport, curves: ParameterCurves):
    assert [point.value for point in (*curves.visual, *curves.timed)] == [1, 3, 3, 60]
    assert curves.visual[1].mean_precision == curves.timed[1].mean_precision
    assert curves.visual[1].mean_precision == pytest.approx(report.figures()["gfusion_paper"]["map"], abs=0.02)


def test_a_graph_without_visual_neighbours_joins_nobody(curves: ParameterCurves):
    """With k_s = 1 each node knows itself alone: no gaps are recorded and no edges joined."""
    alone, joined = curves.visual
    assert (alone.precision, alone.recall) == (0, 0)
    assert joined.precision > 0.5
    assert joined.recall > 0.1


def test_more_neighbours_join_more_pairs(curves: ParameterCurves):
    few, many = curves.timed
    assert many.recall > few.recall


def test_gaps_are_told_from_the_first_camera_to_the_second(curves: ParameterCurves):
    for ways, walk_s in WALKS_S.items():
        assert len(curves.true_s[ways]) == 2 * 30 * 9  # three images at either camera, either way round
        assert np.median(curves.true_s[ways]) == pytest.approx(walk_s, abs=2)
        assert np.median(curves.recorded_s[ways]) == pytest.approx(walk_s, abs=5)


def test_the_page_holds_methods_and_all_three_figures(report: FusionReport, curves: ParameterCurves):
    page = render_page(fusion_page(report, curves))
    assert page.count("<svg") == 4 + 3
    assert all(figure in page for figure in ("Figure 3, k_s", "Figure 3, k_l", "Figure 4, k_s", "Figure 5, gaps"))
    assert "gfusion_paper" in page
