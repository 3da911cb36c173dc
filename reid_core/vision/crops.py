"""Pictures of people cut from frames: cutting, JPEG, sharpness, and how much a crop can tell of a person.

Example:
    >>> frame = np.zeros((100, 60, 3), np.uint8)
    >>> cut_crop(frame, (10.2, 20.0, 29.5, 80.0)).shape
    (60, 20, 3)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from reid_core.errors import NotAnImageError
from reid_core.geometry import intersection
from reid_core.types import CropQuality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reid_core.types import BoxArray, FloatArray, ImageBGR

__all__ = [
    "MAX_CROP_HEIGHT_PX",
    "completenesses",
    "crop_quality",
    "cut_crop",
    "decode_crop",
    "encode_crop",
    "sharpness",
    "shrink_crop",
    "visibilities",
]

MAX_CROP_HEIGHT_PX = 256
_JPEG_QUALITY = 90
_GOOD_HEIGHT_PX = 128.0
_SHARPNESS_SIZE_PX = (32, 64)  # width, height: detail is judged at one scale, so that large crops are not favoured
_SHARP_ENOUGH = 0.65  # detail against contrast of a typical sharp crop of a surveillance view
_NOISE_LEVELS = 6.0  # added to contrast, so that a flat crop's noise does not count as detail
_USUAL_ASPECT = 0.41  # width / height of a standing person
_PLAUSIBLE_ASPECTS = (0.22, 0.75)
_BORDER_SHARE = 0.005  # a box within this share of the picture's side touches the border
_AT_BORDER_AT_MOST = 0.9


def cut_crop(image: ImageBGR, box_px: Sequence[float]) -> ImageBGR:
    """The pixels that a box touches, as a view into the picture (copy it to keep it).

    Args:
        image: The frame. Shape ``(H, W, 3)``.
        box_px: xyxy; parts outside of the picture are left out.

    Returns:
        Shape ``(h, w, 3)``, at least one pixel each way.

    Raises:
        ValueError: If no part of the box lies in the picture.
    """
    height, width = image.shape[:2]
    left, top = max(math.floor(box_px[0]), 0), max(math.floor(box_px[1]), 0)
    right, bottom = min(math.ceil(box_px[2]), width), min(math.ceil(box_px[3]), height)
    if right <= left or bottom <= top:
        raise ValueError(f"box {tuple(map(float, box_px))} lies outside of the {width}x{height} picture")
    return image[top:bottom, left:right]


def shrink_crop(image: ImageBGR) -> ImageBGR:
    """A copy of a crop, made smaller if it is more than 256 px high; never made larger."""
    height, width = image.shape[:2]
    if height <= MAX_CROP_HEIGHT_PX:
        return image.copy()
    new_width = max(1, round(width * MAX_CROP_HEIGHT_PX / height))
    return np.asarray(cv2.resize(image, (new_width, MAX_CROP_HEIGHT_PX), interpolation=cv2.INTER_AREA), np.uint8)


def encode_crop(image: ImageBGR) -> tuple[bytes, int, int]:
    """JPEG of quality 90 and at most 256 px high.

    Returns:
        The JPEG's bytes, its width and its height in pixels.

    Raises:
        ValueError: If the crop is empty.
    """
    if image.size == 0:
        raise ValueError(f"an empty crop of shape {image.shape} cannot be encoded")
    small = image if image.shape[0] <= MAX_CROP_HEIGHT_PX else shrink_crop(image)
    done, buffer = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise ValueError(f"a crop of shape {image.shape} cannot be encoded")
    return buffer.tobytes(), small.shape[1], small.shape[0]


def decode_crop(jpeg: bytes) -> ImageBGR:
    """The picture in a JPEG. Shape ``(h, w, 3)``.

    Raises:
        NotAnImageError: If the bytes are no picture.
    """
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None
    if image is None:
        raise NotAnImageError(f"{len(jpeg)} bytes of a stored crop")
    return np.asarray(image, np.uint8)


def sharpness(image: ImageBGR) -> float:
    """How much fine detail a crop holds for its contrast, in ``[0, 1]``.

    The spread of the Laplacian against the spread of the brightness, both at one fixed scale, so that neither a large
    crop nor a strongly lit one counts as sharp for that alone. A plain surface has sharpness 0. What is sharp enough
    has 1: more edges than that come from signs and fences in front of people rather than from people.

    Source:
        Variance of the Laplacian (Pech-Pacheco et al., ICPR 2000), here its root divided by contrast and capped.
    """
    if image.size == 0:
        return 0.0
    grey = cv2.cvtColor(cv2.resize(image, _SHARPNESS_SIZE_PX, interpolation=cv2.INTER_LINEAR), cv2.COLOR_BGR2GRAY)
    contrast = float(cv2.meanStdDev(grey)[1][0, 0])
    detail = float(cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))[1][0, 0]) / (contrast + _NOISE_LEVELS)
    return min(1.0, detail / _SHARP_ENOUGH)


def visibilities(boxes_px: BoxArray) -> FloatArray:
    """Share of each box that no nearer box covers; the nearer of two is the one that ends lower in the picture.

    Args:
        boxes_px: All people of one frame. Shape ``(M, 4)``.

    Returns:
        In ``[0, 1]``. Shape ``(M,)``.

    Example:
        >>> visibilities(np.array([[0, 0, 10, 10], [5, 0, 15, 20]], np.float32)).tolist()
        [0.5, 1.0]
    """
    result = np.ones(len(boxes_px), np.float32)
    if len(boxes_px) < 2:
        return result
    nearer = boxes_px[None, :, 3] > boxes_px[:, None, 3]
    for box in np.flatnonzero(((intersection(boxes_px, boxes_px) > 0) & nearer).any(axis=1)):
        result[box] = 1.0 - _covered_share(boxes_px[box], boxes_px[nearer[box]])
    return result


def completenesses(boxes_px: BoxArray, frame_size_px: tuple[int, int]) -> FloatArray:
    """Share of each person that lies inside of the picture, lowered for shapes that no standing person has.

    A box at the border is held against the shape of a person: what is missing in height (or width) is taken to be cut
    off. A box at the border never counts as wholly complete.

    Args:
        boxes_px: Shape ``(M, 4)``.
        frame_size_px: ``(width, height)``.

    Returns:
        In ``[0, 1]``. Shape ``(M,)``.
    """
    return np.array([_completeness(box, *frame_size_px) for box in boxes_px.tolist()], np.float32)


def crop_quality(
    crop: ImageBGR, box_px: Sequence[float], *, others_px: BoxArray, frame_size_px: tuple[int, int]
) -> CropQuality:
    """Quality of one crop.

    Args:
        crop: Its pixels. Shape ``(h, w, 3)``.
        box_px: Where it was cut, xyxy.
        others_px: The other people of the frame. Shape ``(M, 4)``.
        frame_size_px: ``(width, height)`` of the frame.
    """
    box = np.asarray(box_px, np.float32)[None]
    boxes = np.concatenate([box, others_px.astype(np.float32)])
    return CropQuality(
        size=height_share(float(box[0, 3] - box[0, 1])),
        sharpness=sharpness(crop),
        visibility=float(visibilities(boxes)[0]),
        completeness=float(completenesses(box, frame_size_px)[0]),
    )


def height_share(height_px: float) -> float:
    """Height against 128 px, at most 1."""
    return min(1.0, max(0.0, height_px) / _GOOD_HEIGHT_PX)


def _covered_share(box: BoxArray, covers: BoxArray) -> float:
    """Share of ``box`` under the union of ``covers``: summed over the cells that all their edges cut it into."""
    xs = np.unique(np.clip(np.append(covers[:, [0, 2]], box[[0, 2]]), box[0], box[2]))
    ys = np.unique(np.clip(np.append(covers[:, [1, 3]], box[[1, 3]]), box[1], box[3]))
    x_mid, y_mid = (xs[1:] + xs[:-1]) / 2, (ys[1:] + ys[:-1]) / 2
    inside_x = (covers[:, 0, None] < x_mid) & (x_mid < covers[:, 2, None])
    inside_y = (covers[:, 1, None] < y_mid) & (y_mid < covers[:, 3, None])
    covered = (inside_y[:, :, None] & inside_x[:, None, :]).any(axis=0)
    cells = np.diff(ys)[:, None] * np.diff(xs)[None, :]
    return float(cells[covered].sum() / max(float(cells.sum()), 1e-9))


def _completeness(box_px: Sequence[float], width_px: int, height_px: int) -> float:
    left, top, right, bottom = box_px
    width, height = right - left, bottom - top
    if width <= 0 or height <= 0:
        return 0.0
    seen_width = max(0.0, min(right, width_px) - max(left, 0.0))
    seen_height = max(0.0, min(bottom, height_px) - max(top, 0.0))
    if seen_width <= 0 or seen_height <= 0:
        return 0.0
    margin = _BORDER_SHARE * max(width_px, height_px)
    cut_aside = left <= margin or right >= width_px - margin
    cut_upright = top <= margin or bottom >= height_px - margin
    share = (seen_width * seen_height) / (width * height)
    aspect = seen_width / seen_height
    if cut_upright:
        share = min(share, _AT_BORDER_AT_MOST, _USUAL_ASPECT / aspect)
    if cut_aside:
        share = min(share, _AT_BORDER_AT_MOST, aspect / _USUAL_ASPECT)
    if cut_aside or cut_upright:
        return share
    narrowest, widest = _PLAUSIBLE_ASPECTS
    return share * min(1.0, aspect / narrowest, widest / aspect)
