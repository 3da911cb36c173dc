"""The harness as a page: each method's figures, and the paper's analysis of its graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.evaluation.report_page import Card, Legend, Page, Table, Tile
from reid_core.evaluation.svg_charts import Axis, Series, line_chart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from reid_core.evaluation.fusion.parameter_curves import ParameterCurves, ParameterPoint
    from reid_core.evaluation.fusion.report import FusionReport

__all__ = ["fusion_page"]

_TITLE = "Fusion of looks and time"
_FOOTER = (
    "Who was seen where and when is real (Market-1501's lists); looks are simulated so that they reach the stated mAP "
    "alone. A figure compares methods under one recipe; it is none on Market-1501's images."
)
_GAP_S, _BINS = 300.0, 100
_PANELS = 6


def fusion_page(report: FusionReport, curves: ParameterCurves) -> Page:
    """Lay out the page: methods first, then the paper's Figures 3 to 5."""
    figures = report.figures()
    facts = [
        ("looks alone", f"mAP {report.wanted_map:g}"),
        ("seed", str(report.seed)),
        *((name, f"{count:,}") for name, count in report.sizes.items()),
    ]
    tiles = [
        Tile(name, f"{100 * row['map']:.1f}", f"mAP; rank-1 {100 * row['rank1']:.1f}", row["map"])
        for name, row in list(figures.items())[:6]
    ]
    cards = [
        _methods_card(figures),
        _edges_card("k_s: neighbours by looks", curves.visual, "k_s"),
        _edges_card("k_l: neighbours that time may join", curves.timed, "k_l"),
        _ranking_card("k_s: neighbours by looks", curves.visual, "k_s"),
        _ranking_card("k_l: neighbours that time may join", curves.timed, "k_l"),
        *_gap_cards(curves),
    ]
    return Page(_TITLE, facts, tiles, cards, (_FOOTER,))


def _methods_card(figures: dict[str, dict[str, float]]) -> Card:
    base = figures["visual"]["map"]
    rows = [
        (
            name,
            *(f"{100 * row[key]:.2f}" for key in ("map", "rank1", "rank5", "rank10")),
            f"{100 * (row['map'] - base):+.2f}",
        )
        for name, row in figures.items()
    ]
    table = Table(("method", "mAP", "rank-1", "rank-5", "rank-10", "gain"), rows)
    return Card("Methods", table.html(), "Points of mAP over looks alone in the last column.", is_wide=True)


def _edges_card(title: str, points: Sequence[ParameterPoint], name: str) -> Card:
    joined = [one for one in points if one.precision > 0 or one.recall > 0]  # with k = 1 there is no edge to be right
    points = joined if len(joined) > 1 else points
    right = [("right edges", [p.precision for p in points]), ("joined pairs", [p.recall for p in points])]
    note = "Share of the training graph's edges that join one person; share of one person's pairs that it joins."
    return _curves_card(f"Figure 3, {title} in the training graph", points, name, right, note, low=0.0)


def _ranking_card(title: str, points: Sequence[ParameterPoint], name: str) -> Card:
    ranked = [("mAP", [p.mean_precision for p in points]), ("rank-1", [p.rank1 for p in points])]
    low = np.floor(20 * min(min(values) for _, values in ranked) - 0.2) / 20
    note = f"The paper's form with other values of {name}; the paper takes {'3' if name == 'k_s' else '60'}."
    return _curves_card(f"Figure 4, {title} in re-ranking", points, name, ranked, note, low=float(low))


def _curves_card(
    title: str,
    points: Sequence[ParameterPoint],
    name: str,
    curves: Sequence[tuple[str, list[float]]],
    note: str,
    *,
    low: float,
) -> Card:
    at = np.array([point.value for point in points], np.float64)
    series = [Series(label, at, np.array(values), f"series-{k}") for k, (label, values) in enumerate(curves)]
    x = Axis(name, float(at[0]), float(at[-1]), tuple(at.tolist()))
    svg = line_chart(series, x=x, y=Axis.of("share", low, 1.0, form="{:.0%}"), title=title)
    legends = tuple(Legend(label, f"series-{k}") for k, (label, _) in enumerate(curves))
    return Card(title, svg, note, legends)


def _gap_cards(curves: ParameterCurves) -> list[Card]:
    """The ways that most true pairs took."""
    often = sorted(curves.true_s, key=lambda ways: -len(curves.true_s[ways]))[:_PANELS]
    return [_gap_card(ways, curves.recorded_s[ways], curves.true_s[ways]) for ways in sorted(often)]


def _gap_card(ways: tuple[str, str], recorded_s: NDArray[np.float64], true_s: NDArray[np.float64]) -> Card:
    edges = np.linspace(-_GAP_S, _GAP_S, _BINS + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    shares = [np.histogram(gaps, edges)[0] / max(len(gaps), 1) for gaps in (recorded_s, true_s)]
    names = (f"recorded by neighbours ({len(recorded_s):,})", f"one person's ({len(true_s):,})")
    series = [
        Series(name, middles, share, f"series-{k}") for k, (name, share) in enumerate(zip(names, shares, strict=True))
    ]
    highest = max(float(1.05 * max(share.max() for share in shares)), 1e-3)
    title = f"Figure 5, gaps from camera {ways[0]} to camera {ways[1]}"
    svg = line_chart(
        series,
        x=Axis.of("gap in seconds", -_GAP_S, _GAP_S, about=6),
        y=Axis.of("share of all gaps", 0.0, highest, form="{:.1%}", about=4),
        title=title,
    )
    legends = tuple(Legend(name, f"series-{k}") for k, name in enumerate(names))
    return Card(title, svg, "Recorded without a label; the truth beside it is for comparison only.", legends)
