"""One run of the harness: looks of a wanted quality, every method's figures, published anchors beside."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from reid_core.evaluation.fusion.appearance import Appearance, AppearanceRecipe
from reid_core.evaluation.fusion.case import FusionCase, score
from reid_core.evaluation.fusion.strength import solve_strength

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reid_core.evaluation.fusion.lists import TimedLists
    from reid_core.evaluation.fusion.methods import Method
    from reid_core.metrics.ranking import RankingScores

__all__ = ["FusionReport", "anchors", "report_fusion"]


@dataclass(frozen=True, slots=True)
class FusionReport:
    """Scores by method, and what they were made with."""

    case: FusionCase
    scores: dict[str, RankingScores]
    wanted_map: float
    seed: int
    strength: float
    recipe: AppearanceRecipe
    sizes: dict[str, int]

    def figures(self) -> dict[str, dict[str, float]]:
        """``map``, ``map_trapezoid`` and ``rank1`` to ``rank10`` of each method, in ``[0, 1]``."""
        return {name: _figures(scores) for name, scores in self.scores.items()}

    def as_dict(self) -> dict[str, object]:
        """The JSON form: one entry for each method, then ``anchors`` and ``settings``."""
        settings = {
            "visual_map": self.wanted_map,
            "seed": self.seed,
            "strength": self.strength,
            "appearance": asdict(self.recipe),
            **self.sizes,
        }
        return {**self.figures(), "anchors": anchors(), "settings": settings}


def report_fusion(
    lists: TimedLists,
    methods: Mapping[str, Method],
    *,
    wanted_map: float,
    seed: int,
    on_step: Callable[[], None] = lambda: None,
) -> FusionReport:
    """Simulate looks of the wanted visual mAP and score each method on them.

    Args:
        lists: Real times.
        methods: By name, in the order of the table.
        wanted_map: mAP of looks alone, in ``(0, 1)``.
        seed: Of the looks, 0 or more.
        on_step: Called after each strength tried and each method scored.

    Raises:
        FusionHarnessError: If no strength gives such an mAP, or the seed is negative.
        DatasetError: If no query has a true match.
    """
    recipe = AppearanceRecipe()
    appearance = Appearance(lists, seed=seed, recipe=recipe)
    strength = solve_strength(lists, appearance, wanted_map=wanted_map, on_step=on_step)
    case = FusionCase(lists, appearance.features(strength))
    scores = {}
    for name, method in methods.items():
        scores[name] = score(lists, method(case))
        on_step()
    sizes = {"train": len(lists.train), "query": len(lists.query), "gallery": len(lists.gallery)}
    return FusionReport(case, scores, wanted_map, seed, strength, recipe, sizes)


def anchors() -> dict[str, dict[str, dict[str, float]]]:
    """What fusion gained on Market-1501's real images, as published: visual alone, and with time.

    Source:
        G-Fusion, MM 2023, Table 2: rows 1 and 5 (time in training), 0 and 4 (not), 0 and 3 (graph without time).
        JVTC: the authors' log of duke2market.
    """
    return {
        "g_fusion": {"visual": {"map": 0.754, "rank1": 0.901}, "fused": {"map": 0.859, "rank1": 0.944}},
        "g_fusion_trained_without_time": {
            "visual": {"map": 0.604, "rank1": 0.814},
            "fused": {"map": 0.744, "rank1": 0.890},
            "reranked_without_time": {"map": 0.603, "rank1": 0.810},
        },
        "jvtc": {"visual": {"map": 0.6529, "rank1": 0.8446}, "fused": {"map": 0.6770, "rank1": 0.8691}},
    }


def _figures(scores: RankingScores) -> dict[str, float]:
    ranks = {f"rank{k}": scores.rank(k) for k in (1, 5, 10)}
    return {"map": scores.map_rectangle, "map_trapezoid": scores.map_trapezoid, **ranks}
