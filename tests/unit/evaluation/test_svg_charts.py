from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from reid_core.evaluation.svg_charts import Axis, Series, density_chart, line_chart
from reid_core.evaluation.svg_heat_map import heat_map

UNIT = Axis.of("share", 0, 1)


def shapes(svg: str, tag: str, css_class: str) -> list[ET.Element]:
    """Elements of a tag that have a class; parsing shows that the text is well formed."""
    return [one for one in ET.fromstring(svg).iter(tag) if css_class in one.get("class", "").split()]


def points(path: ET.Element) -> np.ndarray:
    numbers = [float(number) for number in re.findall(r"-?\d+\.\d", path.get("d", ""))]
    return np.array(numbers).reshape(-1, 2)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, (0, 0.2, 0.4, 0.6, 0.8, 1)),
        (-75, 75, (-75, -50, -25, 0, 25, 50, 75)),
        (0.35, 1.3, (0.4, 0.6, 0.8, 1.0, 1.2)),
        (3, 3, (3, 3.2, 3.4, 3.6, 3.8, 4)),
    ],
)
def test_ticks_are_round_and_inside(low: float, high: float, ticks: tuple[float, ...]):
    assert Axis.of("", low, high, about=5 if high != 75 else 6).ticks == pytest.approx(ticks)


def test_curve_runs_from_corner_to_corner():
    svg = line_chart(
        [Series("s", np.array([0.0, 1.0]), np.array([0.0, 1.0]))], x=UNIT, y=UNIT, title="t", size=(500, 300)
    )
    (line,) = shapes(svg, "path", "line")
    assert points(line).tolist() == [[46.0, 260.0], [480.0, 14.0]]


def test_first_curve_is_filled_only_down_to_zero():
    series = [Series("s", np.array([0.0, 1.0]), np.array([0.9, 1.0]))]
    assert len(shapes(line_chart(series, x=UNIT, y=UNIT, title="t"), "path", "area")) == 1
    assert not shapes(line_chart(series, x=UNIT, y=Axis.of("share", 0.8, 1), title="t"), "path", "area")


def test_marks_tell_their_value():
    series = [Series("s", np.array([1.0, 3.0]), np.array([0.2, 0.4]))]
    svg = line_chart(series, x=Axis.of("rank", 1, 3), y=UNIT, title="t", marks=[2])
    assert [dot[0].text for dot in shapes(svg, "circle", "dot")] == ["2: 30.0%"]
    assert [mark.text for mark in shapes(svg, "text", "mark")] == ["30.0"]


def test_text_is_escaped():
    svg = line_chart([Series("<b>", np.zeros(2), np.zeros(2))], x=UNIT, y=UNIT, title="<script>")
    assert "<script>" not in svg
    assert "<b>" not in svg


def area_of(svg: str, css_class: str) -> float:
    (line,) = (path for path in shapes(svg, "path", css_class) if "line" in path.get("class", ""))
    at = points(line)
    heights = at[:, 1].max() - at[:, 1]
    return float(((heights[1:] + heights[:-1]) / 2 * np.diff(at[:, 0])).sum())


def test_groups_of_any_size_have_equal_area():
    rng = np.random.default_rng(1)
    groups = [("many", rng.normal(0.3, 0.05, 5000), "hue-same"), ("some", rng.normal(0.7, 0.05, 100), "hue-other")]
    svg = density_chart(groups, x=UNIT, title="t")
    assert area_of(svg, "hue-same") == pytest.approx(area_of(svg, "hue-other"), rel=0.03)


def test_density_peaks_where_the_values_are():
    values = np.random.default_rng(2).normal(0.25, 0.02, 400)
    svg = density_chart([("one", values, "hue-same")], x=UNIT, title="t", size=(530, 300))
    line = points(shapes(svg, "path", "line")[0])
    assert line[line[:, 1].argmin(), 0] == pytest.approx(10 + 0.25 * 500, abs=6)


def test_few_values_are_marked_one_by_one_and_those_beyond_the_axis_left_out():
    svg = density_chart([("few", np.array([0.2, 0.5, 7.0]), "hue-same")], x=UNIT, title="t")
    assert len(shapes(svg, "line", "rug")) == 2
    assert "few: 2" in svg


def test_nothing_and_equal_values_are_drawn():
    for values in (np.zeros(0), np.full(9, 0.5)):
        assert "NaN" not in density_chart([("g", values, "hue-same")], x=UNIT, title="t").replace("nan", "NaN")


def test_cells_are_as_strong_as_their_values_and_empty_without():
    svg = heat_map(
        np.array([[np.nan, 1.0], [0.5, 0.0]]),
        [["none", "one"], ["half", "zero"]],
        labels=["a<", "b"],
        row_label="asks",
        column_label="answers",
        title="t",
    )
    assert [cell[0].text for cell in shapes(svg, "rect", "empty")] == ["none"]
    strengths = {
        cell[0].text: cell.get("fill-opacity") for cell in shapes(svg, "rect", "cell") if cell.get("fill-opacity")
    }
    assert strengths == {"one": "1.000", "half": "0.530", "zero": "0.060"}
    assert [text.text for text in shapes(svg, "text", "cell-text")] == ["100", "50", "0"]
    assert "a<" not in svg


def test_many_cameras_get_small_cells_without_numbers():
    names = [f"camera number {n}" for n in range(30)]
    svg = heat_map(np.full((30, 30), 0.5), [["n"] * 30] * 30, labels=names, row_label="r", column_label="c", title="t")
    assert len(shapes(svg, "rect", "cell")) == 900
    assert not shapes(svg, "text", "cell-text")
