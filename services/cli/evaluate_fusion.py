"""`reknit evaluate fusion`: methods of fusing looks and time, compared on real human timing with simulated looks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.options import Json, write_json, write_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from reid_core.evaluation.fusion.report import FusionReport

_FIGURES = {"map": "mAP", "map_trapezoid": "trapezoid", "rank1": "rank-1", "rank5": "rank-5", "rank10": "rank-10"}
_ANCHORS = {
    "g_fusion": "G-Fusion",
    "g_fusion_trained_without_time": "G-Fusion, time in re-ranking only",
    "jvtc": "JVTC",
}


def fusion(
    lists: Annotated[
        Path,
        typer.Option(
            help="Folder of Market-1501's list_market_train_new.txt and _test_new.txt, or of a simulated tracklet log."
        ),
    ],
    visual_map: Annotated[
        float, typer.Option(help="mAP that looks alone shall reach, between 0 and 1; 0.604 and 0.754 have anchors.")
    ] = 0.754,
    seed: Annotated[int, typer.Option(help="Of the simulated looks, 0 or more; 1 to 3 were used for calibration.")] = 1,
    method: Annotated[
        list[str] | None, typer.Option(help="Method to compare beside visual; repeatable.", show_default="all")
    ] = None,
    ablate: Annotated[
        bool, typer.Option("--ablate", help="Also the default (gfusion) with each of its parts left out or exchanged.")
    ] = False,
    report_file: Annotated[
        Path | None,
        typer.Option("--report", help="Write a page: the table, and the paper's Figures 3 to 5 (a minute more)."),
    ] = None,
    json: Json = None,
) -> None:
    """Real times, simulated looks of a wanted quality: what each method of fusing both gains."""
    from reid_core.evaluation.fusion.methods import chosen_methods
    from reid_core.evaluation.fusion.report import report_fusion
    from reid_core.evaluation.fusion.sources import read_times
    from services.cli.progress import progress

    methods = chosen_methods(method, ablate=ablate)
    timed = read_times(lists)
    with progress("Simulating and scoring", None) as advance:
        report = report_fusion(timed, methods, wanted_map=visual_map, seed=seed, on_step=advance)
        if report_file is not None:
            _write_page(report_file, report, advance)
    if json is not None:
        write_json(json, report.as_dict())
    if json != "-":
        _print(report)


def _write_page(path: Path, report: FusionReport, on_step: Callable[[], None]) -> None:
    from reid_core.evaluation.fusion.fusion_page import fusion_page
    from reid_core.evaluation.fusion.parameter_curves import parameter_curves
    from reid_core.evaluation.report_page import render_page

    write_text(path, render_page(fusion_page(report, parameter_curves(report.case, on_step=on_step))))


def _print(report: FusionReport) -> None:
    from rich.console import Console
    from rich.table import Table

    from reid_core.evaluation.fusion.report import anchors

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("simulated looks, real times")
    for title in (*_FIGURES.values(), "gain"):
        table.add_column(title, justify="right")
    figures = report.figures()
    base = figures["visual"]["map"]
    for name, row in figures.items():
        gain = "" if name == "visual" else f"{100 * (row['map'] - base):+.2f}"
        table.add_row(name, *(f"{100 * row[key]:.2f}" for key in _FIGURES), gain)
    console = Console()
    console.print(table)
    console.print("\nPublished on Market-1501's images (mAP, looks alone -> with time):", style="dim")
    for name, anchor in anchors().items():
        before, after = anchor["visual"]["map"], anchor["fused"]["map"]
        line = f"  {_ANCHORS[name]}: {100 * before:.1f} -> {100 * after:.1f} ({100 * (after - before):+.1f})"
        console.print(line, style="dim", highlight=False)
