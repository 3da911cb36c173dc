"""A square table of shares as inline SVG, coloured by the page's style sheet."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["heat_map"]


def heat_map(
    values: NDArray[np.float64],
    notes: Sequence[Sequence[str]],
    *,
    labels: Sequence[str],
    row_label: str,
    column_label: str,
    title: str,
) -> str:
    """A square of shares, darker for more; cells without a value stay empty.

    Args:
        values: In ``[0, 1]`` or not a number. Shape ``(n, n)``.
        notes: What a pointer over a cell tells. ``n`` lists of ``n``.
        labels: Of rows and columns, n of them.
        row_label: What rows are.
        column_label: What columns are.
        title: Read out to those who do not see it.
    """
    count = len(labels)
    margin = max(52.0, 26.0 + 7.0 * min(14, max(len(label) for label in labels)))
    cell = min(108.0, max(17.0, (520.0 - margin) / count))
    height = min(cell, 46.0) if count > 1 else cell
    width, tall = margin + cell * count + 4, 44.0 + height * count + 4
    parts = [f"<title>{escape(title)}</title>"]
    parts.append(f'<text class="axis-label" x="{margin:.1f}" y="12">{escape(column_label)} →</text>')
    parts.append(f'<text class="axis-label" x="4" y="36">{escape(row_label)} ↓</text>')
    for place, label in enumerate(labels):
        short = label if len(label) <= 14 else f"{label[:13]}…"
        x, y = margin + cell * (place + 0.5), 44 + height * (place + 0.5)
        if cell >= 7 * len(short) or count <= 8:
            parts.append(f'<text class="tick" x="{x:.1f}" y="36" text-anchor="middle">{escape(short)}</text>')
        else:
            parts.append(
                f'<text class="tick" transform="translate({x + 3:.1f} 40) rotate(-55)">{escape(short[:5])}</text>'
            )
        parts.append(
            f'<text class="tick" x="{margin - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{escape(short)}</text>'
        )
    for row, column in np.ndindex(count, count):
        x, y = margin + cell * column, 44 + height * row
        parts.append(_cell(x, y, cell, height, float(values[row, column]), notes[row][column]))
    frame = f'viewBox="0 0 {width:.0f} {tall:.0f}" style="max-width:{1.2 * width:.0f}px"'
    return f'<svg class="chart" role="img" {frame}>{"".join(parts)}</svg>'


def _cell(x: float, y: float, width: float, height: float, value: float, note: str) -> str:
    box = f'x="{x + 1:.1f}" y="{y + 1:.1f}" width="{width - 2:.1f}" height="{height - 2:.1f}" rx="4"'
    if np.isnan(value):
        return f'<rect class="cell empty" {box}><title>{escape(note)}</title></rect>'
    strength = 0.06 + 0.94 * value
    shape = f'<rect class="cell" {box} fill-opacity="{strength:.3f}"><title>{escape(note)}</title></rect>'
    if width < 30:
        return shape
    css_class = "on-dark" if strength > 0.55 else "on-light"
    middle = f'x="{x + width / 2:.1f}" y="{y + height / 2 + 4:.1f}" text-anchor="middle"'
    return f'{shape}<text class="cell-text {css_class}" {middle}>{100 * value:.0f}</text>'
