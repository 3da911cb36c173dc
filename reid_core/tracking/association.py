"""Which detection belongs to which track: similarities of boxes, and the assignment that maximises them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import lap
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Assignment", "assign"]


class Assignment(NamedTuple):
    """Pairs of rows and columns, rising by row, and what was left over."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    free_rows: NDArray[np.intp]
    free_columns: NDArray[np.intp]


def assign(cost: NDArray[np.floating], *, limit: float) -> Assignment:
    """The one-to-one pairs of least total cost, using only pairs that cost less than ``limit``.

    Args:
        cost: Shape ``(R, C)``; either side may be empty.
        limit: A pair at or above it stays apart.

    Returns:
        Pairs and leftovers.

    Example:
        >>> found = assign(np.array([[0.1, 0.9], [0.2, 0.3]]), limit=0.8)
        >>> found.rows.tolist(), found.columns.tolist()
        ([0, 1], [0, 1])

    Source:
        Jonker and Volgenant, "A shortest augmenting path algorithm for dense and sparse linear assignment problems",
        Computing 38, 1987 (package `lap`).
    """
    count_rows, count_columns = cost.shape
    if not count_rows or not count_columns:
        none = np.zeros(0, np.intp)
        return Assignment(none, none, np.arange(count_rows), np.arange(count_columns))
    _, column_of, row_of = lap.lapjv(np.ascontiguousarray(cost, np.float64), extend_cost=True, cost_limit=limit)
    rows = np.flatnonzero(column_of >= 0)
    return Assignment(rows, column_of[rows].astype(np.intp), np.flatnonzero(column_of < 0), np.flatnonzero(row_of < 0))
