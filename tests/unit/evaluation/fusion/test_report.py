from __future__ import annotations

import pytest
from fusion_lists import walkers

from reid_core.evaluation.fusion.methods import METHODS
from reid_core.evaluation.fusion.report import anchors, report_fusion


def test_each_method_is_a_row_beside_anchors_and_settings():
    report = report_fusion(walkers(60), METHODS, wanted_map=0.754, seed=3)
    told = report.as_dict()
    assert list(told) == ["visual", "transit", "k_reciprocal", "gfusion_paper", "gfusion", "anchors", "settings"]
    assert report.figures()["visual"]["map"] == pytest.approx(0.754, abs=0.001)
    assert set(report.figures()["transit"]) == {"map", "map_trapezoid", "rank1", "rank5", "rank10"}
    settings = told["settings"]
    assert isinstance(settings, dict)
    assert {name: settings[name] for name in ("visual_map", "seed", "train", "query", "gallery")} == {
        "visual_map": 0.754,
        "seed": 3,
        "train": 540,
        "query": 180,
        "gallery": 380,
    }


def test_anchors_are_those_published():
    told = anchors()
    assert (told["g_fusion"]["visual"]["map"], told["g_fusion"]["fused"]["map"]) == (0.754, 0.859)
    assert (told["jvtc"]["visual"]["map"], told["jvtc"]["fused"]["map"]) == (0.6529, 0.6770)
