"""The page of one learning cycle: rounds, losses, pairs, walking times, belief, and the decision."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from reid_core.evaluation.reliability_plot import reliability_plot
from reid_core.evaluation.report_page import Card, Legend, Page, Table, Tile
from reid_core.evaluation.svg_charts import Axis, Series, line_chart
from reid_core.evaluation.transit_plots import transit_panels
from reid_core.metrics.calibration import ReliabilityBins

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from reid_core.evaluation.learning_story import CycleRound, LearningStory
    from reid_core.evaluation.transit_plots import TransitPanel

__all__ = ["learning_page"]

_FOOTER = (
    (
        "Without the truth, pairs and weights are what the cycle believed. A weight is the probability that a pair is "
        "one person, with everybody else whom its tracklets might be in competition."
    ),
)
_MOST_LINKS = 24
_FIGURES = {
    "rematch_rank1": "parts of a tracklet that find each other first",
    "rematch_mrr": "reciprocal rank of the other part",
    "cycle_consistency": "chains over three cameras that close",
    "halves_agreement": "pairs on which odd and even crops agree",
    "time_agreement": "pairs that walking times explain",
}


def learning_page(story: LearningStory, *, title: str) -> Page:
    """Lay out the page; what is not known is left out."""
    facts = [
        ("recipe", story.recipe.name),
        ("cameras", str(len(story.sightings.camera_ids))),
        ("tracklets", f"{story.tracklets:,}"),
        ("rounds", f"{story.rounds[-1].round_no} of {story.recipe.pairing.rounds}"),
    ]
    cards = [
        _retrieval_card(story),
        _association_card(story),
        _pairs_card(story),
        _loss_card(story),
        _decision_card(story.check),
        _reliability_card(story),
        _transit_card(story),
        _rounds_card(story),
    ]
    return Page(title, facts, _tiles(story), [card for card in cards if card is not None], _FOOTER)


def _tiles(story: LearningStory) -> list[Tile]:
    last, tiles = story.rounds[-1], []
    if last.retrieval is not None:
        note = "" if story.before is None else f"{100 * story.before.map:.1f} before"
        tiles.append(Tile("mAP", f"{100 * last.retrieval.map:.1f}", note, last.retrieval.map))
        note = "" if story.before is None else f"{100 * story.before.rank1:.1f} before"
        tiles.append(Tile("rank-1", f"{100 * last.retrieval.rank1:.1f}", note, last.retrieval.rank1))
    for label, share in (("pair precision", last.precision), ("pair recall", last.recall)):
        if share is not None:
            tiles.append(Tile(label, f"{100 * share:.1f}", "last round", share))
    if last.pairs is not None:
        tiles.append(Tile("pairs", f"{last.pairs:,}", f"of {last.candidates:,} mutual neighbours"))
    if last.mean_weight is not None:
        tiles.append(Tile("mean weight", f"{100 * last.mean_weight:.1f}", "believed precision", last.mean_weight))
    error = None if story.reliability is None else story.reliability.error
    if error is not None:
        tiles.append(Tile("calibration error", f"{error:.3f}", "stated against times"))
    return tiles or [Tile("tracklets", f"{story.tracklets:,}")]


def _retrieval_card(story: LearningStory) -> Card | None:
    curves = {"mAP": _by_round(story, lambda one: None if one.retrieval is None else one.retrieval.map)}
    curves["rank-1"] = _by_round(story, lambda one: None if one.retrieval is None else one.retrieval.rank1)
    note = "Search across cameras by looks alone after each round; round 0 has learned within cameras only."
    if story.before is not None:
        was = story.before
        note += f" The generation before: mAP {100 * was.map:.1f}, rank-1 {100 * was.rank1:.1f}."
    return _curves_card("Retrieval by round", curves, note)


def _association_card(story: LearningStory) -> Card | None:
    curves = {
        "precision": _by_round(story, lambda one: one.precision),
        "recall": _by_round(story, lambda one: one.recall),
        "believed precision": _by_round(story, lambda one: one.mean_weight),
    }
    if not len(curves["precision"][0]):
        del curves["precision"], curves["recall"]
    return _curves_card("Association by round", curves, "Of the pairs that each round trained on.")


def _curves_card(
    title: str, curves: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]], note: str
) -> Card | None:
    series = [
        Series(name, xs, ys, css_class=f"series-{at}") for at, (name, (xs, ys)) in enumerate(curves.items()) if len(xs)
    ]
    if not series:
        return None
    body = line_chart(
        series,
        x=_rounds_axis(series),
        y=Axis.of("percent", 0, 1, form="{:.0%}"),
        title=title,
        marks=series[0].xs.tolist(),
    )
    return Card(title, body, note, tuple(Legend(one.name, one.css_class) for one in series))


def _pairs_card(story: LearningStory) -> Card | None:
    candidates, pairs = _by_round(story, lambda one: one.candidates), _by_round(story, lambda one: one.pairs)
    if not len(pairs[0]):
        return None
    series = [Series("pairs", *pairs), Series("mutual neighbours", *candidates, css_class="series-1")]
    highest = max(float(one.ys.max()) for one in series)
    body = line_chart(
        series, x=_rounds_axis(series), y=Axis.of("pairs", 0, 1.1 * max(1.0, highest)), title="Pairs by round"
    )
    legends = tuple(Legend(one.name, one.css_class) for one in series)
    return Card("Pairs by round", body, "Mutual nearest tracklets of different cameras, and what was kept.", legends)


def _loss_card(story: LearningStory) -> Card | None:
    xs, losses = _by_round(story, lambda one: one.loss)
    if not len(xs):
        return None
    series = [Series("loss", xs, losses)]
    highest = 1.1 * max(1e-6, float(losses.max()))
    body = line_chart(series, x=_rounds_axis(series), y=Axis.of("loss", 0, highest), title="Loss by round")
    note = "Running mean at the end of each stage. Rounds after the first meet harder pairs, so it need not fall."
    return Card("Loss at the end of each stage", body, note)


def _decision_card(check: Mapping[str, Any]) -> Card | None:
    if "outcome" not in check:
        return None
    rows = []
    for name, said in _FIGURES.items():
        ours, theirs = (check.get(side, {}).get(name) for side in ("candidate", "current"))
        if ours is not None and theirs is not None:
            difference = check.get("differences", {}).get(name, {})
            rows.append((said, _interval(theirs), _interval(ours), _change(difference)))
    outcome = "takes over" if check["outcome"] == "promote" else "does not take over"
    note = f"The new generation {outcome}: {'; '.join(check.get('reasons', []))}."
    head = ("without any label", "before", "after", "difference, 95%")
    return Card("The decision", Table(head, rows).html(), note, is_wide=True)


def _interval(figure: Mapping[str, float | None]) -> str:
    value, low, high = (figure.get(name) for name in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return "not known"
    return f"{100 * value:.1f} ({100 * low:.1f} to {100 * high:.1f})"


def _change(difference: Mapping[str, float | None]) -> str:
    value, low, high = (difference.get(name) for name in ("difference", "low", "high"))
    if value is None or low is None or high is None:
        return ""
    return f"{100 * value:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def _reliability_card(story: LearningStory) -> Card | None:
    found = story.reliability
    if found is None or not len(found.pairs):
        return None
    bins = ReliabilityBins(found.pairs, found.stated, found.witnessed)
    note = (
        "Stated probability of the ten nearest of each query by looks alone, against the share that walking times "
        "witness. No label is used, so the witness errs, too."
    )
    return Card("Can probabilities be believed?", reliability_plot([("by times", bins)], title="Reliability"), note)


def _transit_card(story: LearningStory) -> Card | None:
    if story.transit is None or story.looks is None:
        return None
    panels = transit_panels(story.transit, story.sightings, story.looks)
    if not panels:
        return None
    busiest = {id(panel) for panel in sorted(panels, key=lambda panel: -panel.pairs)[:_MOST_LINKS]}
    body = "".join(_figure(panel) for panel in panels if id(panel) in busiest)
    names = ("gaps of pairs by looks", "walks, as learned", "anybody")
    note = (
        "Seconds from leaving one camera to arriving at the other, by corrected clocks. A pair counts by its "
        "probability to be one person; every curve has area one."
    )
    return Card(
        "Walking times by direction", f'<div class="small-multiples">{body}</div>', note, _legends(names), is_wide=True
    )


def _figure(panel: TransitPanel) -> str:
    peaks = ", ".join(f"{peak:.0f} s" for peak in panel.peaks_s) or "no peak"
    ends = f"{escape(panel.camera_from)} → {escape(panel.camera_to)}"
    caption = f"{ends} <span>{panel.pairs:.1f} pairs, {peaks}</span>"
    return f"<figure><figcaption>{caption}</figcaption>{panel.svg}</figure>"


def _legends(names: Sequence[str]) -> tuple[Legend, ...]:
    return tuple(Legend(name, f"series-{at}") for at, name in enumerate(names))


def _rounds_card(story: LearningStory) -> Card:
    head = ("round", "loss", "mutual neighbours", "pairs", "mean weight", "precision", "recall", "rank-1", "mAP")
    return Card("Round by round", Table(head, [_cells(one) for one in story.rounds]).html(), is_wide=True)


def _cells(one: CycleRound) -> tuple[str, ...]:
    shares = (one.mean_weight, one.precision, one.recall)
    found = (None, None) if one.retrieval is None else (one.retrieval.rank1, one.retrieval.map)
    counts = (one.candidates, one.pairs)
    return (
        str(one.round_no),
        "" if one.loss is None else f"{one.loss:.3f}",
        *("" if count is None else f"{count:,}" for count in counts),
        *("" if share is None else f"{100 * share:.1f}" for share in (*shares, *found)),
    )


def _by_round(
    story: LearningStory, take: Callable[[CycleRound], float | None]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    found = [(float(one.round_no), value) for one in story.rounds if (value := take(one)) is not None]
    both = np.array(found, np.float64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _rounds_axis(series: Sequence[Series]) -> Axis:
    low, high = min(one.xs.min() for one in series), max(one.xs.max() for one in series)
    high = max(high, low + 1)
    return Axis("round", float(low), float(high), tuple(np.arange(low, high + 1).tolist()))
