"""Fit a picture of any size into a network's input, and carry boxes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from reid_core.geometry import clip_boxes

if TYPE_CHECKING:
    from reid_core.types import BoxArray, ImageBGR

__all__ = ["Letterbox"]

_GREY = 114


@dataclass(frozen=True, slots=True)
class Letterbox:
    """One size of picture in one size of canvas: scaled alike in both directions, centred, grey around.

    Attributes:
        frame_size_px: ``(width, height)`` of the picture.
        scaled_size_px: ``(width, height)`` of the picture on the canvas.
        canvas_size_px: ``(width, height)`` of the canvas.
        offset_px: Left and top of the picture on the canvas.
    """

    frame_size_px: tuple[int, int]
    scaled_size_px: tuple[int, int]
    canvas_size_px: tuple[int, int]
    offset_px: tuple[int, int]

    @staticmethod
    def fit(width_px: int, height_px: int, *, longest_px: int = 640, stride: int = 32) -> Letterbox:
        """The smallest canvas with sides of whole strides that holds the picture scaled to ``longest_px``.

        Raises:
            ValueError: If a side is not positive.

        Example:
            >>> Letterbox.fit(768, 576).canvas_size_px
            (640, 480)
            >>> Letterbox.fit(1920, 1080).offset_px
            (0, 12)

        Source:
            The rectangular inference of YOLO (ultralytics ``LetterBox``), to the pixel.
        """
        if width_px <= 0 or height_px <= 0:
            raise ValueError(f"a picture needs positive sides, got {width_px}x{height_px}")
        scale = longest_px / max(width_px, height_px)
        scaled = max(round(width_px * scale), 1), max(round(height_px * scale), 1)
        canvas = -(-scaled[0] // stride) * stride, -(-scaled[1] // stride) * stride
        offset = round((canvas[0] - scaled[0]) / 2 - 0.1), round((canvas[1] - scaled[1]) / 2 - 0.1)
        return Letterbox((width_px, height_px), scaled, canvas, offset)

    @staticmethod
    def for_picture(image: ImageBGR, *, longest_px: int = 640) -> Letterbox:
        """The letterbox of one picture, which is checked here.

        Raises:
            ValueError: If it is no BGR picture of shape ``(H, W, 3)`` in uint8.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
            raise ValueError(f"expected a BGR picture of shape (H, W, 3) in uint8, got {image.shape} in {image.dtype}")
        return Letterbox.fit(image.shape[1], image.shape[0], longest_px=longest_px)

    def blank(self) -> ImageBGR:
        """A fresh grey canvas. Shape ``(H, W, 3)``."""
        width, height = self.canvas_size_px
        return np.full((height, width, 3), _GREY, dtype=np.uint8)

    def paint(self, image: ImageBGR, canvas: ImageBGR) -> None:
        """Scale the picture into a canvas of `blank`; the grey around it stays as it is.

        Raises:
            ValueError: If the picture is not of this letterbox's size.
        """
        width, height = self.frame_size_px
        if image.shape != (height, width, 3):
            raise ValueError(f"expected a picture of shape {(height, width, 3)}, got {image.shape}")
        (left, top), (scaled_width, scaled_height) = self.offset_px, self.scaled_size_px
        inside = canvas[top : top + scaled_height, left : left + scaled_width]
        if self.scaled_size_px == self.frame_size_px:
            inside[:] = image
        else:
            cv2.resize(image, self.scaled_size_px, dst=inside, interpolation=cv2.INTER_LINEAR)

    def to_frame(self, boxes_px: BoxArray) -> BoxArray:
        """Boxes on the canvas to boxes in the picture, clipped to it. ``(N, 4)`` to ``(N, 4)``, float32."""
        (width, height), (scaled_width, scaled_height) = self.frame_size_px, self.scaled_size_px
        scale = np.array([scaled_width / width, scaled_height / height] * 2, dtype=np.float32)
        offset = np.array([*self.offset_px, *self.offset_px], dtype=np.float32)
        return clip_boxes((boxes_px - offset) / scale, width, height)
