"""`reknit evaluate`: score results against ground truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.evaluate_fusion import fusion
from services.cli.evaluate_journeys import journeys
from services.cli.evaluate_learning import learning
from services.cli.evaluate_ranking import ranking
from services.cli.options import Json
from services.cli.outputs import Outputs, columns_of

if TYPE_CHECKING:
    from reid_core.evaluation.tracking_report import TrackingReport

_COLUMNS = ("HOTA", "DetA", "AssA", "IDF1", "MOTA", "IDSW", "FP", "FN", "MT", "ML")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    group = typer.Typer(help="Score results against ground truth.", no_args_is_help=True)
    group.command()(tracking)
    group.command()(ranking)
    group.command()(fusion)
    group.command()(journeys)
    group.command()(learning)
    app.add_typer(group, name="evaluate")


def tracking(
    ground_truth: Annotated[
        list[Path],
        typer.Option(help="MOTChallenge ground truth: a file, or a folder of NAME.txt or NAME/gt/gt.txt. Repeatable."),
    ],
    result: Annotated[
        list[Path],
        typer.Option(
            help="Tracks in MOTChallenge form: a file, or a folder of NAME.txt. Repeatable, in the same order."
        ),
    ],
    json: Json = None,
    csv: Annotated[
        Path | None, typer.Option(help="Write one row for each sequence and a combined one to this file.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a page with figures, curves and sequences to this .html file.")
    ] = None,
) -> None:
    """HOTA, IDF1, MOTA and their parts, as TrackEval defines them; several sequences are combined by their counts."""
    from reid_core.evaluation.sequence_pairs import pair_sequences
    from reid_core.evaluation.tracking_page import tracking_page
    from reid_core.evaluation.tracking_report import report_tracking

    scores = report_tracking(pair_sequences(ground_truth, result))
    outputs = Outputs(json, csv, report)
    outputs.write(scores.as_dict(), page=lambda: tracking_page(scores), rows=lambda: columns_of(scores.rows()))
    if outputs.has_table:
        _print_table(scores)


def _print_table(report: TrackingReport) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("sequence")
    for name in _COLUMNS:
        table.add_column(name, justify="right")
    rows = list(report.sequences.items()) if len(report.sequences) > 1 else []
    for name, scores in [*rows, ("all together" if rows else next(iter(report.sequences)), report.combined)]:
        figures = scores.as_dict()
        cells = [f"{figures[c]:.1f}" if isinstance(figures[c], float) else str(figures[c]) for c in _COLUMNS]
        table.add_row(name, *cells, style="bold" if scores is report.combined else None)
    Console().print(table)
