"""From an uploaded file to the person in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.errors import ImageTooLargeError, NoPersonError, NotAnImageError
from services.query.image_size import image_size

if TYPE_CHECKING:
    from reid_core.ports import Detector
    from reid_core.types import Detections, ImageBGR

__all__ = [
    "PersonInPicture",
    "Picture",
    "PictureLimits",
    "choose_person",
    "decode_picture",
    "find_person",
    "whole_picture",
]

_LEAST_CONFIDENCE = 0.25
_SHARE_OF_SUREST = 0.5


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What a picture may measure; larger ones are refused before they are decoded."""

    side_px: int
    area_px: int


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An uploaded file and what to call it in messages."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True, eq=False)
class PersonInPicture:
    """Who is looked for, as found in a picture.

    Attributes:
        name: What the picture is called in messages.
        crop: The person's pixels as a copy, at most 256 px high, as crops are stored. Shape ``(h, w, 3)``.
        size_px: Width and height of the picture.
        box_px: xyxy within the picture.
        confidence: Of the detector, ``None`` where the whole picture was taken as the person.
        people_found: How many people the detector saw, ``None`` where it was not asked.
    """

    name: str
    crop: ImageBGR
    size_px: tuple[int, int]
    box_px: tuple[float, float, float, float]
    confidence: float | None
    people_found: int | None


def decode_picture(picture: Picture, limits: PictureLimits) -> ImageBGR:
    """The pixels of an uploaded file, after its header was found to be within the limits.

    Raises:
        NotAnImageError: If the file is no picture of an accepted format, or is damaged.
        ImageTooLargeError: If it is larger than the limits.
    """
    from reid_core.vision.crops import decode_crop

    try:
        width, height = image_size(picture.data)
    except NotAnImageError as error:
        raise NotAnImageError(f"{picture.name}: {error.detail}") from error
    if max(width, height) > limits.side_px or width * height > limits.area_px:
        allowed = f"{limits.side_px} px a side and {limits.area_px / 1e6:g} megapixels"
        raise ImageTooLargeError(f"{picture.name} is {width}x{height} px; at most {allowed} are accepted")
    try:
        return decode_crop(picture.data)
    except NotAnImageError as error:
        raise NotAnImageError(f"{picture.name}: the picture is damaged") from error


def find_person(image: ImageBGR, detector: Detector, *, name: str) -> PersonInPicture:
    """The person whom a picture is most likely about. See `choose_person`.

    Raises:
        NoPersonError: If the detector finds nobody.
    """
    from reid_core.vision.crops import cut_crop, shrink_crop

    detections = detector.detect(image)
    sure = detections.confidences >= _LEAST_CONFIDENCE
    if not sure.any():
        raise NoPersonError(name)
    chosen = choose_person(detections)
    left, top, right, bottom = detections.boxes_px[chosen].astype(float).tolist()
    return PersonInPicture(
        name=name,
        crop=shrink_crop(cut_crop(image, (left, top, right, bottom))),
        size_px=(image.shape[1], image.shape[0]),
        box_px=(left, top, right, bottom),
        confidence=float(detections.confidences[chosen]),
        people_found=int(sure.sum()),
    )


def whole_picture(image: ImageBGR, *, name: str) -> PersonInPicture:
    """The whole picture as the person: for crops that were cut already."""
    from reid_core.vision.crops import shrink_crop

    height, width = image.shape[:2]
    return PersonInPicture(
        name, shrink_crop(image), (width, height), (0.0, 0.0, float(width), float(height)), None, None
    )


def choose_person(detections: Detections) -> int:
    """Whom a picture is about: the largest of those whom the detector is about as sure of as of anybody.

    Whoever takes a picture of a person lets them fill it; but a large box of little confidence is often a shadow, a
    doorway or two people in one, so only boxes of at least half the highest confidence compete.

    Args:
        detections: At least one.

    Returns:
        The row of the chosen box; ties go to the higher confidence, then to the earlier row.
    """
    from reid_core.geometry import box_area

    compete = detections.confidences >= _SHARE_OF_SUREST * detections.confidences.max()
    area = np.where(compete, box_area(detections.boxes_px), -1.0)
    return int(np.lexsort((-detections.confidences, -area))[0])
