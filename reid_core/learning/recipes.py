"""Named ways to learn a site: the network, how batches are drawn, what is minimised, and how tracklets are paired.

A recipe is data. It is stored with every model that it made, and no algorithm ever sees one whole: `cycle` hands each
its own numbers.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from reid_core.errors import RecipeError
from reid_core.learning.augmentation import Augmentation
from reid_core.learning.learner_parts import (
    AssociationForm,
    Clustering,
    Distillation,
    LossForm,
    MeanTeacher,
    Rivals,
    TimeRule,
)
from reid_core.learning.learner_recipes import learner_recipes
from reid_core.models.network_recipe import NetworkRecipe

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RECIPES", "AssociationForm", "LossForm", "Optimisation", "Pairing", "Recipe", "Sampling", "recipe_named"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How batches are drawn.

    Attributes:
        tracklets: Tracklets of a batch, P.
        crops: Pictures of each, K; even.
        crops_at_most: Of a longer tracklet only that many evenly spaced pictures take part.
        apart_s: Tracklets of a within-camera batch are further apart in time than that, T.
        one_camera: Whether a within-camera batch keeps to one camera (TSCCC); the paper's ablation turns it off.
    """

    tracklets: int = 12
    crops: int = 4
    crops_at_most: int = 60
    apart_s: float = 5.0
    one_camera: bool = True


@dataclass(frozen=True, slots=True)
class Optimisation:
    """How the loss is brought down.

    Attributes:
        learning_rate: Of the trunk at its peak.
        head_factor: The heads learn that many times as fast.
        weight_decay: Added to Adam's gradients.
        decay: ``cosine`` to nought, or ``steps``: a tenth at each fifth of a stage but the first.
        warm_up: Iterations over which the rate rises.
        within_iterations: Of the within-camera stage.
        cross_iterations: Of every round's cross-camera stage; each begins the schedule anew.
        checkpoint_every: Iterations from one checkpoint to the next.
    """

    learning_rate: float = 3e-4
    head_factor: float = 1.0
    weight_decay: float = 5e-4
    decay: str = "cosine"
    warm_up: int = 10
    within_iterations: int = 150
    cross_iterations: int = 120
    checkpoint_every: int = 50


@dataclass(frozen=True, slots=True)
class Pairing:
    """How tracklets of different cameras are taken for one person.

    Attributes:
        form: How time takes part.
        rounds: Associations, each followed by training; n.
        kmeans: Keep the lowest of that many clusters of distances (the paper's form), 1 keeps all.
        min_weight: Drop pairs less likely than that (the fused form).
        doubt_above: Pairs that are not taken but likelier than that are spared: training takes them neither for one
            person nor for two (the fused form).
        smoothing: Of the whitening by a round's own pairs, after which it associates once more (the fused form); 0
            leaves it out. A recipe whose network is whitened needs it.
        crops: Pictures that a tracklet's vector is the mean of.
        first_colours: Share of colour stripes in what the first round compares (the fused form), in ``[0, 1)``: before
            any training across cameras they tell what the network does not.
    """

    form: AssociationForm = AssociationForm.FUSED
    rounds: int = 4
    kmeans: int = 1
    min_weight: float = 0.5
    doubt_above: float = 0.05
    smoothing: float = 0.0
    crops: int = 8
    first_colours: float = 0.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole way to learn.

    Attributes:
        name: What commands call it.
        network: What is trained.
        loss: What is minimised.
        margin: Of the batch-hard loss; ``None`` is its soft margin.
        temperature: Of the proxies' softmax.
        augmentation: How pictures are changed.
        version: Raised whenever equal data and seed would give another model.
        clustering: How clusters are made and used (the contrast form); ``None`` in others.
        distillation: The graph loss; ``None`` leaves it out.
        teacher: The mean teacher; ``None`` leaves it out.
    """

    name: str
    network: NetworkRecipe
    loss: LossForm
    margin: float | None = 0.3
    temperature: float = 0.07
    sampling: Sampling = field(default_factory=Sampling)
    optimisation: Optimisation = field(default_factory=Optimisation)
    pairing: Pairing = field(default_factory=Pairing)
    augmentation: Augmentation = field(default_factory=Augmentation)
    version: int = 1
    clustering: Clustering | None = None
    distillation: Distillation | None = None
    teacher: MeanTeacher | None = None

    def __post_init__(self) -> None:
        """Refuse parts that do not belong together.

        Raises:
            RecipeError: If classes are to be clusters and there are none.
        """
        if self.loss is LossForm.CONTRAST and self.pairing.form is not AssociationForm.CLUSTERS:
            raise RecipeError(f"{self.name} contrasts clusters, but pairs by the form {self.pairing.form}")

    def to_json(self) -> str:
        """All fields, in order of their names; parts that a recipe does without are left out."""
        said = {name: one for name, one in asdict(self).items() if one is not None or name not in _PARTS}
        return json.dumps(said, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> Recipe:
        """Inverse of `to_json`.

        Raises:
            RecipeError: If the text is no recipe.
        """
        try:
            given = json.loads(text)
            return Recipe(
                **{
                    **given,
                    **{name: _made(kind, given[name]) for name, kind in _PARTS.items() if given.get(name)},
                    "network": _made(NetworkRecipe, given["network"]),
                    "loss": LossForm(given["loss"]),
                    "sampling": _made(Sampling, given["sampling"]),
                    "optimisation": _made(Optimisation, given["optimisation"]),
                    "pairing": _made(Pairing, given["pairing"]),
                    "augmentation": _made(Augmentation, given["augmentation"]),
                }
            )
        except (ValueError, KeyError, TypeError) as error:
            raise RecipeError(str(error)) from error


def recipe_named(name: str) -> Recipe:
    """A recipe of `RECIPES`.

    Raises:
        RecipeError: If there is none of this name.
    """
    if name not in RECIPES:
        raise RecipeError(f"{name!r} is unknown; known are {', '.join(sorted(RECIPES))}")
    return RECIPES[name]


def _made(kind: type[Any], given: Mapping[str, Any]) -> Any:
    """A part of a recipe; fields that are younger than what was stored have their defaults."""
    if not is_dataclass(kind) or not set(given) <= {one.name for one in fields(kind)}:
        raise ValueError(f"fields {sorted(given)} are not those of {kind.__name__}")
    read = {name: _WORDS[name](value) if name in _WORDS else value for name, value in given.items()}
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in read.items()})


_PARTS: Mapping[str, type[Any]] = MappingProxyType(
    {"clustering": Clustering, "distillation": Distillation, "teacher": MeanTeacher}
)
_WORDS: Mapping[str, type[Any]] = MappingProxyType({"form": AssociationForm, "time": TimeRule, "rivals": Rivals})

_MOBILENET = "mobilenet_v2-b0353104.pth"

_RECIPES = (
    Recipe(
        name="site-cpu",
        version=2,
        network=NetworkRecipe("mobilenetv2_100", _MOBILENET, stages=6, frozen_stages=3, mirrored=True, whitened=True),
        loss=LossForm.PROXIES,
        optimisation=Optimisation(learning_rate=5e-4, head_factor=3.0, within_iterations=500, cross_iterations=200),
        sampling=Sampling(one_camera=False),
        pairing=Pairing(min_weight=0.25, smoothing=5.0, first_colours=0.4),
        augmentation=Augmentation(exposure=0.15, cast=0.1, zoom=0.15, erase=0.3),
    ),
    Recipe(
        name="tastr-cpu",
        network=NetworkRecipe("mobilenetv2_100", _MOBILENET, stripes=0, global_dim=512, normalised=False, light=0.0),
        loss=LossForm.BATCH_HARD,
        pairing=Pairing(form=AssociationForm.PAPER, rounds=5, kmeans=3, crops=15),
        optimisation=Optimisation(decay="steps"),
        augmentation=Augmentation(exposure=0.0, cast=0.0, gamma=0.0, shade=0.0, erase=0.0),
    ),
    Recipe(
        name="tastr-r50",
        network=NetworkRecipe(
            "resnet50",
            None,
            height_px=256,
            width_px=128,
            output_stride=32,
            stripes=0,
            global_dim=512,
            normalised=False,
            light=0.0,
        ),
        loss=LossForm.BATCH_HARD,
        sampling=Sampling(tracklets=64, crops=4),
        pairing=Pairing(form=AssociationForm.PAPER, rounds=5, kmeans=3, crops=15),
        optimisation=Optimisation(decay="steps", within_iterations=2500, cross_iterations=1000, checkpoint_every=250),
        augmentation=Augmentation(exposure=0.0, cast=0.0, gamma=0.0, shade=0.0, erase=0.0),
    ),
)

RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {recipe.name: recipe for recipe in (*_RECIPES, *learner_recipes(*_RECIPES))}
)
