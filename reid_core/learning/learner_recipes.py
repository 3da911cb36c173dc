"""Recipes of learners beside TASTR's, each of them a change to one of TASTR's: the same network, the same budget."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reid_core.learning.learner_parts import (
    AssociationForm,
    Clustering,
    Distillation,
    LossForm,
    MeanTeacher,
    Rivals,
    TimeRule,
)

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
    learners = [_contrast_cpu(site), _contrast_r50(r50)]
    learners += [made(one) for one in learners for made in (_mmt, _ice)]
    learners.append(_contrast_vit(learners[1]))
    beside = [_with_graph(one, _BESIDE if one.name.endswith("-cpu") else _BESIDE_AS_PUBLISHED) for one in learners]
    return (_gfusion_cpu(site), _gfusion_r50(r50), *learners, *beside, _source(site), _source(r50))


def _contrast_vit(contrast: Recipe) -> Recipe:
    """The same on a plain vision transformer; any other of timm's by its name."""
    network = replace(contrast.network, architecture="vit_small_patch16_224", output_stride=16, global_dim=384)
    optimisation = replace(contrast.optimisation, learning_rate=5e-5, head_factor=10.0)
    return replace(contrast, name="contrast-vit", network=network, optimisation=optimisation)


def _source(recipe: Recipe) -> Recipe:
    """Labelled people, before a site without labels is learned: eighty epochs of Market-1501's size, batches of 64."""
    optimisation = replace(
        recipe.optimisation, learning_rate=3.5e-4, head_factor=1.0, decay="steps", within_iterations=80 * 203
    )
    return replace(
        recipe,
        name=f"source-{recipe.name.rpartition('-')[2]}",
        network=replace(recipe.network, whitened=False),
        loss=LossForm.LABELS,
        sampling=replace(recipe.sampling, tracklets=16, crops=4),
        optimisation=replace(optimisation, warm_up=200, checkpoint_every=250),
    )


def _mmt(contrast: Recipe) -> Recipe:
    """Centres of clusters alone, and a mean teacher that says who is alike."""
    clustering = replace(contrast.clustering or Clustering(), cross=0.0)
    return _named(contrast, "mmt", clustering=clustering, teacher=MeanTeacher())


def _ice(contrast: Recipe) -> Recipe:
    """Centres, proxies of other cameras, and a mean teacher's hardest picture of the own class."""
    return _named(contrast, "ice", teacher=MeanTeacher(instance=1.0))


def _with_graph(learner: Recipe, distillation: Distillation) -> Recipe:
    """The graph loss beside a learner's own."""
    return _named(learner, f"{learner.name.rpartition('-')[0]}+gfusion", distillation=distillation)


def _named(recipe: Recipe, name: str, **changes: Any) -> Recipe:
    """A changed recipe; what follows the last hyphen of its name stays."""
    return replace(recipe, name=f"{name}-{recipe.name.rpartition('-')[2]}", **changes)


_BESIDE_AS_PUBLISHED = Distillation(weight=1.0, projection=1024)


_ROBUST = Distillation(
    wide=30,
    time=TimeRule.TRANSIT,
    least_nats=1.0,
    edge_alpha=0.4,
    alpha=0.3,
    relative=False,
    temperature=0.07,
    keep=0.5,
    rivals=Rivals.CAMERA,
    centred=True,
)
_BESIDE = replace(_ROBUST, weight=1.0)


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
        distillation=replace(_ROBUST, rounds=_ALONE_ROUNDS, iterations=site.optimisation.cross_iterations),
    )


def _gfusion_r50(r50: Recipe) -> Recipe:
    """TASTR's rounds, then G-Fusion's stage as published: eight epochs of Market-1501's size, projected embeddings."""
    return replace(
        r50,
        name="gfusion-r50",
        distillation=Distillation(rounds=1, iterations=8 * 200, tracklets=16, projection=1024),
    )
