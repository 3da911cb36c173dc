"""Verdicts on the order of merit, and the page, from rows with known figures."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from reid_core.evaluation.ablation.page import ablation_page
from reid_core.evaluation.ablation.results import Ablation, RoundResult, RowResult
from reid_core.evaluation.ablation.rows import FULL, Row, ablation_rows
from reid_core.evaluation.ablation.verdicts import Verdict, order_agreement, tell_differences, verdicts
from reid_core.evaluation.report_page import render_page
from reid_core.learning.recipes import recipe_named

ROWS = ablation_rows(recipe_named("tastr-cpu"))


def result_of(row: Row, mean_ap: float) -> RowResult:
    rounds = tuple(
        RoundResult(at, 0.5 + at / 20, 0.4 + at / 20, *((None,) * 4 if at == 0 else (100 + at, 0.9, 0.5, 0.6)))
        for at in range(row.recipe.pairing.rounds + 1)
    )
    return RowResult(row.key, mean_ap, 0.7, 0.8, 0.9, mean_ap, rounds, {"cam1": 0.5, "cam2": None}, 100, 1.5)


def ablation(**changed: float) -> Ablation:
    """Rows with the paper's own figures, some of them changed."""
    found = {}
    for row in ROWS:
        mean_ap = changed.get(row.key.replace("-", "_"), row.published.map if row.published else 0.7)
        found[row.key] = result_of(row, mean_ap)
    return Ablation("Ablation", [("recipe", "tastr-cpu")], ROWS, found)


def test_the_papers_own_figures_agree_with_the_paper():
    same = ablation()
    assert all(one.agrees for one in verdicts(same))
    assert order_agreement(same) == pytest.approx(27 / 28)  # the paper has two rows of equal mAP
    assert "Best without labels: NN-CCTA + STR + k-means + progressive, as in the paper." in tell_differences(same)


def test_kmeans_alone_is_always_told():
    assert (
        "k-means alone, on NN-CCTA with one association hurts in the paper (-11.6 points of mAP) and here (-11.6)."
        in tell_differences(ablation())
    )


def test_a_turned_order_is_told_with_both_figures():
    told = tell_differences(ablation(nn_kmeans=0.70))  # turns STR and progression on top of it round, too
    assert (
        "k-means alone, on NN-CCTA with one association hurts in the paper (-11.6 points of mAP) and helps here (+4.7)."
        in told
    )
    assert told[0] == "13 of 16 single changes go the paper's way."


def test_another_best_row_is_told():
    assert (
        "Best without labels: NN-CCTA + STR, where the paper has NN-CCTA + STR + k-means + progressive."
        in tell_differences(ablation(nn_str=0.95))
    )


def test_less_than_a_point_is_no_change():
    assert Verdict("it", 0.004, -0.009).agrees
    assert not Verdict("it", 0.004, -0.011).agrees


def test_the_order_of_merit_turned_round_is_minus_one():
    turned = ablation()
    upside_down = {key: replace(one, map=1 - one.map) for key, one in turned.results.items()}
    assert order_agreement(replace(turned, results=upside_down)) == pytest.approx(-27 / 28)


def test_missing_rows_are_left_out_and_not_guessed():
    whole = ablation()
    half = replace(whole, results={key: whole.results[key] for key in ("s1", "nn")})
    assert [one.change for one in verdicts(half)] == ["Association across cameras (NN-CCTA, once)"]
    assert tell_differences(half)[-1] == "1 of the 8 rows across cameras have figures, so none is called the best."
    page = render_page(ablation_page(half))
    assert "Table V" not in page
    assert "Fig. 9" not in page


def test_no_rows_at_all_still_make_a_page():
    empty = replace(ablation(), results={})
    assert tell_differences(empty) == ["Too few rows have figures to compare their order with the paper's."]
    assert order_agreement(empty) is None
    assert "Too few rows" in render_page(ablation_page(empty))


class _Balanced(HTMLParser):
    """Raises where a tag closes what it did not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag not in {"meta", "link", "br", "img"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_holds_every_table_and_figure_and_is_well_formed():
    page = render_page(ablation_page(replace(ablation(), caution="a tenth of the iterations")))
    parser = _Balanced()
    parser.feed(page)
    assert parser.open == []
    for part in ("Table IV · 1", "Table IV · 2", "Table IV · 3", "Table V", "Fig. 6", "Fig. 7", "Fig. 8", "Fig. 9"):
        assert part in page
    assert "a tenth of the iterations" in page
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_results_survive_json():
    one = result_of(next(row for row in ROWS if row.key == FULL), 0.7)
    assert RowResult.from_dict(json.loads(json.dumps(one.as_dict()))) == one


def test_a_stored_result_of_another_form_is_refused():
    with pytest.raises(TypeError):
        RowResult.from_dict({"key": "nn", "rounds": []})
