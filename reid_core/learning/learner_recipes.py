"""Recipes of learners beside TASTR's, each of them a change to one of TASTR's: the same network, the same budget."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reid_core.learning.learner_parts import AssociationForm, Clustering, Distillation, LossForm, Rivals, TimeRule

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
    contrast, contrast_r50 = _contrast_cpu(site), _contrast_r50(r50)
    return (
        _gfusion_cpu(site),
        _gfusion_r50(r50),
        contrast,
        replace(contrast, name="contrast+gfusion-cpu", distillation=_BESIDE),
        contrast_r50,
        replace(contrast_r50, name="contrast+gfusion-r50", distillation=Distillation(weight=1.0, projection=1024)),
    )


_BESIDE = Distillation(
    weight=0.5, time=TimeRule.TRANSIT, wide=30, alpha=0.3, keep=0.5, rivals=Rivals.CAMERA, centred=True
)


def _contrast_cpu(site: Recipe) -> Recipe:
    """Clusters in place of the default's groups, on a site of hundreds of tracklets; looks alone."""
    return replace(
        site,
        name="contrast-cpu",
        loss=LossForm.CONTRAST,
        pairing=replace(site.pairing, form=AssociationForm.CLUSTERS),
        clustering=Clustering(k1=6, k2=2, eps=0.45, fewest=2, centred=True),
    )


def _contrast_r50(r50: Recipe) -> Recipe:
    """Clusters as published for Market-1501: sixteen classes of sixteen pictures, temperature 0.05."""
    return replace(
        r50,
        name="contrast-r50",
        network=replace(r50.network, normalised=True),
        loss=LossForm.CONTRAST,
        temperature=0.05,
        sampling=replace(r50.sampling, tracklets=16, crops=16),
        pairing=replace(r50.pairing, form=AssociationForm.CLUSTERS, kmeans=1),
        clustering=Clustering(k1=30, k2=6, eps=0.5, fewest=4),
    )


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
