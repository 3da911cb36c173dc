"""An ablation as JSON: every row with its switches, the paper's figures, ours, and the verdicts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from reid_core.evaluation.ablation.verdicts import order_agreement, tell_differences, verdicts

if TYPE_CHECKING:
    from reid_core.evaluation.ablation.results import Ablation, RowResult
    from reid_core.evaluation.ablation.rows import Row

__all__ = ["ablation_document"]


def ablation_document(ablation: Ablation) -> dict[str, Any]:
    """Everything that the page shows; shares in ``[0, 1]``."""
    return {
        "title": ablation.title,
        **{name.replace(" ", "_"): value for name, value in ablation.facts},
        "caution": ablation.caution,
        "rows": [_row(row, ablation.results.get(row.key)) for row in ablation.rows],
        "changes": [{**asdict(one), "agrees": one.agrees} for one in verdicts(ablation)],
        "order_agreement": order_agreement(ablation),
        "differences": tell_differences(ablation),
    }


def _row(row: Row, result: RowResult | None) -> dict[str, Any]:
    """Figures are absent where a row was not run."""
    head = {
        "key": row.key,
        "group": row.group.value,
        "title": row.title,
        "labels": row.labels.value,
        "str": row.has_time,
        "kmeans": row.recipe.pairing.kmeans,
        "progressive": row.is_progressive,
        "rounds_planned": row.recipe.pairing.rounds,
        "published": None if row.published is None else asdict(row.published),
    }
    return head if result is None else {**head, **result.as_dict()}
