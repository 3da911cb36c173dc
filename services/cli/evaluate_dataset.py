"""The part of `reknit evaluate ranking` that scores a published dataset."""

from __future__ import annotations

from dataclasses import astuple, fields, replace
from typing import TYPE_CHECKING

from services.cli.options import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from reid_core.evaluation.datasets.dataset import ReidDataset
    from reid_core.evaluation.datasets.registry import PublishedSize
    from reid_core.evaluation.feature_files import FeatureTable
    from reid_core.evaluation.ranking_report import RankingReport, SettingScores
    from services.cli.outputs import Outputs
    from services.settings import Settings

__all__ = ["score_dataset"]

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


def score_dataset(
    name: str,
    root: Path,
    source: Path | str,
    *,
    data_dir: Path | None,
    distance: str,
    validation: bool,
    outputs: Outputs,
) -> None:
    """Score a dataset under its own protocol, and write it in all forms that are asked for.

    Args:
        name: Of the dataset.
        root: Its folder.
        source: A feature file, or the generation whose embedder looks at the pictures.
        data_dir: The installation that has the generation.
        distance: ``cosine`` or ``euclidean``.
        validation: Score the published validation people.
        outputs: Where to.

    Raises:
        DatasetError: If the dataset is unknown, not laid out as published, or cannot be scored.
        FeaturesError: If the features cannot be used.
        InputError: If there is no such generation.
        ReknitError: If its model is not at hand; see `services.bootstrap.make_embedder_for`.
    """
    from reid_core.evaluation.dataset_story import dataset_story
    from reid_core.evaluation.datasets.registry import known_dataset
    from reid_core.evaluation.feature_distances import RecordFeatures
    from reid_core.evaluation.feature_files import Distance, features_of, read_features
    from reid_core.evaluation.protocols import queries_of, scored_records
    from reid_core.evaluation.ranking_page import ranking_page
    from reid_core.evaluation.ranking_report import QueryRow, report_ranking
    from services.cli.progress import progress

    known = known_dataset(name)
    held = known.read(root)
    metric = Distance(distance)
    positions = scored_records(held, validation=validation)
    if isinstance(source, str):
        table, note = _embedded(held, positions, root, load_settings(data_dir), source)
        held = replace(held, notes=(*held.notes, note))
    else:
        table = read_features(source)
    vectors = features_of([held.records[at] for at in positions], table, distance=metric)
    with progress("Scoring", queries_of(held, validation=validation)) as advance:
        scores = report_ranking(held, vectors, positions, distance=metric, validation=validation, on_progress=advance)
    features = RecordFeatures(vectors, positions, distance=metric)
    outputs.write(
        {"title": known.title, **scores.as_dict()},
        page=lambda: ranking_page(dataset_story(scores, features, title=known.title, root=root)),
        rows=lambda: ([field.name for field in fields(QueryRow)], map(astuple, scores.query_rows())),
    )
    if outputs.has_table:
        _print(known.title, scores, None if validation else known.size)


def _embedded(
    dataset: ReidDataset, positions: NDArray[np.int64], root: Path, settings: Settings, generation: str
) -> tuple[FeatureTable, str]:
    """Features of the records at ``positions`` from their pictures, and a sentence that says so."""
    from reid_core.evaluation.dataset_embedding import PICTURES_OF_A_TRACKLET, embed_records
    from reid_core.evaluation.datasets.pictures import open_pictures
    from services.bootstrap import make_embedder_for, open_database
    from services.cli.generation_choice import chosen_generation
    from services.cli.progress import progress

    with open_database(settings) as database:
        with database.read() as session:
            chosen = chosen_generation(session, generation)
        embedder = make_embedder_for(settings, database, chosen.model_id)
    records = [dataset.records[at] for at in positions]
    with progress("Embedding", len(records)) as advance:
        table = embed_records(
            records,
            open_pictures(dataset, root),
            embedder,
            folder=settings.data_dir / "evaluation" / dataset.name,
            on_records=advance,
        )
    tracklets = f", at most {PICTURES_OF_A_TRACKLET} pictures of a tracklet" if any(r.tracklet for r in records) else ""
    return table, f"Features: generation {chosen.generation_id}, model {embedder.model_id}{tracklets}."


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
