"""Charts as inline SVG, hand-written: a few hundred bytes each, sharp at any size, coloured by the page's style sheet.

Nothing here holds a colour: every shape has a class, and the page says what it looks like by day and by night.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Axis", "Series", "density_chart", "line_chart"]

_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 20.0, 14.0, 40.0
_POINTS = 161
_FEW = 80
_MARK_PX = np.array([40.0, 14.0])  # room of a written value


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis.

    Attributes:
        label: What it measures, with its unit.
        low: Where it begins.
        high: Where it ends.
        ticks: Values that are marked.
        form: How they are written, such as ``{:.0%}``.
    """

    label: str
    low: float
    high: float
    ticks: Sequence[float]
    form: str = "{:g}"

    @staticmethod
    def of(label: str, low: float, high: float, *, form: str = "{:g}", about: int = 5) -> Axis:
        """An axis with about so many round ticks.

        Example:
            >>> Axis.of("s", 0, 47).ticks
            (0.0, 10.0, 20.0, 30.0, 40.0)
        """
        high = high if high > low else low + 1.0
        rough = (high - low) / max(1, about)
        power = 10.0 ** np.floor(np.log10(rough))
        step = float(power * min((1, 2, 2.5, 5, 10), key=lambda round_: abs(np.log(round_ * power / rough))))
        first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
        return Axis(label, low, high, tuple(round(at * step, 10) for at in range(first, last + 1)), form)

    def share(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where values lie along it, 0 at its beginning and 1 at its end."""
        return (np.asarray(values, np.float64) - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One curve: its name, its points, and the class that colours it."""

    name: str
    xs: NDArray[np.float64]
    ys: NDArray[np.float64]
    css_class: str = "series-0"


class _Canvas:
    """Collects shapes inside of a frame with two axes."""

    def __init__(self, x: Axis, y: Axis | None, *, size: tuple[float, float], title: str) -> None:
        self.x, self.y = x, y
        self.width, self.height = size
        self.left = _LEFT if y is not None else 10.0
        self.shapes = [f"<title>{escape(title)}</title>"]
        self._draw_axes()

    def xs(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.left + self.x.share(values) * (self.width - self.left - _RIGHT)

    def ys(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.height - _BOTTOM - shares * (self.height - _TOP - _BOTTOM)

    def text(self, x: float, y: float, text: str, *, css_class: str = "tick", anchor: str = "middle") -> None:
        self.shapes.append(
            f'<text class="{css_class}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
        )

    def path(self, points: NDArray[np.float64], css_class: str, *, close: bool = False, title: str = "") -> None:
        steps = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        note = f"<title>{escape(title)}</title>" if title else ""
        self.shapes.append(f'<path class="{css_class}" d="M{steps}{"Z" if close else ""}">{note}</path>')

    def line(self, x1: float, y1: float, x2: float, y2: float, css_class: str) -> None:
        self.shapes.append(f'<line class="{css_class}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')

    def svg(self) -> str:
        return (
            f'<svg class="chart" viewBox="0 0 {self.width:g} {self.height:g}" role="img">{"".join(self.shapes)}</svg>'
        )

    def _draw_axes(self) -> None:
        floor = float(self.ys(np.zeros(1))[0])
        if self.y is not None:
            heights = self.ys(self.y.share(np.array(self.y.ticks)))
            for value, at in zip(self.y.ticks, heights.tolist(), strict=True):
                self.line(self.left, at, self.width - _RIGHT, at, "grid")
                self.text(self.left - 7, at + 4, self.y.form.format(value), anchor="end")
            self.text(self.left, _TOP - 2, self.y.label, css_class="axis-label", anchor="start")
        self.line(self.left, floor, self.width - _RIGHT, floor, "axis")
        for value, at in zip(self.x.ticks, self.xs(np.array(self.x.ticks)).tolist(), strict=True):
            self.line(at, floor, at, floor + 4, "axis")
            self.text(at, floor + 17, self.x.form.format(value))
        self.text(self.width - _RIGHT, self.height - 5, self.x.label, css_class="axis-label", anchor="end")


def line_chart(
    series: Sequence[Series],
    *,
    x: Axis,
    y: Axis,
    title: str,
    marks: Sequence[float] = (),
    marks_above: bool = False,
    size: tuple[int, int] = (520, 300),
) -> str:
    """Curves, the first filled down to zero where the axis begins there.

    Args:
        series: At least one; points lie within the axes.
        x: Along.
        y: Up.
        title: Read out to those who do not see it.
        marks: Values of ``x`` at which the first curve gets a dot that tells its value.
        marks_above: Write the values above the curve, which suits a falling one.
        size: Width and height in the chart's own units.
    """
    canvas = _Canvas(x, y, size=size, title=title)
    for number, one in enumerate(series):
        points = np.column_stack([canvas.xs(one.xs), canvas.ys(y.share(one.ys))])
        if number == 0 and y.low == 0:
            floor = canvas.ys(np.zeros(1))[0]
            below = np.array([[points[-1, 0], floor], [points[0, 0], floor]])
            canvas.path(np.concatenate([points, below]), f"area {one.css_class}", close=True)
        canvas.path(points, f"line {one.css_class}", title=one.name)
    first, written_at = series[0], [np.full(2, -np.inf)]
    for mark in marks:
        value = float(np.interp(mark, first.xs, first.ys))
        at_x, at_y = float(canvas.xs(np.array([mark]))[0]), float(canvas.ys(y.share(np.array([value])))[0])
        place = f'cx="{at_x:.1f}" cy="{at_y:.1f}" r="4"'
        written = f"{x.form.format(mark)}: {value:.1%}"
        canvas.shapes.append(f'<circle class="dot {first.css_class}" {place}><title>{written}</title></circle>')
        if (np.abs(np.array([at_x, at_y]) - written_at[-1]) < _MARK_PX).all():
            continue  # its value would lie on the one before; the dot tells it when it is pointed at
        written_at.append(np.array([at_x, at_y]))
        fits = at_x + _MARK_PX[0] < canvas.width
        aside, anchor = (7, "start") if fits else (-7, "end")
        above = -9 if marks_above else 16
        canvas.text(at_x + aside, at_y + above, f"{100 * value:.1f}", css_class="mark", anchor=anchor)
    return canvas.svg()


def density_chart(
    groups: Sequence[tuple[str, NDArray[np.floating], str]],
    *,
    x: Axis,
    title: str,
    size: tuple[int, int] = (520, 300),
) -> str:
    """Smooth distributions over each other, each of area one within the axis; few values are marked one by one.

    Args:
        groups: Name, values and class of each; what lies beyond the axis is left out.
        x: Along.
        title: Read out to those who do not see it.
        size: Width and height in the chart's own units.
    """
    shown = [(name, values[(values >= x.low) & (values <= x.high)], hue) for name, values, hue in groups]
    curves = [_density(np.asarray(values, np.float64), x) for _, values, _ in shown]
    highest = max((float(curve.max()) for curve in curves), default=0.0) or 1.0
    canvas = _Canvas(x, None, size=size, title=title)
    along, floor = canvas.xs(np.linspace(x.low, x.high, _POINTS)), float(canvas.ys(np.zeros(1))[0])
    for (name, values, css_class), curve in zip(shown, curves, strict=True):
        points = np.column_stack([along, canvas.ys(0.97 * curve / highest)])
        ends = np.array([[along[-1], floor], [along[0], floor]])
        canvas.path(np.concatenate([points, ends]), f"area {css_class}", close=True, title=f"{name}: {len(values):,}")
        canvas.path(points, f"line thin {css_class}")
        if len(values) <= _FEW:
            for at in canvas.xs(np.asarray(values, np.float64)).tolist():
                canvas.line(at, floor, at, floor - 6, f"rug {css_class}")
    return canvas.svg()


def _density(values: NDArray[np.float64], x: Axis) -> NDArray[np.float64]:
    """Gaussian kernels over a fine histogram, mirrored at both ends of the axis so that nothing leaks out.

    The width is Silverman's rule, at least a hundredth and at most a twentieth of the axis.
    """
    if not len(values):
        return np.zeros(_POINTS)
    fine = 4 * (_POINTS - 1)
    counts, _ = np.histogram(values, fine, (x.low, x.high))
    spread = min(float(values.std()), float(np.subtract(*np.quantile(values, (0.75, 0.25)))) / 1.34) or float(
        values.std()
    )
    width = np.clip(0.9 * spread * len(values) ** -0.2 / (x.high - x.low), 0.01, 0.05) * fine
    offsets = np.arange(-int(4 * width), int(4 * width) + 1)
    kernel = np.exp(-0.5 * (offsets / width) ** 2)
    smooth = np.convolve(
        np.pad(counts / counts.sum(), len(offsets) // 2, mode="symmetric"), kernel / kernel.sum(), "valid"
    )
    return np.interp(np.linspace(0, fine - 1, _POINTS), np.arange(fine), smooth)
