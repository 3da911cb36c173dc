"""The page that shows tracking scores: figures, thresholds, sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reid_core.evaluation.report_page import Card, Legend, Page, Table, Tile
from reid_core.evaluation.svg_bars import grouped_bars
from reid_core.evaluation.svg_charts import Axis, Series, line_chart
from reid_core.metrics.hota import ALPHAS

if TYPE_CHECKING:
    from reid_core.evaluation.tracking_report import TrackingReport
    from reid_core.metrics.tracking import TrackingScores

__all__ = ["TRACKING_FOOTER", "percent_tile", "tracking_cards", "tracking_facts", "tracking_page", "tracking_tiles"]

TRACKING_FOOTER = (
    "HOTA is the geometric mean of detection accuracy (DetA) and association accuracy (AssA), a mean over 19 "
    "thresholds of IoU from 0.05 to 0.95. IDF1, MOTA and the counts are at IoU 0.5; MOTA falls below "
    "zero where errors outnumber the true boxes. All together is what the added counts give, not a mean of percentages."
)
_NAMES = ("HOTA", "DetA", "AssA")
_MOST_BESIDE = 14


def tracking_page(report: TrackingReport) -> Page:
    """Lay out the page of one camera's sequences."""
    names = list(report.sequences)
    title = f"Tracking of {names[0]}" if len(names) == 1 else "Tracking"
    facts = [("sequences", f"{len(names)}"), *tracking_facts(report)]
    return Page(title, facts, tracking_tiles(report), tracking_cards(report), (TRACKING_FOOTER,))


def tracking_facts(report: TrackingReport) -> list[tuple[str, str]]:
    """What was scored, in numbers."""
    counts = report.combined.clear_counts
    return [("true boxes", f"{counts.tp + counts.fn:,}"), ("result boxes", f"{counts.tp + counts.fp:,}")]


def tracking_tiles(report: TrackingReport, *, note: str = "") -> list[Tile]:
    """The combined figures in large letters.

    Args:
        report: The scores.
        note: Below each figure that is one camera's own affair.
    """
    scores = report.combined
    figures = {"HOTA": scores.hota, "DetA": scores.deta, "AssA": scores.assa, "IDF1": scores.idf1, "MOTA": scores.mota}
    tiles = [percent_tile(name, value, note) for name, value in figures.items()]
    return [*tiles, Tile("IDSW", f"{scores.idsw:,}", note or "identity switches")]


def percent_tile(label: str, percent: float, note: str = "") -> Tile:
    """A figure in percent above its bar; below zero, the bar is empty."""
    return Tile(label, f"{percent:.1f}", note, share=percent / 100)


def tracking_cards(report: TrackingReport, *, noun: str = "sequence") -> list[Card]:
    """Curves over the threshold, bars for each sequence where there are several, and the table.

    Args:
        report: The scores.
        noun: What a sequence is called, such as ``camera``.
    """
    is_alone = len(report.sequences) == 1
    cards = [_threshold_card(report.combined, is_wide=is_alone or len(report.sequences) > _MOST_BESIDE)]
    if not is_alone:
        cards.append(_bars_card(report, noun))
    return [*cards, Card(f"Each {noun}", _table(report, noun).html(), is_wide=True)]


def _threshold_card(scores: TrackingScores, *, is_wide: bool) -> Card:
    counts = scores.hota_counts
    curves = dict(zip(_NAMES, (counts.hota, counts.deta, counts.assa), strict=True))
    series = [Series(name, ALPHAS, ys, css_class=f"series-{at}") for at, (name, ys) in enumerate(curves.items())]
    body = line_chart(
        series,
        x=Axis("IoU at least", float(ALPHAS[0]), float(ALPHAS[-1]), (0.05, 0.25, 0.5, 0.75, 0.95)),
        y=Axis.of("accuracy", 0, 1, form="{:.0%}"),
        title="HOTA, DetA and AssA by localisation threshold",
        marks=(0.25, 0.5, 0.75),
        marks_above=True,
        size=(1100, 330) if is_wide else (520, 330),
    )
    note = "How well boxes must fit to count as a match. HOTA, DetA and AssA are the means of these curves."
    return Card("By localisation threshold", body, note, _legends(), is_wide=is_wide)


def _bars_card(report: TrackingReport, noun: str) -> Card:
    groups = [(name, [one.hota / 100, one.deta / 100, one.assa / 100]) for name, one in report.sequences.items()]
    body = grouped_bars(groups, names=_NAMES, title=f"HOTA, DetA and AssA by {noun}")
    note = "In percent. Low DetA: people are missed or invented. Low AssA: their ids do not last."
    return Card(f"From {noun} to {noun}", body, note, _legends(), is_wide=len(groups) > _MOST_BESIDE)


def _legends() -> tuple[Legend, ...]:
    return tuple(Legend(name, f"series-{number}") for number, name in enumerate(_NAMES))


def _table(report: TrackingReport, noun: str) -> Table:
    rows = (
        dict(report.sequences) if len(report.sequences) == 1 else {**report.sequences, "all together": report.combined}
    )
    figures = [(name, scores.as_dict()) for name, scores in rows.items()]
    return Table((noun, *figures[0][1]), [(name, *map(_written, one.values())) for name, one in figures])


def _written(value: float) -> str:
    return f"{value:.1f}" if isinstance(value, float) else f"{value:,}"
