"""The page that shows a ranking: its figures, its curves, its cameras, its searches."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from reid_core.evaluation.inspection import RECALLS
from reid_core.evaluation.report_page import Card, Legend, Page, Table, Tile
from reid_core.evaluation.report_searches import search_cards
from reid_core.evaluation.svg_charts import Axis, Series, density_chart, line_chart
from reid_core.evaluation.svg_heat_map import heat_map

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from reid_core.evaluation.camera_pairs import CameraPairs
    from reid_core.evaluation.inspection import Inspection, Similarities
    from reid_core.evaluation.report_searches import Portraits
    from reid_core.evaluation.transit_gaps import PairGaps

__all__ = ["RankingStory", "ranking_page"]

_HUES = ("series-0", "series-1", "series-2", "series-3", "series-4")
_SAME, _OTHER = Legend("same person", "hue-same"), Legend("different people", "hue-other")
_MOST_GAPS = 12
_ZOOM_FROM = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class RankingStory:
    """What the page tells.

    Attributes:
        title: Its headline.
        facts: Short facts below it, by name.
        figures: Of the first setting in ``[0, 1]``: rank1, rank5, rank10, map, map_trapezoid, minp.
        spreads: Their standard deviations over trials, where there are several.
        counts: More tiles: what is counted, and how many.
        curves: CMC of every setting, the first one first; entry 0 is rank-1.
        inspection: What a look into the first setting's first trial found.
        inspected: Which queries were looked into, in words.
        portraits: How queries and answers are shown.
        gaps: By camera pair, empty where no times are known.
        gap_unit: Such as "s".
        tables: Further cards: a title and a table each.
        footer: Definitions and notes.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    figures: Mapping[str, float]
    spreads: Mapping[str, float] | None
    counts: Sequence[tuple[str, str, str]]
    curves: Mapping[str, NDArray[np.float64]]
    inspection: Inspection
    inspected: str
    portraits: Portraits
    gaps: Sequence[PairGaps]
    gap_unit: str
    tables: Sequence[tuple[str, Table]]
    footer: Sequence[str]


def ranking_page(story: RankingStory) -> Page:
    """Lay out the page."""
    looked = story.inspection
    cards = [
        _cmc_card(story.curves),
        _precision_recall_card(looked.precision, story.inspected),
        _similarity_card(looked.similarities, story.inspected),
        _camera_card(looked.pairs, story.inspected),
        *_gap_cards(story.gaps, story.gap_unit),
        *search_cards(looked.queries, story.portraits),
        *(Card(title, table.html(), is_wide=True) for title, table in story.tables),
    ]
    return Page(story.title, story.facts, _tiles(story), cards, story.footer)


def _tiles(story: RankingStory) -> list[Tile]:
    names = {
        "map": "mAP",
        "rank1": "rank-1",
        "rank5": "rank-5",
        "rank10": "rank-10",
        "minp": "mINP",
        "map_trapezoid": "mAP, trapezoid",
    }
    spreads = story.spreads or {}
    tiles = [
        Tile(
            label,
            f"{100 * story.figures[name]:.1f}",
            f"± {100 * spreads[name]:.1f}" if name in spreads else "",
            share=story.figures[name],
        )
        for name, label in names.items()
    ]
    return tiles + [Tile(label, value, note) for label, value, note in story.counts]


def _cmc_card(curves: Mapping[str, NDArray[np.float64]]) -> Card:
    ranks = max(len(curve) for curve in curves.values())
    lowest = min(float(curve[0]) for curve in curves.values())
    series = [
        Series(name.replace("_", " "), np.arange(1.0, len(curve) + 1), curve, hue)
        for (name, curve), hue in zip(curves.items(), _HUES, strict=False)
    ]
    bottom = 0.0 if lowest < _ZOOM_FROM else float(np.floor(10 * lowest - 1) / 10)
    y = Axis.of("share of queries", bottom, 1, form="{:.0%}")
    x = Axis("rank", 1, ranks, tuple(k for k in (1, 5, 10, 20, 30, 40, 50) if k <= ranks))
    body = line_chart(series, x=x, y=y, title="CMC curve", marks=tuple(k for k in (1, 5, 10, 20) if k <= ranks))
    note = "Share of queries with a true match among the first k answers."
    legends = tuple(Legend(one.name, one.css_class) for one in series) if len(series) > 1 else ()
    return Card("Cumulative match characteristic", body, note, legends)


def _precision_recall_card(precision: NDArray[np.float64], inspected: str) -> Card:
    body = line_chart(
        [Series("precision", RECALLS, precision)],
        x=Axis.of("recall", 0, 1, form="{:.0%}"),
        y=Axis.of("precision", 0, 1, form="{:.0%}"),
        title="Precision by recall",
        marks=(0.25, 0.5, 0.75),
        marks_above=True,
    )
    note = f"Best precision at each recall or beyond it, mean over {inspected}."
    return Card("Precision by recall", body, note)


def _similarity_card(similarities: Similarities, inspected: str) -> Card:
    both = np.concatenate([similarities.same, similarities.different])
    low, high = (float(edge) for edge in np.quantile(both, (0.0005, 0.9995)))
    margin = 0.08 * (high - low)
    body = density_chart(
        [
            ("different people", similarities.different, _OTHER.css_class),
            ("same person", similarities.same, _SAME.css_class),
        ],
        x=Axis.of("distance", min(low, max(0.0, low - margin)), high + margin),
        title="Distances of the same person and of different people",
    )
    note = (
        f"Distances from {inspected} to the gallery, each group of equal area. "
        f"A true match is nearer than somebody else in {similarities.auc:.1%} of cases (AUC)."
    )
    return Card("Same person, different people", body, note, (_SAME, _OTHER))


def _camera_card(pairs: CameraPairs | None, inspected: str) -> Card:
    title = "From camera to camera"
    if pairs is None:
        return Card(title, "", "There are too many cameras to tell pairs of them apart.")
    body = heat_map(
        pairs.mean_precision,
        [[_pair_note(pairs, row, column) for column in range(len(pairs.cameras))] for row in range(len(pairs.cameras))],
        labels=pairs.cameras,
        row_label="asks",
        column_label="answers",
        title="Mean average precision by pair of cameras",
    )
    note = f"mAP in percent of {inspected} within one camera's gallery: fewer answers, hence easier than all at once."
    return Card(title, body, note)


def _pair_note(pairs: CameraPairs, row: int, column: int) -> str:
    names = f"{pairs.cameras[row]} asks {pairs.cameras[column]}"
    count = int(pairs.queries[row, column])
    if not count:
        return f"{names}: no query with a true match"
    precision, rank1 = pairs.mean_precision[row, column], pairs.rank1[row, column]
    return f"{names}: mAP {precision:.1%}, rank-1 {rank1:.1%}, {count} {'query' if count == 1 else 'queries'}"


def _gap_cards(gaps: Sequence[PairGaps], unit: str) -> list[Card]:
    if not gaps:
        return []
    figures = "".join(_gap_figure(one, unit) for one in gaps[:_MOST_GAPS])
    note = (
        "Time between leaving one camera and being seen next at the other; right of 0 from the first to the second, "
        "left of 0 back. Where the two curves differ, time tells people apart."
    )
    if len(gaps) > _MOST_GAPS:
        note += f" The {_MOST_GAPS} busiest of {len(gaps)} pairs."
    return [Card("Transit times", f'<div class="small-multiples">{figures}</div>', note, (_SAME, _OTHER), is_wide=True)]


def _gap_figure(gaps: PairGaps, unit: str) -> str:
    reach = 1.15 * float(np.quantile(np.abs(gaps.same), 0.9)) + 1
    body = density_chart(
        [("different people", gaps.different, _OTHER.css_class), ("same person", gaps.same, _SAME.css_class)],
        x=Axis.of(unit, -reach, reach, about=4),
        title=f"Transit times between {gaps.cameras[0]} and {gaps.cameras[1]}",
        size=(280, 160),
    )
    pair = escape(" ↔ ".join(gaps.cameras))
    return f"<figure><figcaption>{pair} <span>{len(gaps.same)} transits</span></figcaption>{body}</figure>"
