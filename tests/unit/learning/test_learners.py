"""Whole cycles of the learners beside TASTR's, in small."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace

import numpy as np
import pytest
from killed_cycles import run_killed
from learning_sets import make_set

from reid_core.errors import RecipeError, TooLittleToLearnError
from reid_core.learning.cycle import cycle_steps, run_step
from reid_core.learning.learner_parts import (
    AssociationForm,
    Clustering,
    Distillation,
    LossForm,
    MeanTeacher,
    Rivals,
    TimeRule,
)
from reid_core.learning.recipes import RECIPES, Optimisation, Pairing, Recipe, Sampling
from reid_core.models.network_recipe import NetworkRecipe

_NETWORK = NetworkRecipe("mobilenetv2_035", None, 64, 32, whitened=True, global_dim=16, stripes=2, stripe_dim=8)
_SITE = Recipe(
    name="tiny",
    network=_NETWORK,
    loss=LossForm.PROXIES,
    sampling=Sampling(tracklets=4, crops=2),
    optimisation=Optimisation(within_iterations=3, cross_iterations=3, checkpoint_every=2, warm_up=1),
    pairing=Pairing(rounds=1, min_weight=0.0, crops=3, smoothing=5.0),
)
_GRAPH = Distillation(iterations=3, wide=8, delta_s=2.0)
_CONTRAST = replace(
    _SITE,
    loss=LossForm.CONTRAST,
    pairing=replace(_SITE.pairing, form=AssociationForm.CLUSTERS),
    clustering=Clustering(k1=4, k2=2, eps=0.6, fewest=2, centred=True),
)
LEARNERS = {
    "graph alone": replace(
        _SITE,
        pairing=replace(_SITE.pairing, form=AssociationForm.VISUAL),
        distillation=replace(_GRAPH, rounds=2),
    ),
    "graph of learned transit, over all": replace(
        _SITE, distillation=replace(_GRAPH, rounds=1, time=TimeRule.TRANSIT, rivals=Rivals.CAMERA, centred=True)
    ),
    "contrast": _CONTRAST,
    "mean teacher": replace(_CONTRAST, teacher=MeanTeacher(instance=1.0)),
    "contrast and graph": replace(_CONTRAST, distillation=replace(_GRAPH, weight=1.0, projection=8)),
}

_QUICK = [
    "contrast and graph",
    *(pytest.param(name, marks=pytest.mark.slow) for name in LEARNERS if name != "contrast and graph"),
]


def _run(folder, recipe, steps=None):
    steps = steps or cycle_steps(recipe)
    return {step: run_step(step, folder, recipe=recipe, seed=5, weights=None, threads=1).metrics for step in steps}


def test_rounds_of_the_graph_stand_between_the_learners_and_the_result():
    assert cycle_steps(LEARNERS["graph alone"]) == (
        "within",
        "associate-1",
        "train-1",
        "graph-1",
        "distil-1",
        "graph-2",
        "distil-2",
        "finish",
    )
    assert cycle_steps(LEARNERS["contrast and graph"]) == ("within", "associate-1", "train-1", "finish")


@pytest.mark.parametrize("name", _QUICK)
def test_every_learner_ends_with_a_whole_model(folder, name):
    recipe = LEARNERS[name]
    said = _run(folder, recipe)
    vectors = np.load(folder / "finish" / "vectors.npy")
    assert vectors.shape == (20, recipe.network.dim)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert Recipe.from_json((folder / "finish" / "recipe.json").read_text()) == recipe
    assert all(np.isfinite(value) for metrics in said.values() for value in metrics.values())
    assert said == _run(folder, recipe), "finished steps answer with what they said"


class _StoppedError(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("name", ["contrast and graph", "graph alone"])
def test_a_cycle_that_is_broken_off_in_every_stage_ends_with_the_same_bits(folder, tmp_path_factory, site, name):
    recipe = LEARNERS[name]
    straight = tmp_path_factory.mktemp("straight")
    (straight / "tracklets").symlink_to(site / "tracklets")
    expected = _run(straight, recipe)
    for step in cycle_steps(recipe):
        with contextlib.suppress(_StoppedError):
            run_step(step, folder, recipe=recipe, seed=5, weights=None, threads=1, report=_stop_at_the_last)
        _run(folder, recipe, [step])
    assert _run(folder, recipe) == expected
    vectors = [np.load(one / "finish" / "vectors.npy") for one in (folder, straight)]
    assert np.array_equal(*vectors)


def _stop_at_the_last(progress):
    if progress.done == progress.total:
        raise _StoppedError


@pytest.mark.slow
def test_one_cluster_of_all_is_too_little(tmp_path):
    made, _ = make_set(people=2, cameras=2, crops=4)
    made.save(tmp_path / "tracklets")
    recipe = replace(_CONTRAST, clustering=Clustering(k1=3, k2=1, eps=0.99, fewest=1))
    with pytest.raises(TooLittleToLearnError, match="one cluster"):
        _run(tmp_path, recipe)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(LEARNERS))
def test_a_camera_with_a_single_tracklet_and_unknown_times_go_on_safely(tmp_path, name):
    made, _ = make_set(people=8, cameras=2, crops=4)
    rows = np.arange(9)
    seen = made.sightings.take(rows)
    never = replace(seen, starts_s=np.full(9, np.nan), ends_s=np.full(9, np.nan))
    alone = replace(
        made,
        tracklet_nos=made.tracklet_nos[rows],
        sightings=never,
        first_crop=made.first_crop[:10],
        images=made.images[: made.first_crop[9]],
    )
    alone.save(tmp_path / "tracklets")
    assert _run(tmp_path, LEARNERS[name])["finish"]["tracklets"] == 9


@pytest.mark.parametrize("name", sorted(set(RECIPES)))
def test_recipes_survive_their_written_form(name):
    assert Recipe.from_json(RECIPES[name].to_json()) == RECIPES[name]


def test_a_recipe_that_was_stored_before_there_were_other_learners_reads_and_writes_as_ever():
    plain = json.loads(_SITE.to_json())
    assert not {"clustering", "distillation", "teacher"} & set(plain)
    assert Recipe.from_json(json.dumps(plain)) == _SITE
    younger = json.loads(LEARNERS["graph alone"].to_json())
    del younger["distillation"]["centred"]
    assert Recipe.from_json(json.dumps(younger)) == LEARNERS["graph alone"]
    younger["distillation"]["rivals"] = "nobody"
    with pytest.raises(RecipeError, match="nobody"):
        Recipe.from_json(json.dumps(younger))


def test_clusters_as_classes_need_clusters():
    with pytest.raises(RecipeError, match="contrasts clusters, but pairs by the form fused"):
        replace(_SITE, loss=LossForm.CONTRAST)
    assert replace(_CONTRAST, loss=LossForm.PROXIES).loss is LossForm.PROXIES


@pytest.mark.slow
@pytest.mark.parametrize("name", ["graph alone", "contrast and graph"])
def test_a_cycle_killed_at_any_time_ends_with_the_same_figures(folder, tmp_path_factory, site, name):
    recipe = LEARNERS[name]
    straight = tmp_path_factory.mktemp("straight")
    (straight / "tracklets").symlink_to(site / "tracklets")
    expected = _run(straight, recipe)
    assert run_killed(folder, recipe, lives_s=(3.0, 9.0))
    assert _run(folder, recipe) == expected
