"""The rows of TASTR's tables, each isolating what it is named for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reid_core.evaluation.ablation.rows import FULL, Group, Labels, ablation_rows, shortened, telling_first
from reid_core.learning.recipes import AssociationForm, recipe_named

RECIPE = recipe_named("tastr-cpu")
ROWS = {row.key: row for row in ablation_rows(RECIPE, has_source=True)}


def test_the_whole_grid_of_table_iv_is_there():
    cross = [row for row in ROWS.values() if row.group is Group.CROSS]
    switches = {(row.has_time, row.has_kmeans, row.is_progressive) for row in cross}
    assert len(cross) == len(switches) == 8
    assert [row.key for row in ROWS.values() if row.group is Group.SUPERVISED] == ["source-only", "supervised"]
    assert [row.key for row in ROWS.values() if row.group is Group.WITHIN] == ["s1-without-tsccc", "s1"]
    assert [row.key for row in ROWS.values() if row.group is Group.WEAK] == ["weak-s1", "weak"]


def test_keys_are_unique_and_can_name_a_folder():
    rows = ablation_rows(RECIPE, has_source=True)
    assert len({row.key for row in rows}) == len(rows)
    assert all(row.key.replace("-", "").isalnum() for row in rows)


def test_without_a_source_there_is_no_source_row():
    assert "source-only" not in {row.key for row in ablation_rows(RECIPE)}


def test_switches_reach_the_recipe():
    plain, full = ROWS["nn"].recipe, ROWS[FULL].recipe
    assert (plain.pairing.form, plain.pairing.kmeans, plain.pairing.rounds) == (AssociationForm.VISUAL, 1, 1)
    assert (full.pairing.form, full.pairing.kmeans, full.pairing.rounds) == (AssociationForm.PAPER, 3, 5)
    assert ROWS["s1"].recipe.sampling.one_camera
    assert not ROWS["s1-without-tsccc"].recipe.sampling.one_camera
    assert ROWS["supervised"].labels is Labels.ALL


def test_one_association_trains_as_long_as_all_rounds():
    totals = {
        row.recipe.optimisation.cross_iterations * row.recipe.pairing.rounds
        for row in ROWS.values()
        if row.group is not Group.WITHIN and row.key != "weak-s1"
    }
    assert totals == {RECIPE.optimisation.cross_iterations * RECIPE.pairing.rounds}


def test_the_robust_form_keeps_its_own_time_and_gets_three_clusters():
    rows = {row.key: row for row in ablation_rows(recipe_named("site-cpu"))}
    assert rows["nn-str"].recipe.pairing.form is AssociationForm.FUSED
    assert rows[FULL].recipe.pairing.kmeans == 3
    assert {row.recipe.pairing.kmeans for row in rows.values() if row.group is Group.CLUSTERS} == {2, 4, 5}


def test_a_recipe_without_time_gets_the_papers():
    blind = replace(RECIPE, pairing=replace(RECIPE.pairing, form=AssociationForm.VISUAL))
    rows = {row.key: row for row in ablation_rows(blind)}
    assert rows["nn-str"].recipe.pairing.form is AssociationForm.PAPER


def test_a_run_begins_with_what_tells_most_and_leaves_nothing_out():
    ordered = telling_first(list(ROWS.values()))
    assert [row.key for row in ordered[:4]] == ["s1", FULL, "nn", "nn-kmeans"]
    assert {row.key for row in ordered} == set(ROWS)


def test_a_shortened_recipe_differs_in_nothing_but_iterations():
    short = shortened(RECIPE, share=0.1)
    assert short.optimisation.within_iterations == max(10, round(0.1 * RECIPE.optimisation.within_iterations))
    assert replace(short, optimisation=RECIPE.optimisation) == RECIPE
    assert shortened(RECIPE, share=1e-6).optimisation.cross_iterations == 10


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5])
def test_no_share_of_the_iterations_is_refused(share: float):
    with pytest.raises(ValueError, match="share of the iterations"):
        shortened(RECIPE, share=share)
