"""Recipes of learners beside TASTR's, each of them a change to one of TASTR's: the same network, the same budget."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reid_core.learning.learner_parts import Distillation, Rivals, TimeRule

if TYPE_CHECKING:
    from reid_core.learning.recipes import Recipe

__all__ = ["learner_recipes"]

_ALONE_ROUNDS = 2


def learner_recipes(site: Recipe, _tastr: Recipe, r50: Recipe) -> tuple[Recipe, ...]:
    """The recipes of docs/learners.md.

    Args:
        site: The default recipe of a processor.
        r50: The recipe of the paper's network.
    """
    return (_gfusion_cpu(site), _gfusion_r50(r50))


def _gfusion_cpu(site: Recipe) -> Recipe:
    """The last rounds of the default learn from the graph instead."""
    return replace(
        site,
        name="gfusion-cpu",
        pairing=replace(site.pairing, rounds=site.pairing.rounds - _ALONE_ROUNDS),
        distillation=Distillation(
            rounds=_ALONE_ROUNDS,
            iterations=site.optimisation.cross_iterations,
            time=TimeRule.TRANSIT,
            wide=30,
            alpha=0.3,
            keep=0.5,
            rivals=Rivals.CAMERA,
            centred=True,
        ),
    )


def _gfusion_r50(r50: Recipe) -> Recipe:
    """TASTR's rounds, then G-Fusion's stage as published: eight epochs of Market-1501's size, projected embeddings."""
    return replace(
        r50,
        name="gfusion-r50",
        distillation=Distillation(rounds=1, iterations=8 * 200, tracklets=16, projection=1024),
    )
