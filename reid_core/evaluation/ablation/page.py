"""The page of an ablation: the paper's tables and figures with this site's numbers, and where the order differs."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from reid_core.evaluation.ablation.rows import FULL, Group, cross_key
from reid_core.evaluation.ablation.verdicts import order_agreement, tell_differences, verdicts
from reid_core.evaluation.report_page import Card, Legend, Page, Table, Tile
from reid_core.evaluation.svg_bars import grouped_bars
from reid_core.evaluation.svg_charts import Axis, Series, line_chart

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reid_core.evaluation.ablation.results import Ablation, RoundResult, RowResult
    from reid_core.evaluation.ablation.rows import Row

__all__ = ["ablation_page"]

_FOOTER = (
    (
        "Retrieval by looks alone, as in the paper: every tracklet whose person another camera also saw asks among all "
        "tracklets of the other cameras. The site is its own training and test set, since it is there that the model "
        "works; rows that are told labels have seen those of the tracklets they are scored on: bounds, not rivals."
    ),
    (
        "The paper's figures are on Campus-4K with ResNet-50: their order is compared, not their height. Xie et al., "
        '"Progressive Unsupervised Person Re-identification by Tracklet Association with Spatio-Temporal '
        'Regularization".'
    ),
)
_COLUMNS = ("rank-1", "rank-5", "rank-10", "rank-20", "mAP")
_HEAD = ("", "STR", "k-means", "rounds", *_COLUMNS, "paper rank-1", "paper mAP")
_PROGRESSIVE = {
    "STR + k-means": FULL,
    "STR": cross_key(has_time=True, has_kmeans=False, is_progressive=True),
    "k-means": cross_key(has_time=False, has_kmeans=True, is_progressive=True),
    "neither": cross_key(has_time=False, has_kmeans=False, is_progressive=True),
}
_SHOWN_MODELS = ("source-only", "s1-without-tsccc", "s1", FULL, "supervised")
_GROUPS = {
    "1 · Supervised": (Group.SUPERVISED,),
    "2 · Within cameras": (Group.WITHIN,),
    "3 · Across cameras": (Group.CROSS,),
}


def ablation_page(ablation: Ablation) -> Page:
    """Lay out the page; what has no figures yet is left out."""
    facts = [*ablation.facts, *([("caution", ablation.caution)] if ablation.caution else [])]
    cards = [
        _order_card(ablation),
        *(_table_card(ablation, title, groups) for title, groups in _GROUPS.items()),
        _changes_card(ablation),
        _weak_card(ablation),
        _rematch_card(ablation),
        _pairs_card(ablation, "precision", "Association precision by round"),
        _pairs_card(ablation, "recall", "Association recall by round"),
        _clusters_card(ablation),
        _rounds_card(ablation),
        _counts_card(ablation),
    ]
    return Page(ablation.title, facts, _tiles(ablation), [card for card in cards if card is not None], _FOOTER)


def _tiles(ablation: Ablation) -> list[Tile]:
    wanted = (("all steps", FULL), ("within cameras", "s1"), ("supervised", "supervised"), ("weak labels", "weak"))
    tiles = []
    for label, key in wanted:
        if key in ablation.results:
            found = ablation.results[key]
            tiles.append(Tile(f"{label}: mAP", f"{100 * found.map:.1f}", f"rank-1 {found.rank1:.1%}", found.map))
    last = ablation.results[FULL].rounds[-1] if FULL in ablation.results else None
    if last is not None and last.precision is not None and last.recall is not None:
        tiles.append(Tile("pair precision", f"{100 * last.precision:.1f}", "last association", last.precision))
        tiles.append(Tile("pair recall", f"{100 * last.recall:.1f}", "of all true pairs", last.recall))
    return tiles


def _order_card(ablation: Ablation) -> Card:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in tell_differences(ablation))
    tau = order_agreement(ablation)
    note = (
        "" if tau is None else f"Kendall's tau between the paper's order of group 3 and this one, by mAP: {tau:+.2f}."
    )
    return Card("Where the order of merit differs from the paper's", f"<ul>{items}</ul>", note, is_wide=True)


def _table_card(ablation: Ablation, title: str, groups: Sequence[Group]) -> Card | None:
    found = [(row, result) for row, result in ablation.finished() if row.group in groups]
    if not found:
        return None
    return Card(f"Table IV · {title}", Table(_HEAD, [_cells(*one) for one in found]).html(), is_wide=True)


def _weak_card(ablation: Ablation) -> Card | None:
    keys = ("s1", "weak-s1", FULL, "weak")
    found = [(row, result) for row, result in ablation.finished() if row.key in keys]
    if not any(row.group is Group.WEAK for row, _ in found):
        return None
    ordered = sorted(found, key=lambda one: keys.index(one[0].key))
    note = "Told who is who within each camera, but not across; the other rows are told nothing."
    return Card(
        "Table V · weak supervision", Table(_HEAD, [_cells(*one) for one in ordered]).html(), note, is_wide=True
    )


def _cells(row: Row, result: RowResult) -> tuple[str, ...]:
    figures = (result.rank1, result.rank5, result.rank10, result.rank20, result.map)
    theirs = row.published
    published = ("", "") if theirs is None else (f"{100 * theirs.rank1:.1f}", f"{100 * theirs.map:.1f}")
    marks = ("✓" if row.has_time else "", "✓" if row.has_kmeans else "", str(row.recipe.pairing.rounds or "none"))
    return (row.title, *marks, *(f"{100 * figure:.1f}" for figure in figures), *published)


def _changes_card(ablation: Ablation) -> Card | None:
    found = verdicts(ablation)
    if not found:
        return None
    rows = [
        (one.change, f"{100 * one.published:+.1f}", f"{100 * one.found:+.1f}", "the same" if one.agrees else "differs")
        for one in found
    ]
    note = (
        "Change of mAP in points; less than one point either way counts as no change. One seed: small ones are noise."
    )
    return Card("What each step adds", Table(("added", "paper", "here", "direction"), rows).html(), note, is_wide=True)


def _rematch_card(ablation: Ablation) -> Card | None:
    shown = [(row.title, ablation.results[row.key]) for row in ablation.rows if row.key in ablation.results]
    shown = [one for one in shown if one[1].key in _SHOWN_MODELS and one[1].rematch][:5]
    if not shown:
        return None
    cameras = list(shown[0][1].rematch)
    groups = [(camera, [result.rematch.get(camera) or 0.0 for _, result in shown]) for camera in cameras]
    names = [title for title, _ in shown]
    body = grouped_bars(groups, names=names, title="Within-camera rank-1 by camera and model")
    note = "Tracklets cut in two around their middle third: how often a part finds its other part first. No label used."
    return Card("Fig. 6 · re-match within cameras", body, note, _legends(names))


def _pairs_card(ablation: Ablation, figure: str, title: str) -> Card | None:
    take: Callable[[RoundResult], float | None] = lambda one: getattr(one, figure)  # noqa: E731
    curves = {name: _by_round(ablation, key, take) for name, key in _PROGRESSIVE.items()}
    series = [
        Series(name, xs, ys, css_class=f"series-{at}") for at, (name, (xs, ys)) in enumerate(curves.items()) if len(xs)
    ]
    if not series:
        return None
    body = _chart(series, _whole_axis("round", series), title, marks=series[0].xs.tolist())
    legends = tuple(Legend(one.name, one.css_class) for one in series)
    return Card(f"Fig. 7 · {title.lower()}", body, "Of NN-CCTA refined by what is named.", legends)


def _clusters_card(ablation: Ablation) -> Card | None:
    without = cross_key(has_time=True, has_kmeans=False, is_progressive=True)
    by_k = {1: without}
    by_k |= {
        row.recipe.pairing.kmeans: row.key for row in ablation.rows if row.key == FULL or row.group is Group.CLUSTERS
    }
    found = [(k, ablation.results[key]) for k, key in sorted(by_k.items()) if key in ablation.results]
    if len(found) < 2:
        return None
    xs = np.array([float(k) for k, _ in found])
    series = _two_curves(xs, [result.map for _, result in found], [result.rank1 for _, result in found])
    body = _chart(series, _whole_axis("k", series), "mAP and rank-1 by number of clusters", marks=xs.tolist())
    return Card("Fig. 8 · clusters of k-means", body, "k = 1 keeps every pair. With STR, progressively.", _retrieval())


def _rounds_card(ablation: Ablation) -> Card | None:
    xs, maps = _by_round(ablation, FULL, lambda one: one.map)
    if len(xs) < 2:
        return None
    series = _two_curves(xs, maps.tolist(), _by_round(ablation, FULL, lambda one: one.rank1)[1].tolist())
    body = _chart(series, _whole_axis("round", series), "mAP and rank-1 by round", marks=xs.tolist())
    return Card("Fig. 9 · rounds", body, "Round 0 has learned within cameras only. All steps.", _retrieval())


def _counts_card(ablation: Ablation) -> Card | None:
    xs, counts = _by_round(ablation, FULL, lambda one: one.pairs)
    if not len(xs):
        return None
    series = [Series("associated pairs", xs, counts)]
    body = line_chart(
        series,
        x=_whole_axis("round", series),
        y=Axis.of("pairs", 0, float(counts.max()) * 1.1),
        title="Associated pairs by round",
    )
    return Card("Fig. 9 · associated pairs", body, "How many pairs each round trains on. All steps.")


def _by_round(
    ablation: Ablation, key: str, take: Callable[[RoundResult], float | None]
) -> tuple[np.ndarray, np.ndarray]:
    """Rounds for which a row has a figure, and the figures."""
    rounds = ablation.results[key].rounds if key in ablation.results else ()
    found = [(float(one.round_no), value) for one in rounds if (value := take(one)) is not None]
    both = np.array(found, np.float64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _two_curves(xs: np.ndarray, maps: Sequence[float], firsts: Sequence[float]) -> list[Series]:
    return [Series("mAP", xs, np.array(maps)), Series("rank-1", xs, np.array(firsts), css_class="series-1")]


def _retrieval() -> tuple[Legend, ...]:
    return (Legend("mAP", "series-0"), Legend("rank-1", "series-1"))


def _legends(names: Sequence[str]) -> tuple[Legend, ...]:
    return tuple(Legend(name, f"series-{at}") for at, name in enumerate(names))


def _whole_axis(label: str, series: Sequence[Series]) -> Axis:
    low, high = min(one.xs.min() for one in series), max(one.xs.max() for one in series)
    high = max(high, low + 1)
    return Axis(label, float(low), float(high), tuple(np.arange(low, high + 1).tolist()))


def _chart(series: Sequence[Series], x: Axis, title: str, *, marks: Sequence[float]) -> str:
    return line_chart(series, x=x, y=Axis.of("percent", 0, 1, form="{:.0%}"), title=title, marks=marks)
