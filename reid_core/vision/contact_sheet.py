"""A picture of searches: each row a query and its nearest answers, right ones framed green, wrong ones red."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reid_core.types import ImageBGR

__all__ = ["SheetCell", "SheetRow", "draw_contact_sheet", "write_png"]

_SCALE = 2  # drawn at twice the size in points, so that the letters stay crisp on any screen
_CROP_PT = (72, 144)
_CELL_PT = (84, 182)
_QUERY_GAP_PT = 22
_MARGIN_PT = 28
_HEADER_PT = 74
_ROW_HEAD_PT = 22
_ROW_GAP_PT = 14
_FOOTER_PT = 34
_FRAME_PT = 3
_BADGE_PT = 14
_LEAST_COLUMNS = 6

_TICK = ((0.28, 0.52), (0.44, 0.68), (0.73, 0.34))
_CROSS = (((0.33, 0.33), (0.67, 0.67)), ((0.67, 0.33), (0.33, 0.67)))

_PAPER, _INK, _FAINT, _MAT, _RULE = "#ffffff", "#1c1f24", "#70757d", "#eef0f3", "#e1e4e8"
_RIGHT, _WRONG, _QUERY = "#1a9850", "#d7302b", "#2b5fd9"


@dataclass(frozen=True, slots=True, eq=False)
class SheetCell:
    """One crop with what stands under it.

    Attributes:
        image: The crop; any size, it is fitted into its place.
        lines: At most two short lines.
        is_right: Whether it shows the query's person; ``None`` for the query itself.
    """

    image: ImageBGR
    lines: tuple[str, ...]
    is_right: bool | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SheetRow:
    """A query, its answers nearest first, and a line above them."""

    title: str
    query: SheetCell
    answers: tuple[SheetCell, ...]


def draw_contact_sheet(rows: Sequence[SheetRow], *, title: str, subtitle: str, footer: str) -> ImageBGR:
    """Draw the sheet.

    Args:
        rows: Searches, top to bottom; as wide as the longest of them.
        title: The headline.
        subtitle: Under it, how to read the sheet.
        footer: Below all, such as the figures of the whole run.

    Returns:
        The picture, as tall as it needs to be.

    Raises:
        ValueError: If there is no row.
    """
    if not rows:
        raise ValueError("a contact sheet needs at least one row")
    columns = max(_LEAST_COLUMNS, *(len(row.answers) for row in rows))
    row_pt = _ROW_HEAD_PT + _CELL_PT[1] + _ROW_GAP_PT
    width = 2 * _MARGIN_PT + _CELL_PT[0] * (columns + 1) + _QUERY_GAP_PT
    height = _HEADER_PT + len(rows) * row_pt + _FOOTER_PT + _MARGIN_PT
    sheet = Image.new("RGB", (width * _SCALE, height * _SCALE), _PAPER)
    pen = _Pen(sheet)
    pen.text((_MARGIN_PT, 22), title, size=20, colour=_INK)
    pen.text((_MARGIN_PT, 48), subtitle, size=11, colour=_FAINT)
    for number, row in enumerate(rows):
        _draw_row(pen, row, top=_HEADER_PT + number * row_pt, width=width)
    pen.text((_MARGIN_PT, height - _MARGIN_PT - 14), footer, size=11, colour=_FAINT)
    return np.ascontiguousarray(np.asarray(sheet, np.uint8)[:, :, ::-1])


def write_png(path: Path, image: ImageBGR) -> None:
    """Write a picture, whole or not at all; an existing one is replaced."""
    partial = path.with_name(path.name + ".partial")
    Image.fromarray(np.ascontiguousarray(image[:, :, ::-1])).save(partial, format="PNG")
    partial.replace(path)


class _Pen:
    """Draws in points on a picture of `_SCALE` times as many pixels."""

    def __init__(self, sheet: Image.Image) -> None:
        self._sheet = sheet
        self._draw = ImageDraw.Draw(sheet)

    def text(self, at_pt: tuple[float, float], text: str, *, size: float, colour: str, anchor: str = "la") -> None:
        font = ImageFont.load_default(size * _SCALE)
        self._draw.text((at_pt[0] * _SCALE, at_pt[1] * _SCALE), text, fill=colour, font=font, anchor=anchor)

    def line(self, start_pt: tuple[float, float], stop_pt: tuple[float, float]) -> None:
        ends = [value * _SCALE for value in (*start_pt, *stop_pt)]
        self._draw.line(ends, fill=_RULE, width=1)

    def badge(self, at_pt: tuple[float, float], *, is_right: bool) -> None:
        """A tick or a cross, for eyes that do not tell green from red."""
        left, top, size = at_pt[0] * _SCALE, at_pt[1] * _SCALE, _BADGE_PT * _SCALE
        self._draw.ellipse((left, top, left + size, top + size), fill=_RIGHT if is_right else _WRONG)
        for stroke in (_TICK,) if is_right else _CROSS:
            points = [(left + x * size, top + y * size) for x, y in stroke]
            self._draw.line(points, fill=_PAPER, width=2 * _SCALE, joint="curve")

    def framed(self, image: ImageBGR, at_pt: tuple[float, float], colour: str) -> None:
        left, top = round(at_pt[0] * _SCALE), round(at_pt[1] * _SCALE)
        width, height = _CROP_PT[0] * _SCALE, _CROP_PT[1] * _SCALE
        edge = _FRAME_PT * _SCALE
        box = (left - edge, top - edge, left + width + edge - 1, top + height + edge - 1)
        self._draw.rounded_rectangle(box, radius=2 * edge, fill=_MAT, outline=colour, width=edge)
        fitted = _fitted(image, width, height)
        offset = (left + (width - fitted.width) // 2, top + (height - fitted.height) // 2)
        self._sheet.paste(fitted, offset)


def _draw_row(pen: _Pen, row: SheetRow, *, top: float, width: float) -> None:
    pen.line((_MARGIN_PT, top), (width - _MARGIN_PT, top))
    pen.text((_MARGIN_PT, top + 5), row.title, size=11, colour=_INK)
    top += _ROW_HEAD_PT + _FRAME_PT
    _draw_cell(pen, row.query, (_MARGIN_PT + _FRAME_PT, top))
    for place, answer in enumerate(row.answers):
        left = _MARGIN_PT + _FRAME_PT + _CELL_PT[0] + _QUERY_GAP_PT + place * _CELL_PT[0]
        _draw_cell(pen, answer, (left, top))


def _draw_cell(pen: _Pen, cell: SheetCell, at_pt: tuple[float, float]) -> None:
    colour = _QUERY if cell.is_right is None else _RIGHT if cell.is_right else _WRONG
    pen.framed(cell.image, at_pt, colour)
    if cell.is_right is not None:
        pen.badge((at_pt[0] + _CROP_PT[0] - _BADGE_PT - 2, at_pt[1] + 2), is_right=cell.is_right)
    middle, below = at_pt[0] + _CROP_PT[0] / 2, at_pt[1] + _CROP_PT[1] + _FRAME_PT + 4
    for number, line in enumerate(cell.lines[:2]):
        pen.text((middle, below + 13 * number), line, size=10, colour=_FAINT if number else _INK, anchor="ma")


def _fitted(image: ImageBGR, width: int, height: int) -> Image.Image:
    """The crop as large as it fits, its sides in proportion."""
    picture = Image.fromarray(np.ascontiguousarray(image[:, :, ::-1]))
    scale = min(width / picture.width, height / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS)
