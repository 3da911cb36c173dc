"""Groups of horizontal bars as inline SVG, coloured by the page's style sheet."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["grouped_bars"]

_WIDTH, _HEIGHT, _BOTTOM, _GAP, _MOST_LETTERS = 520.0, 300.0, 22.0, 9.0, 16
_LETTER_HEIGHT = 12.0
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def grouped_bars(groups: Sequence[tuple[str, Sequence[float]]], *, names: Sequence[str], title: str) -> str:
    """One group of bars below the other; the first bar of each has its value beside it.

    Args:
        groups: Name and shares in ``[0, 1]`` of each, as many as ``names``; at least one group.
        names: What the bars of a group are; the first has the class ``series-0``, the next ``series-1``.
        title: Read out to those who do not see it.
    """
    thick = min(22.0, max(7.0, (_HEIGHT / len(groups) - _GAP) / len(names)))
    margin = 14.0 + 7.0 * min(_MOST_LETTERS, max(len(name) for name, _ in groups))
    step = thick * len(names) + _GAP
    floor, room = step * len(groups), _WIDTH - margin - 34
    parts = [f"<title>{escape(title)}</title>"]
    for share in _TICKS:
        x = margin + room * share
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="0.0" x2="{x:.1f}" y2="{floor:.1f}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{floor + 16:.1f}" text-anchor="middle">{100 * share:g}</text>')
    for number, (name, shares) in enumerate(groups):
        parts.append(_group(name, list(zip(names, shares, strict=True)), (margin, step * number), room, thick))
    return f'<svg class="chart" viewBox="0 0 {_WIDTH:g} {floor + _BOTTOM:.0f}" role="img">{"".join(parts)}</svg>'


def _group(name: str, bars: Sequence[tuple[str, float]], corner: tuple[float, float], room: float, thick: float) -> str:
    left, top = corner
    short = name if len(name) <= _MOST_LETTERS else f"{name[: _MOST_LETTERS - 1]}…"
    middle = top + _GAP / 2 + thick * len(bars) / 2 + 4
    parts = [f'<text class="tick" x="{left - 8:.1f}" y="{middle:.1f}" text-anchor="end">{escape(short)}</text>']
    for number, (figure, share) in enumerate(bars):
        y, note = top + _GAP / 2 + thick * number, escape(f"{name}: {figure} {100 * share:.1f}")
        place = f'x="{left:.1f}" y="{y:.1f}" width="{room * share:.1f}" height="{thick - 1:.1f}" rx="1.5"'
        parts.append(f'<rect class="column series-{number}" {place}><title>{note}</title></rect>')
    beside = bars[: 1 if thick > _LETTER_HEIGHT else 2]
    x, y = left + room * max(share for _, share in beside) + 5, top + _GAP / 2 + thick / 2 + 4
    parts.append(f'<text class="mark" x="{x:.1f}" y="{y:.1f}">{100 * bars[0][1]:.1f}</text>')
    return "".join(parts)
