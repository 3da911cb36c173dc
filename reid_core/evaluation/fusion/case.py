"""What a method of fusion is given, and how its ranking is scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from reid_core.metrics.ranking import evaluate_ranking

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from reid_core.evaluation.fusion.appearance import SimulatedFeatures
    from reid_core.evaluation.fusion.lists import TimedLists
    from reid_core.metrics.ranking import RankingScores

__all__ = ["FusionCase", "Rows", "score", "visual_rows"]

Rows: TypeAlias = "Callable[[int, int], NDArray[np.floating]]"


@dataclass(frozen=True, slots=True, eq=False)
class FusionCase:
    """Times and looks of every image. A method may use everything but the person ids, which are for scoring."""

    lists: TimedLists
    features: SimulatedFeatures


def visual_rows(case: FusionCase) -> Rows:
    """Cosine distances of queries ``start`` to ``stop`` to the gallery, looks alone."""
    query, gallery = case.features.query, case.features.gallery
    return lambda start, stop: 1 - query[start:stop] @ gallery.T


def score(lists: TimedLists, rows: Rows) -> RankingScores:
    """Score rows of distances under Market-1501's protocol: the query's own person at its own camera is dropped."""
    return evaluate_ranking(
        rows,
        query_ids=lists.query.person_ids,
        gallery_ids=lists.gallery.person_ids,
        query_cameras=lists.query.camera_ids,
        gallery_cameras=lists.gallery.camera_ids,
    )
