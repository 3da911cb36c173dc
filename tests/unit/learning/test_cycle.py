from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from killed_cycles import run_killed
from learning_sets import make_set

from reid_core.errors import CheckpointError, RecipeError, TooLittleToLearnError, TrackletSetError
from reid_core.learning.cycle import cycle_steps, run_step
from reid_core.learning.recipes import (
    RECIPES,
    AssociationForm,
    LossForm,
    Optimisation,
    Pairing,
    Recipe,
    Sampling,
    recipe_named,
)
from reid_core.models.network_recipe import NetworkRecipe

_NETWORK = NetworkRecipe("mobilenetv2_035", None, 64, 32, whitened=True, global_dim=16, stripes=2, stripe_dim=8)


def _recipe(**changes) -> Recipe:
    recipe = Recipe(
        name="tiny",
        network=_NETWORK,
        loss=LossForm.PROXIES,
        sampling=Sampling(tracklets=4, crops=2),
        optimisation=Optimisation(within_iterations=4, cross_iterations=3, checkpoint_every=2, warm_up=1),
        pairing=Pairing(rounds=1, min_weight=0.0, crops=3, smoothing=5.0, first_colours=0.4),
    )
    return replace(recipe, **changes)


def _run(folder, recipe, steps=None, **how):
    how = {"recipe": recipe, "seed": 5, "weights": None, "threads": 1, **how}
    return {step: run_step(step, folder, **how).metrics for step in steps or cycle_steps(recipe)}


@pytest.fixture(scope="module")
def finished(site):
    return site, _run(site, _recipe())


def test_steps_stand_in_the_order_of_the_paper():
    assert cycle_steps(_recipe(pairing=Pairing(rounds=2))) == (
        "within",
        "associate-1",
        "train-1",
        "associate-2",
        "train-2",
        "finish",
    )


def test_a_cycle_leaves_a_whole_model(finished):
    folder, _ = finished
    vectors = np.load(folder / "finish" / "vectors.npy")
    assert vectors.shape == (20, _NETWORK.dim)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert Recipe.from_json((folder / "finish" / "recipe.json").read_text()) == _recipe()
    assert json.loads((folder / "finish" / "transit.json").read_text())
    assert (folder / "finish" / "model.safetensors").is_file()
    pairs = np.load(folder / "associate-1" / "pairs.npz")
    assert {"rows_a", "rows_b", "weights"} <= set(pairs.files)


def test_a_finished_step_answers_at_once_with_what_it_said(finished):
    folder, said = finished
    (folder / "within" / "checkpoint.safetensors").unlink(missing_ok=True)  # it would have to begin anew
    assert _run(folder, _recipe()) == said


def test_equal_seeds_give_equal_figures_and_others_do_not(finished, folder):
    _, said = finished
    again = _run(folder, _recipe())
    assert again == said
    assert np.array_equal(np.load(folder / "finish" / "vectors.npy"), np.load(finished[0] / "finish" / "vectors.npy"))


def test_another_seed_gives_other_figures(finished, folder):
    assert _run(folder, _recipe(), ["within"], seed=6)["within"] != finished[1]["within"]


def test_progress_is_told_up_to_the_end(folder):
    told = []
    _run(folder, _recipe(), ["within"], report=told.append)
    assert [(one.step, one.done, one.total) for one in told] == [("within", n, 4) for n in (1, 2, 3, 4)]
    assert all(np.isfinite(one.metrics["loss"]) for one in told)


@pytest.mark.parametrize("form", [AssociationForm.PAPER, AssociationForm.VISUAL])
def test_the_papers_form_runs_by_the_same_steps(folder, form):
    recipe = _recipe(
        network=replace(_NETWORK, stripes=0, normalised=False, whitened=False, light=0.0),
        loss=LossForm.BATCH_HARD,
        pairing=Pairing(form=form, rounds=1, kmeans=1, crops=3),
    )
    said = _run(folder, recipe)
    assert said["associate-1"]["pairs"] >= 2
    vectors = np.load(folder / "finish" / "vectors.npy")
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_steps_that_cannot_run_say_why(folder, tmp_path):
    with pytest.raises(RecipeError, match="no step 'train-2'"):
        _run(folder, _recipe(), ["train-2"])
    with pytest.raises(CheckpointError, match="within is not finished"):
        _run(folder, _recipe(), ["associate-1"])
    with pytest.raises(TrackletSetError):
        _run(tmp_path / "nowhere", _recipe(), ["within"])
    with pytest.raises(RecipeError, match="unknown"):
        recipe_named("no such recipe")


def test_a_site_with_too_little_to_learn_from_is_refused(tmp_path):
    make_set(people=1, cameras=2)[0].save(tmp_path / "tracklets")
    with pytest.raises(TooLittleToLearnError):
        _run(tmp_path, _recipe(), ["within"])


def test_one_camera_alone_goes_on_safely(tmp_path):
    make_set(people=8, cameras=1, crops=4)[0].save(tmp_path / "tracklets")
    said = _run(tmp_path, _recipe())
    assert said["associate-1"]["pairs"] == 0
    assert not (tmp_path / "finish" / "calibration.json").exists()


def test_a_camera_with_a_single_tracklet_goes_on_safely(tmp_path):
    made, _ = make_set(people=8, cameras=2, crops=4)
    rows = np.arange(9)
    alone = replace(
        made,
        tracklet_nos=made.tracklet_nos[rows],
        sightings=made.sightings.take(rows),
        first_crop=made.first_crop[:10],
        images=made.images[: made.first_crop[9]],
    )
    alone.save(tmp_path / "tracklets")
    assert _run(tmp_path, _recipe())["finish"]["tracklets"] == 9


def test_tracklets_that_all_overlap_go_on_safely(tmp_path):
    make_set(people=8, crops=4, spacing_s=0.0, transit_s=-4.0)[0].save(tmp_path / "tracklets")
    assert _run(tmp_path, _recipe())["finish"]["tracklets"] == 16


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_every_recipe_survives_its_written_form(name):
    assert Recipe.from_json(RECIPES[name].to_json()) == RECIPES[name]
    assert RECIPES[name].name == name


def test_what_is_no_recipe_is_refused():
    with pytest.raises(RecipeError):
        Recipe.from_json("{}")
    with pytest.raises(RecipeError):
        Recipe.from_json(_recipe().to_json().replace('"crops_at_most"', '"other"'))


def test_what_people_said_is_paired_and_kept_apart(tmp_path):
    made, people = make_set(people=8, crops=4)
    said = replace(
        made,
        must_link=np.array([[0, 8]]),
        cannot_link=np.array([[1, 9]]),
        in_camera_ids=np.where(made.cameras == 0, people, -1),
    )
    said.save(tmp_path / "tracklets")
    _run(tmp_path, _recipe(), ["within", "associate-1", "train-1"])
    stored = np.load(tmp_path / "associate-1" / "pairs.npz")
    found = dict(
        zip(zip(stored["rows_a"].tolist(), stored["rows_b"].tolist(), strict=True), stored["weights"], strict=True)
    )
    assert found[0, 8] == 1
    assert (1, 9) not in found


def test_recipes_sets_and_the_list_of_steps_need_no_torch():
    code = (
        "import sys; from reid_core.learning import cycle, recipes, tracklet_set; "
        "cycle.cycle_steps(recipes.recipe_named('site-cpu')); assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
def test_a_cycle_killed_at_any_time_ends_with_the_same_figures(finished, folder):
    _, said = finished
    assert run_killed(folder, _recipe(), lives_s=(2.0, 9.0))
    assert _run(folder, _recipe()) == said
    assert not list(Path(folder).rglob("*.partial")) or all(one.stat().st_size for one in folder.rglob("*.partial"))
