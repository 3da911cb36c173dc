from __future__ import annotations

import pytest

from reid_core.errors import FusionHarnessError
from reid_core.evaluation.fusion.case import visual_rows
from reid_core.evaluation.fusion.methods import METHODS, chosen_methods


@pytest.mark.parametrize("names", [None, [], tuple(METHODS)])
def test_no_names_choose_all(names: list[str] | None):
    assert chosen_methods(names) == dict(METHODS)


def test_visual_is_always_there_and_first():
    assert list(chosen_methods(["transit", "transit"])) == ["visual", "transit"]


def test_an_unknown_method_is_refused_with_those_known():
    with pytest.raises(FusionHarnessError, match="no method 'magic'; known are visual, transit"):
        chosen_methods(["magic"])


def test_a_method_that_is_added_can_be_chosen():
    known = {**METHODS, "new": visual_rows}
    assert list(chosen_methods(["new"], known=known)) == ["visual", "new"]


def test_ablation_adds_the_default_with_each_part_left_out():
    names = list(chosen_methods(["gfusion"], ablate=True))
    assert names[:2] == ["visual", "gfusion"]
    assert all(name.startswith("gfusion/") for name in names[2:])
    assert {"gfusion/no_pooling", "gfusion/clocks_as_counted", "gfusion/hard_constraints"} < set(names)
    assert list(chosen_methods(ablate=True))[: len(METHODS)] == list(METHODS)
