"""The rows of TASTR's ablations, derived from one recipe, with what the paper reports for each.

A row without progressive optimisation associates once and then trains as long as all rounds of the others together, so
that the rows differ by what they are named for and not by how long they learn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from reid_core.learning.recipes import AssociationForm, LossForm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reid_core.learning.recipes import Recipe

__all__ = [
    "FULL",
    "Group",
    "Labels",
    "Published",
    "Row",
    "ablation_rows",
    "cross_key",
    "planned_iterations",
    "shortened",
    "telling_first",
]

_MOST_CLUSTERS = 5
_DEFAULT_CLUSTERS = 3


class Group(StrEnum):
    """Which table or figure of the paper a row belongs to."""

    SUPERVISED = "supervised"  # Table IV (1)
    WITHIN = "within"  # Table IV (2)
    CROSS = "cross"  # Table IV (3)
    WEAK = "weak"  # Table V
    CLUSTERS = "clusters"  # Fig. 8


class Labels(StrEnum):
    """Which ground truth a row may learn from."""

    NONE = "none"
    PER_CAMERA = "per-camera"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Published:
    """The paper's figures on Campus-4K, in ``[0, 1]``."""

    rank1: float
    map: float


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        key: Its name in files and JSON.
        group: Where the paper has it.
        title: As people read it.
        recipe: How it learns; with 0 rounds it learns within cameras only.
        labels: What it is told.
        published: What the paper reports, where it reports it as a number.
        has_time: Spatio-temporal regularisation.
        has_kmeans: Refinement by k-means.
        is_progressive: Association and training in turns.
        from_source: Learns on another site's data.
    """

    key: str
    group: Group
    title: str
    recipe: Recipe
    labels: Labels = Labels.NONE
    published: Published | None = None
    has_time: bool = False
    has_kmeans: bool = False
    is_progressive: bool = False
    from_source: bool = False


_CROSS = {  # Table IV (3): STR, k-means, progressive
    (False, False, False): Published(0.634, 0.653),
    (False, False, True): Published(0.615, 0.632),
    (True, False, False): Published(0.639, 0.653),
    (True, False, True): Published(0.640, 0.651),
    (False, True, False): Published(0.539, 0.537),
    (False, True, True): Published(0.562, 0.593),
    (True, True, False): Published(0.653, 0.658),
    (True, True, True): Published(0.764, 0.783),
}


def cross_key(*, has_time: bool, has_kmeans: bool, is_progressive: bool) -> str:
    """Name of a row of Table IV (3).

    Example:
        >>> cross_key(has_time=True, has_kmeans=False, is_progressive=True)
        'nn-str-progressive'
    """
    parts = {"str": has_time, "kmeans": has_kmeans, "progressive": is_progressive}
    return "-".join(["nn", *(name for name, is_on in parts.items() if is_on)])


FULL = cross_key(has_time=True, has_kmeans=True, is_progressive=True)
_ONCE = cross_key(has_time=False, has_kmeans=False, is_progressive=False)


def ablation_rows(recipe: Recipe, *, has_source: bool = False) -> tuple[Row, ...]:
    """Every row of Tables IV and V and of Fig. 8 for a recipe, each once.

    Args:
        recipe: The whole method. Its form of time is the spatio-temporal regularisation of the rows that have it (the
            paper's where it has none); its number of clusters the k-means (3 where it has none).
        has_source: Whether another site's labelled data are at hand.
    """
    recipe = _with_time(recipe)
    clusters = recipe.pairing.kmeans if recipe.pairing.kmeans > 1 else _DEFAULT_CLUSTERS
    cross = [_cross_row(recipe, clusters, *switches) for switches in _CROSS]
    counts = [k for k in range(1, _MOST_CLUSTERS + 1) if k not in {1, clusters}]
    return (
        *_supervised_rows(recipe, has_source=has_source),
        *_within_rows(recipe),
        *cross,
        Row(
            "weak-s1", Group.WEAK, "Within cameras, per-camera identities", _rounds(recipe, 0), Labels.PER_CAMERA,
            Published(0.586, 0.578),
        ),
        Row(
            "weak", Group.WEAK, "All steps, per-camera identities", _clusters(recipe, clusters), Labels.PER_CAMERA,
            Published(0.827, 0.844), has_time=True, has_kmeans=True, is_progressive=True,
        ),
        *(
            Row(
                f"k{k}", Group.CLUSTERS, f"All steps, k = {k}", _clusters(recipe, k),
                has_time=True, has_kmeans=True, is_progressive=True,
            )
            for k in counts
        ),
    )  # fmt: skip


def telling_first(rows: Sequence[Row]) -> list[Row]:
    """The rows in the order in which to run them: a run that is cut short has the ones that tell most."""
    order = ("s1", FULL, _ONCE, cross_key(has_time=False, has_kmeans=True, is_progressive=False), "supervised")
    return sorted(rows, key=lambda row: order.index(row.key) if row.key in order else len(order))


def planned_iterations(row: Row) -> int:
    """Training steps of a row in all."""
    how = row.recipe.optimisation
    return how.within_iterations + row.recipe.pairing.rounds * how.cross_iterations


def shortened(recipe: Recipe, *, share: float) -> Recipe:
    """The same with only a share of the iterations of each stage, at least ten: a quick look, no result to quote.

    Raises:
        ValueError: If the share is not in ``(0, 1]``.
    """
    if not 0 < share <= 1:
        raise ValueError(f"a share of the iterations must lie in (0, 1], got {share}")
    optimisation = recipe.optimisation
    within, cross = (
        max(10, round(share * count)) for count in (optimisation.within_iterations, optimisation.cross_iterations)
    )
    return replace(recipe, optimisation=replace(optimisation, within_iterations=within, cross_iterations=cross))


def _supervised_rows(recipe: Recipe, *, has_source: bool) -> list[Row]:
    longest = _blind_to_time(_clusters(_all_at_once(recipe), 1))  # who is who is told, nothing is left to find
    own = Row("supervised", Group.SUPERVISED, "Supervised on this site", longest, Labels.ALL, Published(0.852, 0.875))
    other = Row(
        "source-only", Group.SUPERVISED, "Supervised on another site", longest, Labels.ALL, Published(0.373, 0.393),
        from_source=True,
    )  # fmt: skip
    return [other, own] if has_source else [own]


def _within_rows(recipe: Recipe) -> list[Row]:
    within = _rounds(recipe, 0)
    loose = replace(within, sampling=replace(within.sampling, one_camera=False, apart_s=0.0))
    # proxies keep cameras apart by themselves: only the gap in time is left to do without
    lacks = "TSCCC" if recipe.loss is LossForm.BATCH_HARD else "TSCCC's gap in time"
    return [
        Row(
            "s1-without-tsccc",
            Group.WITHIN,
            f"Within cameras without {lacks}",
            loose,
            published=Published(0.052, 0.086),
        ),
        Row("s1", Group.WITHIN, "Within cameras (S1)", within, published=Published(0.530, 0.539)),
    ]


def _cross_row(recipe: Recipe, clusters: int, has_time: bool, has_kmeans: bool, is_progressive: bool) -> Row:  # noqa: FBT001
    names = {"STR": has_time, "k-means": has_kmeans, "progressive": is_progressive}
    on = [name for name, is_on in names.items() if is_on]
    learns = _clusters(recipe if is_progressive else _all_at_once(recipe), clusters if has_kmeans else 1)
    if not has_time:
        learns = _blind_to_time(learns)
    return Row(
        cross_key(has_time=has_time, has_kmeans=has_kmeans, is_progressive=is_progressive),
        Group.CROSS,
        " + ".join(["NN-CCTA", *on]),
        learns,
        published=_CROSS[has_time, has_kmeans, is_progressive],
        has_time=has_time,
        has_kmeans=has_kmeans,
        is_progressive=is_progressive,
    )


def _with_time(recipe: Recipe) -> Recipe:
    if recipe.pairing.form is not AssociationForm.VISUAL:
        return recipe
    return replace(recipe, pairing=replace(recipe.pairing, form=AssociationForm.PAPER))


def _blind_to_time(recipe: Recipe) -> Recipe:
    return replace(recipe, pairing=replace(recipe.pairing, form=AssociationForm.VISUAL))


def _rounds(recipe: Recipe, rounds: int) -> Recipe:
    return replace(recipe, pairing=replace(recipe.pairing, rounds=rounds))


def _clusters(recipe: Recipe, clusters: int) -> Recipe:
    return replace(recipe, pairing=replace(recipe.pairing, kmeans=clusters))


def _all_at_once(recipe: Recipe) -> Recipe:
    """One round as long as all of them."""
    longer = replace(
        recipe.optimisation, cross_iterations=recipe.optimisation.cross_iterations * max(1, recipe.pairing.rounds)
    )
    return replace(_rounds(recipe, 1), optimisation=longer)
