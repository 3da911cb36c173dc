"""Rows as real learning cycles, on a network and a site of toy size."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from reid_core.evaluation.ablation.learning import CycleLearner
from reid_core.evaluation.ablation.rows import ablation_rows, cross_key, planned_iterations
from reid_core.evaluation.ablation.running import KnownSite, run_rows
from reid_core.learning.recipes import Recipe, recipe_named
from reid_core.learning.tracklet_set import TrackletSet
from reid_core.models.network_recipe import NetworkRecipe
from reid_core.spatio_temporal.sightings import Sightings

if TYPE_CHECKING:
    from pathlib import Path

PEOPLE = np.tile(np.arange(1, 7), 2)


def tiny() -> Recipe:
    recipe = recipe_named("tastr-cpu")
    network = NetworkRecipe(
        "mobilenetv2_035", None, height_px=32, width_px=16, stripes=0, global_dim=8, normalised=False, light=0.0
    )
    return replace(
        recipe,
        network=network,
        sampling=replace(recipe.sampling, tracklets=4, crops=2),
        optimisation=replace(recipe.optimisation, within_iterations=3, cross_iterations=2, checkpoint_every=2),
        pairing=replace(recipe.pairing, rounds=2, crops=3),
    )


def site(folder: Path) -> KnownSite:
    """Six people of one plain colour each, once in either of two cameras, far apart in time."""
    random = np.random.default_rng(0)
    colours = random.integers(30, 220, (6, 3))
    shown = np.repeat(colours[PEOPLE - 1], 4, axis=0)[:, None, None, :] + random.integers(-20, 20, (48, 32, 16, 3))
    starts = 20.0 * np.arange(12)
    seen = Sightings(("cam1", "cam2"), np.repeat([0, 1], 6), starts, starts + 4)
    tracklets = TrackletSet(np.arange(12) + 1, seen, 4 * np.arange(13), shown.astype(np.uint8))
    tracklets.save(folder)
    return KnownSite(TrackletSet.load(folder), PEOPLE)


@pytest.mark.slow
def test_rows_share_what_they_have_in_common_and_leave_only_their_figures(tmp_path: Path):
    wanted = ("s1", cross_key(has_time=False, has_kmeans=False, is_progressive=True), "supervised", "source-only")
    rows = [row for row in ablation_rows(tiny(), has_source=True) if row.key in wanted]
    done: dict[str, int] = {}
    learner = CycleLearner(
        seed=0, weights=None, threads=1, shared=tmp_path / "shared", clock_s=itertools.count(0.0, 0.5).__next__
    )
    results = run_rows(
        rows,
        site=site(tmp_path / "site"),
        source=site(tmp_path / "source"),
        folder=tmp_path / "rows",
        seed=0,
        learn=learner,
        report=lambda row, count: done.update({row.key: count}),
        keep=lambda _: None,
    )
    assert set(results) == set(wanted)
    assert done == {row.key: planned_iterations(row) for row in rows}
    assert {key: len(one.rounds) for key, one in results.items()} == {
        "source-only": 1,
        "supervised": 2,
        "s1": 1,
        "nn-progressive": 3,
    }
    assert results["supervised"].rounds[1].precision == results["supervised"].rounds[1].recall == 1.0
    assert results["s1"].map == results["nn-progressive"].rounds[0].map
    assert all(one.seconds == 0.5 for one in results.values())
    assert sorted(path.name for path in (tmp_path / "rows").iterdir()) == sorted(f"{key}.json" for key in wanted)
    assert len(list((tmp_path / "shared").iterdir())) == 3  # without labels, with all of here, with all of the source
