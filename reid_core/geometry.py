"""Boxes in the picture: areas, overlaps, changes of form. Boxes are xyxy in pixels unless a name says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["box_area", "clip_boxes", "intersection", "iou_matrix", "xywh_to_xyxy", "xyxy_to_xywh"]


def box_area(boxes_px: NDArray[np.floating]) -> NDArray[np.floating]:
    """Area of each box in square pixels, 0 for an inverted box. ``(..., 4)`` to ``(...)``.

    Example:
        >>> box_area(np.array([[0.0, 0.0, 2.0, 3.0], [5.0, 5.0, 4.0, 9.0]])).tolist()
        [6.0, 0.0]
    """
    width = np.maximum(boxes_px[..., 2] - boxes_px[..., 0], 0)
    height = np.maximum(boxes_px[..., 3] - boxes_px[..., 1], 0)
    area: NDArray[np.floating] = width * height
    return area


def intersection(boxes_a: NDArray[np.floating], boxes_b: NDArray[np.floating]) -> NDArray[np.floating]:
    """Pairwise intersection in square pixels. ``(A, 4)`` and ``(B, 4)`` to ``(A, B)``.

    Example:
        >>> intersection(np.array([[0.0, 0.0, 4.0, 4.0]]), np.array([[2.0, 2.0, 6.0, 6.0]])).tolist()
        [[4.0]]
    """
    left_top = np.maximum(boxes_a[:, None, :2], boxes_b[None, :, :2])
    right_bottom = np.minimum(boxes_a[:, None, 2:], boxes_b[None, :, 2:])
    side = np.maximum(right_bottom - left_top, 0)
    product: NDArray[np.floating] = side[..., 0] * side[..., 1]
    return product


def iou_matrix(boxes_a: NDArray[np.floating], boxes_b: NDArray[np.floating]) -> NDArray[np.floating]:
    """Pairwise intersection over union in ``[0, 1]``. ``(A, 4)`` and ``(B, 4)`` to ``(A, B)``; empty inputs keep shape.

    Example:
        >>> iou_matrix(np.array([[0.0, 0.0, 4.0, 4.0]]), np.array([[0.0, 0.0, 4.0, 2.0]])).tolist()
        [[0.5]]
    """
    shared = intersection(boxes_a, boxes_b)
    union = box_area(boxes_a)[:, None] + box_area(boxes_b)[None, :] - shared
    ratio: NDArray[np.floating] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return ratio


def clip_boxes(boxes_px: NDArray[np.float32], width_px: int, height_px: int) -> NDArray[np.float32]:
    """Boxes cut to the picture; a box wholly outside becomes empty. ``(N, 4)`` to ``(N, 4)``."""
    limits = np.array([width_px, height_px, width_px, height_px], dtype=boxes_px.dtype)
    clipped: NDArray[np.float32] = np.clip(boxes_px, 0, limits)
    return clipped


def xywh_to_xyxy(boxes_xywh: NDArray[np.floating]) -> NDArray[np.floating]:
    """Left, top, width, height (as MOTChallenge writes) to xyxy.

    Example:
        >>> xywh_to_xyxy(np.array([[1.0, 2.0, 3.0, 4.0]])).tolist()
        [[1.0, 2.0, 4.0, 6.0]]
    """
    return np.concatenate([boxes_xywh[..., :2], boxes_xywh[..., :2] + boxes_xywh[..., 2:4]], axis=-1)


def xyxy_to_xywh(boxes_px: NDArray[np.floating]) -> NDArray[np.floating]:
    """Inverse of `xywh_to_xyxy`."""
    return np.concatenate([boxes_px[..., :2], boxes_px[..., 2:4] - boxes_px[..., :2]], axis=-1)
