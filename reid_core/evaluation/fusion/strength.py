"""The strength of confusion at which looks alone reach a wanted mAP."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reid_core.errors import DatasetError, FusionHarnessError
from reid_core.evaluation.fusion.case import FusionCase, score, visual_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from reid_core.evaluation.fusion.appearance import Appearance
    from reid_core.evaluation.fusion.lists import TimedLists

__all__ = ["MAP_TOLERANCE", "solve_strength", "visual_map"]

MAP_TOLERANCE = 0.0005
_LOWEST, _HIGHEST = 0.01, 10.0
_GUESS = (0.08, 0.6)
_FINEST = 1e-6


def visual_map(lists: TimedLists, appearance: Appearance, strength: float) -> float:
    """Mean average precision (rectangle) of looks alone at a strength, in ``(0, 1]``.

    Raises:
        DatasetError: If no query has a true match.
    """
    case = FusionCase(lists, appearance.features(strength))
    try:
        return score(lists, visual_rows(case)).map_rectangle
    except ValueError as error:
        raise DatasetError(str(error)) from error


def solve_strength(
    lists: TimedLists,
    appearance: Appearance,
    *,
    wanted_map: float,
    on_step: Callable[[], None] = lambda: None,
) -> float:
    """Find the strength by bisection of its logarithm, down to ``MAP_TOLERANCE`` of mAP.

    Few queries make mAP a staircase: then the search ends on the step next to what is wanted.

    Args:
        lists: Who was where and when.
        appearance: Of the same lists.
        wanted_map: In ``(0, 1)``.
        on_step: Called after each strength that was tried.

    Raises:
        FusionHarnessError: If no strength gives such an mAP.
    """
    if not 0 < wanted_map < 1:
        raise FusionHarnessError(f"the visual mAP must lie between 0 and 1, got {wanted_map}")

    def excess(strength: float) -> float:
        value = visual_map(lists, appearance, strength) - wanted_map
        on_step()
        return value

    low, high = _bracket(excess, wanted_map)
    while True:
        middle = math.sqrt(low * high)
        value = excess(middle)
        if abs(value) <= MAP_TOLERANCE or high / low < 1 + _FINEST:
            return middle
        low, high = (middle, high) if value > 0 else (low, middle)


def _bracket(excess: Callable[[float], float], wanted_map: float) -> tuple[float, float]:
    """Strengths between which the wanted mAP lies; the usual ones are tried first."""
    low, high = _GUESS
    if excess(low) < 0:
        low, high = _LOWEST, low
        if (best := excess(low)) < 0:
            raise FusionHarnessError(
                f"a visual mAP of {wanted_map} is above what these lists can give, {wanted_map + best:.4f}"
            )
    elif excess(high) > 0:
        low, high = high, _HIGHEST
        if (worst := excess(high)) > 0:
            raise FusionHarnessError(
                f"a visual mAP of {wanted_map} is below what these lists can give, {wanted_map + worst:.4f}"
            )
    return low, high
