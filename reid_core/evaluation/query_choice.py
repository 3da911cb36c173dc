"""Which queries a contact sheet shows: a fixed spread from good to bad, never a hand-picked best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["spread_of_queries"]

PERCENTILES = (90, 70, 50, 30, 10)


def spread_of_queries(precisions: NDArray[np.floating], person_ids: NDArray[np.int64]) -> list[int]:
    """Queries at the 90th, 70th, 50th, 30th and 10th percentile of average precision, best first, all different people.

    Where a person is shown already the nearest query in order of precision that shows somebody new is taken.

    Args:
        precisions: Average precision of each query. Shape ``(Q,)``.
        person_ids: Who each query shows. Shape ``(Q,)``.

    Returns:
        At most five positions, fewer where there are fewer people.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> spread_of_queries(np.array([0.1, 0.9, 0.5]), np.array([4, 5, 6]))
        [1, 2, 0]
    """
    if precisions.shape != person_ids.shape:
        raise ValueError(f"{precisions.shape} precisions and {person_ids.shape} people do not fit")
    order = np.argsort(-precisions, kind="stable")
    chosen: list[int] = []
    for percentile in PERCENTILES:
        wanted = (100 - percentile) / 100 * (len(order) - 1)
        for place in sorted(range(len(order)), key=lambda place: (abs(place - wanted), place)):
            if person_ids[order[place]] not in person_ids[chosen]:
                chosen.append(int(order[place]))
                break
    return sorted(chosen, key=lambda query: (-precisions[query], query))
