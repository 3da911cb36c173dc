"""`reknit evaluate ranking`: score features on a published dataset, or a stored site against its ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from reid_core.errors import InputError
from services.cli.options import DataDir, Json, write_csv, write_json, write_text

if TYPE_CHECKING:
    from reid_core.evaluation.datasets.registry import PublishedSize
    from reid_core.evaluation.feature_distances import RecordFeatures
    from reid_core.evaluation.ranking_report import RankingReport, SettingScores

_FIGURES = {
    "rank1": "rank-1",
    "rank5": "rank-5",
    "rank10": "rank-10",
    "rank20": "rank-20",
    "map": "mAP (rectangle)",
    "map_trapezoid": "mAP (trapezoid)",
    "minp": "mINP",
}
_ROWS = (*_FIGURES.values(), "queries", "skipped", "gallery")


def ranking(
    dataset: Annotated[
        str | None, typer.Option(help="Name of the dataset, such as market1501; docs/datasets.md lists all.")
    ] = None,
    root: Annotated[Path | None, typer.Option(help="Folder of the dataset, laid out as published.")] = None,
    features: Annotated[
        Path | None,
        typer.Option(help="An .npz file with the arrays features (N, d) and paths (N,), relative to the root."),
    ] = None,
    distance: Annotated[
        Literal["cosine", "euclidean"],
        typer.Option(help="cosine normalises; euclidean takes features as they are."),
    ] = "cosine",
    validation: Annotated[
        bool, typer.Option("--validation", help="Score the published validation people, to tune on.")
    ] = False,
    truth: Annotated[
        Path | None,
        typer.Option(help="Instead of a dataset: true boxes of the stored site, a folder of CAMERA.txt."),
    ] = None,
    generation: Annotated[
        str | None, typer.Option(help="Of the stored site: beginning of a generation's id.", show_default="the current")
    ] = None,
    data_dir: DataDir = None,
    json: Json = None,
    csv: Annotated[Path | None, typer.Option(help="Write one row for each query to this file.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a page with curves and searches to this .html file.")
    ] = None,
) -> None:
    """CMC, mAP in both definitions and mINP: of features on a dataset, or of a stored site against its truth."""
    named = {"--dataset": dataset, "--root": root, "--features": features}
    if truth is not None:
        from services.cli.evaluate_site import score_stored_site

        if any(value is not None for value in named.values()):
            raise InputError(f"--truth scores the stored site and goes without {', '.join(named)}")
        if validation:
            raise InputError("--truth scores the stored site and goes without --validation")
        score_stored_site(truth, data_dir=data_dir, generation=generation, json=json, csv=csv, report=report)
        return
    if generation is not None:
        raise InputError("--generation belongs to --truth: a dataset is scored from --features")
    if dataset is None or root is None or features is None:
        missing = ", ".join(name for name, value in named.items() if value is None)
        raise InputError(f"give --dataset, --root and --features, or --truth for the stored site; missing: {missing}")
    _score_dataset(dataset, root, features, distance, validation=validation, outputs=_Outputs(json, csv, report))


@dataclass(frozen=True, slots=True)
class _Outputs:
    json: str | None
    csv: Path | None
    report: Path | None


def _score_dataset(
    dataset: str, root: Path, features: Path, distance: str, *, validation: bool, outputs: _Outputs
) -> None:
    from reid_core.evaluation.datasets.registry import known_dataset
    from reid_core.evaluation.feature_distances import RecordFeatures
    from reid_core.evaluation.feature_files import Distance, features_of, read_features
    from reid_core.evaluation.protocols import queries_of, scored_records
    from reid_core.evaluation.ranking_report import report_ranking
    from services.cli.progress import progress

    known = known_dataset(dataset)
    held = known.read(root)
    metric = Distance(distance)
    positions = scored_records(held, validation=validation)
    vectors = features_of([held.records[at] for at in positions], read_features(features), distance=metric)
    with progress("Scoring", queries_of(held, validation=validation)) as advance:
        scores = report_ranking(held, vectors, positions, distance=metric, validation=validation, on_progress=advance)
    if outputs.report is not None:
        write_text(
            outputs.report, _page(known.title, scores, RecordFeatures(vectors, positions, distance=metric), root)
        )
    if outputs.csv is not None:
        _write_csv(outputs.csv, scores)
    if outputs.json is not None:
        write_json(outputs.json, {"title": known.title, **scores.as_dict()})
    if outputs.json != "-":
        _print(known.title, scores, None if validation else known.size)


def _page(title: str, report: RankingReport, features: RecordFeatures, root: Path) -> str:
    from reid_core.evaluation.dataset_story import dataset_story
    from reid_core.evaluation.ranking_page import ranking_page
    from reid_core.evaluation.report_page import render_page

    return render_page(ranking_page(dataset_story(report, features, title=title, root=root)))


def _print(title: str, report: RankingReport, size: PublishedSize | None) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("")
    for name in report.settings:
        table.add_column(name.replace("_", " "), justify="right", header_style="bold")
    for row in zip(_ROWS, *(_cells(scores) for scores in report.settings.values()), strict=True):
        table.add_row(*row)
    console = Console()
    console.print(table)
    for line in (*report.dataset.notes, *_size_notes(report, size)):
        console.print(line, style="dim", highlight=False)


def _cells(scores: SettingScores) -> list[str]:
    means, spreads = scores.means(), scores.spreads() or {}
    figures = [f"{100 * means[name]:.2f}" + (f" ± {100 * spreads[name]:.2f}" if spreads else "") for name in _FIGURES]
    return [*figures, f"{scores.queries}", f"{scores.skipped}", f"{len(scores.trials[0].trial.gallery)}"]


def _size_notes(report: RankingReport, size: PublishedSize | None) -> list[str]:
    """Says where the folder holds more or less than was published, and over how many trials figures are means."""
    split = report.dataset.splits[0]
    trial = next(iter(report.settings.values())).trials[0].trial
    notes = []
    if size is not None and (len(split.query), len(trial.gallery)) != (size.query, size.gallery):
        found = f"{len(split.query)} queries and {len(trial.gallery)} gallery entries"
        notes.append(f"This folder has {found}; published are {size.query} and {size.gallery}.")
    most = max(len(scores.trials) for scores in report.settings.values())
    if most > 1:
        notes.append(f"Mean ± standard deviation; counts of queries are over all trials (up to {most}).")
    return notes


def _write_csv(path: Path, report: RankingReport) -> None:
    from dataclasses import astuple, fields

    from reid_core.evaluation.ranking_report import QueryRow

    write_csv(path, [field.name for field in fields(QueryRow)], map(astuple, report.query_rows()))
