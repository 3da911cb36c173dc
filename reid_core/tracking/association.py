"""Which detection belongs to which track: how well boxes fit, and the assignment that makes most of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import lap
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Assignment", "assign", "box_fit", "contested_columns", "grow_boxes"]

_NO_ROWS = np.zeros(0, np.intp)


class Assignment(NamedTuple):
    """Pairs of rows and columns, rising by row, and what was left over."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    free_rows: NDArray[np.intp]
    free_columns: NDArray[np.intp]


def grow_boxes(boxes_px: NDArray[np.floating], share: float) -> NDArray[np.float64]:
    """Boxes made larger on each side by ``share`` of their own width and height. ``(N, 4)`` to ``(N, 4)``.

    Example:
        >>> grow_boxes(np.array([[10.0, 20.0, 30.0, 60.0]]), 0.5).tolist()
        [[0.0, 0.0, 40.0, 80.0]]
    """
    margin = (boxes_px[:, 2:] - boxes_px[:, :2]) * share
    grown = np.empty((len(boxes_px), 4))
    grown[:, :2] = boxes_px[:, :2] - margin
    grown[:, 2:] = boxes_px[:, 2:] + margin
    return grown


def box_fit(
    expected_px: NDArray[np.floating], detected_px: NDArray[np.floating], *, margin: float = 0.0
) -> NDArray[np.float64]:
    """How well each detection fits each expected box: overlap, times the share of the height that they have in common.

    Heights tell people apart that stand behind one another, where widths of a walking person swing; boxes grown by
    ``margin`` still meet when a person or the camera moved otherwise than expected.

    Args:
        expected_px: xyxy. Shape ``(T, 4)``.
        detected_px: xyxy. Shape ``(D, 4)``.
        margin: Both boxes are grown by this share of their sides, each way.

    Returns:
        In ``[0, 1]``; 0 where grown boxes do not meet. Shape ``(T, D)``; empty inputs keep their shape.

    Example:
        >>> box_fit(np.array([[0.0, 0.0, 10.0, 20.0]]), np.array([[0.0, 0.0, 10.0, 10.0]])).tolist()
        [[0.25]]

    Source:
        Yang et al., "Hard to track objects with irregular motions and similar appearances? Make it easier by buffering
        the matching space", WACV 2023 (grown boxes); Yang et al., "Hybrid-SORT", AAAI 2024 (height-modulated IoU).
    """
    expected, detected = grow_boxes(expected_px, margin), grow_boxes(detected_px, margin)
    sides_expected, sides_detected = expected[:, 2:] - expected[:, :2], detected[:, 2:] - detected[:, :2]
    common = np.minimum(expected[:, None, 2:], detected[None, :, 2:])
    common -= np.maximum(expected[:, None, :2], detected[None, :, :2])
    joint_height = sides_expected[:, None, 1] + sides_detected[None, :, 1] - common[..., 1]
    np.maximum(common, 0.0, out=common)
    shared = common[..., 0] * common[..., 1]
    joint_area = sides_expected.prod(1)[:, None] + sides_detected.prod(1)[None, :] - shared
    fit: NDArray[np.float64] = shared * common[..., 1] / (joint_area * joint_height)
    return fit


def contested_columns(cost: NDArray[np.floating], *, limit: float, doubtful: float) -> NDArray[np.intp]:
    """Columns for which the cheapest row is not beyond doubt. Shape ``(R, C)`` to ``(K,)``.

    A column is beyond doubt if no row or exactly one row can take it, that row can take nothing else, and the pair
    costs less than ``doubtful``.

    Example:
        >>> contested_columns(np.array([[0.1, 0.9, 0.9], [0.9, 0.2, 0.3]]), limit=0.8, doubtful=0.5)
        array([1, 2])
    """
    possible = cost < limit
    unclear = possible & ((possible.sum(1) > 1)[:, None] | (possible.sum(0) > 1) | (cost > doubtful))
    return np.flatnonzero(unclear.any(0))


def assign(cost: NDArray[np.floating], *, limit: float) -> Assignment:
    """The one-to-one pairs of least total cost, using only pairs that cost less than ``limit``.

    Args:
        cost: Shape ``(R, C)``; either side may be empty.
        limit: A pair at or above it stays apart, and leaving two apart costs as much.

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
        return Assignment(_NO_ROWS, _NO_ROWS, np.arange(count_rows), np.arange(count_columns))
    _, column_of, row_of = lap.lapjv(np.ascontiguousarray(cost, np.float64), extend_cost=True, cost_limit=limit)
    paired = column_of >= 0
    rows = paired.nonzero()[0]
    columns = column_of[rows].astype(np.intp)
    return Assignment(rows, columns, (~paired).nonzero()[0], (row_of < 0).nonzero()[0])
