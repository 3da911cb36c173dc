"""The paper's analysis of its graph, on the harness: neighbours that join, and the gaps that they recorded.

Source:
    G-Fusion, MM 2023, Figures 3 to 5. Its Figure 3 shows mAP after training; here it is the share of right edges in the
    graph over the training part, which is what training would learn from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.evaluation.fusion.case import score
from reid_core.evaluation.fusion.graph_methods import DELTA_FRAMES, gfusion_rows, in_frames
from reid_core.graph.affinity import graph_edges
from reid_core.graph.neighbours import nearest_in
from reid_core.graph.refined_gallery import GraphRules
from reid_core.graph.transit_rules import recorded_transitions, transition_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from reid_core.evaluation.fusion.case import FusionCase
    from reid_core.graph.neighbours import Neighbours
    from reid_core.spatio_temporal.sightings import Sightings

__all__ = ["ParameterCurves", "ParameterPoint", "parameter_curves"]

VISUAL: Final = (1, 2, 3, 4, 6, 8, 10)
TIMED: Final = (10, 20, 40, 60, 80, 100)


@dataclass(frozen=True, slots=True)
class ParameterPoint:
    """The paper's form with one k_s or k_l.

    Attributes:
        value: Of the parameter.
        precision: Share of the training graph's edges that join one person, in ``[0, 1]``.
        recall: Share of one person's pairs of images at two cameras that it joins, in ``[0, 1]``.
        mean_precision: mAP of re-ranking, in ``[0, 1]``.
        rank1: Of re-ranking, in ``[0, 1]``.
    """

    value: int
    precision: float
    recall: float
    mean_precision: float
    rank1: float


@dataclass(frozen=True, slots=True, eq=False)
class ParameterCurves:
    """All three figures.

    Attributes:
        visual: By k_s, with the paper's k_l.
        timed: By k_l, with the paper's k_s.
        recorded_s: Gaps that visual neighbours of each two cameras recorded, in seconds, by names of both.
        true_s: Gaps of one person's images at the same two cameras.
    """

    visual: tuple[ParameterPoint, ...]
    timed: tuple[ParameterPoint, ...]
    recorded_s: dict[tuple[str, str], NDArray[np.float64]]
    true_s: dict[tuple[str, str], NDArray[np.float64]]


def parameter_curves(
    case: FusionCase,
    *,
    visual: Sequence[int] = VISUAL,
    timed: Sequence[int] = TIMED,
    on_step: Callable[[], None] = lambda: None,
) -> ParameterCurves:
    """Try each k_s and each k_l, and collect the gaps.

    Args:
        case: Times, looks, and the person ids that tell which edges and gaps are right.
        visual: Values of k_s.
        timed: Values of k_l.
        on_step: Called after each value.
    """
    train = in_frames(case.lists.train)[0]
    near = nearest_in(case.features.train, max([*timed, GraphRules().timed]))

    def point(rules: GraphRules, value: int) -> ParameterPoint:
        scores = score(case.lists, gfusion_rows(case, rules=rules))
        precision, recall = _right_edges(case, near, train, rules)
        on_step()
        return ParameterPoint(value, precision, recall, scores.map_rectangle, scores.rank(1))

    return ParameterCurves(
        tuple(point(GraphRules(visual=k), k) for k in visual),
        tuple(point(GraphRules(timed=k), k) for k in timed),
        _gaps_s(train, near.first(GraphRules().visual).rows),
        _gaps_s(train, _same_person(case.lists.train.person_ids)),
    )


def _right_edges(case: FusionCase, near: Neighbours, train: Sightings, rules: GraphRules) -> tuple[float, float]:
    sets = recorded_transitions(near.first(rules.visual), train)
    rule = transition_rule(sets, train, train, delta_s=DELTA_FRAMES)
    edges = graph_edges(near.first(rules.timed), columns=len(train), visual=rules.visual, rule=rule).tocoo()
    people, cameras = case.lists.train.person_ids, train.cameras
    others = edges.row != edges.col
    right = others & (people[edges.row] == people[edges.col])
    across = right & (cameras[edges.row] != cameras[edges.col])
    alike = np.bincount(np.unique(people, return_inverse=True)[1])
    at_one = np.unique(np.column_stack([people, cameras]), axis=0, return_counts=True)[1]
    pairs = float((alike**2).sum() - (at_one**2).sum())
    return float(right.sum() / max(others.sum(), 1)), float(across.sum() / max(pairs, 1.0))


def _same_person(people: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each image those of its person, filled up with itself. Shape ``(N, most)``."""
    order = np.argsort(people, kind="stable")
    first = np.searchsorted(people[order], people)
    count = np.searchsorted(people[order], people, side="right") - first
    steps = np.arange(count.max(initial=0))
    inside = steps[None] < count[:, None]
    places = np.where(inside, first[:, None] + np.minimum(steps[None], count[:, None] - 1), 0)
    own = np.arange(len(people))[:, None]
    found: NDArray[np.int64] = np.where(inside, order[places], own)
    return found


def _gaps_s(seen: Sightings, neighbours: NDArray[np.int64]) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Gaps from each camera to each later one on the list, in seconds (sightings count in frames)."""
    rows, others = np.repeat(np.arange(len(seen)), neighbours.shape[1]), neighbours.ravel()
    gaps_s = (seen.starts_s[others] - seen.starts_s[rows]) / 25.0
    found = {}
    for a, one in enumerate(seen.camera_ids):
        for b in range(a + 1, len(seen.camera_ids)):
            there = (seen.cameras[rows] == a) & (seen.cameras[others] == b)
            back = (seen.cameras[rows] == b) & (seen.cameras[others] == a)
            found[one, seen.camera_ids[b]] = np.concatenate([gaps_s[there], -gaps_s[back]])
    return found
