"""The demo's figures as JSON, as a table and as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.cli.demo_journeys import journey_rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reid_core.evaluation.stored_site import SiteRetrieval
    from services.cli.demo_scores import DemoScores, LearnedScores

__all__ = ["footer_of", "print_table", "reranking_verdict", "results"]

_FIGURES = (("rank1", "rank-1"), ("rank5", "rank-5"), ("map", "mAP"), ("map_trapezoid", "mAP, trapezoid"))
_TRACKING = ("HOTA", "IDF1", "MOTA", "IDSW")
_COLD, _LEARNED, _TRANSIT, _RERANKED = "cold start", "learned", "with times", "re-ranked"


def results(scores: DemoScores, seconds: Mapping[str, float]) -> dict[str, Any]:
    """The stable form of ``--json``; what was not learned is left out."""
    retrieval = {"cold_start": scores.cold.retrieval.as_dict()}
    found: dict[str, Any] = {"retrieval": retrieval}
    if scores.learned is not None:
        learned = scores.learned
        retrieval["learned"] = learned.looks.retrieval.as_dict()
        if learned.answers is not None:
            retrieval["with_transit"] = learned.answers.retrieval.as_dict()
            found["calibration"] = learned.answers.calibration()
        if learned.reranked is not None:
            retrieval["reranked"] = learned.reranked.as_dict()
        found["association"] = dict(learned.association)
        found["clock_offset_error_s"] = learned.clock_offset_error_s
        found["clocks_unidentified"] = learned.clocks_unidentified
    if scores.report is not None:
        found["learning"] = {"took_over": scores.learned is not None, "reason": scores.report}
    found["journeys"] = dict(scores.journeys)
    found["tracking"] = scores.cold.tracking.as_dict()
    found["seconds"] = {name: round(spent_s, 2) for name, spent_s in seconds.items()}
    return found


def print_table(site: str, scores: DemoScores, seconds: Mapping[str, float], *, sheet: Path, report: Path) -> None:
    """Print the figures, a column for each state of knowledge, and where the pictures lie."""
    from rich.console import Console

    console = Console()
    console.print(f"\n[bold]Reknit demo[/bold]  {site}\n", soft_wrap=True, highlight=False)
    console.print(_retrieval_table(scores))
    console.print(_other_table(scores, seconds))
    if scores.report is not None:
        verdict = "The learned model took over" if scores.learned else "Nothing took over"
        console.print(f"\n{verdict}: {scores.report}", soft_wrap=True, highlight=False)
    said = reranking_verdict(scores.learned)
    if said is not None:
        console.print(said, soft_wrap=True, highlight=False)
    if scores.shown.retrieval.ranking is not None:
        console.print(f"\nFive searches as a picture: {sheet}", soft_wrap=True, highlight=False)
        console.print(f"All searches as a page:     {report}", soft_wrap=True, highlight=False)


def reranking_verdict(learned: LearnedScores | None) -> str | None:
    """Whether re-ranking helped on this site, in a sentence; ``None`` where it cannot be told."""
    plain = None if learned is None else learned.with_transit()
    if learned is None or plain is None or learned.reranked is None:
        return None
    without, reranked = plain.as_dict(), learned.reranked.as_dict()
    mean_before, mean_after = without["map"], reranked["map"]
    first_before, first_after = without["rank1"], reranked["rank1"]
    if mean_before is None or mean_after is None or first_before is None or first_after is None:
        return None
    figures = f"mAP {mean_before:.3f} without, {mean_after:.3f} with; rank-1 {first_before:.3f} and {first_after:.3f}"
    if mean_after <= mean_before:
        return f"Re-ranking did not help here: {figures}."
    if first_after < first_before:
        return f"Re-ranking helped the whole ranking here, not its first place: {figures}."
    return f"Re-ranking helped here: {figures}."


def footer_of(retrieval: SiteRetrieval) -> str:
    """What the picture of searches says of how they were chosen."""
    figures = retrieval.as_dict()
    return (
        "Chosen by rule: the queries at the 90th, 70th, 50th, 30th and 10th percentile of average precision. "
        f"All {figures['queries']} queries: rank-1 {figures['rank1']:.1%}, mAP {figures['map']:.1%}."
    )


def _columns(scores: DemoScores) -> dict[str, SiteRetrieval]:
    columns = {_COLD: scores.cold.retrieval}
    if scores.learned is not None:
        columns[_LEARNED] = scores.learned.looks.retrieval
        if scores.learned.answers is not None:
            columns[_TRANSIT] = scores.learned.answers.retrieval
        if scores.learned.reranked is not None:
            columns[_RERANKED] = scores.learned.reranked
    return columns


def _retrieval_table(scores: DemoScores) -> Any:
    from rich.table import Table

    columns = _columns(scores)
    table = Table(box=None, pad_edge=False)
    table.add_column("across cameras")
    for name in columns:
        table.add_column(name, justify="right")
    for key, label in _FIGURES:
        values = [retrieval.as_dict()[key] for retrieval in columns.values()]
        table.add_row(label, *("-" if value is None else f"{value:.3f}" for value in values))
    return table


def _other_table(scores: DemoScores, seconds: Mapping[str, float]) -> Any:
    from rich.table import Table

    figures, tracking = scores.cold.retrieval.as_dict(), scores.cold.tracking.as_dict()
    table = Table(box=None, show_header=False, pad_edge=False)
    rows = [
        ("", "", ""),
        ("searches", "queries", f"{figures['queries']} of {figures['tracklets']} tracklets"),
        ("", "distractors", str(figures["distractors"])),
        *(_learning_rows(scores.learned) if scores.learned else ()),
        *journey_rows(scores.journeys),
    ]
    for place, name in enumerate(_TRACKING):
        value = tracking[name]
        rows.append(("" if place else "tracking", name, f"{value:.1f}" if isinstance(value, float) else f"{value}"))
    for place, (name, spent_s) in enumerate(seconds.items()):
        rows.append(("" if place else "seconds", name, f"{spent_s:.0f}"))
    for row in rows:
        table.add_row(*row)
    return table


def _learning_rows(learned: LearnedScores) -> list[tuple[str, str, str]]:
    pairs, error_s = learned.association, learned.clock_offset_error_s
    rows = [
        ("pairs", "precision", f"{pairs['precision']:.3f} of {pairs['pairs']:.0f}"),
        ("", "of known people", f"{pairs['precision_of_known']:.3f}"),
        ("", "recall", f"{pairs['recall']:.3f}; of links {pairs['link_recall']:.3f}"),
        ("clocks", "largest error", "unidentified" if error_s is None else f"{error_s:.2f} s"),
    ]
    if learned.answers is not None:
        rows.append(("probability", "calibration error", f"{learned.answers.calibration()['ece']:.3f}"))
    return rows
