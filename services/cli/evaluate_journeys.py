"""`reknit evaluate journeys`: score identities that hold over all cameras, from files or of the stored site."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reid_core.errors import InputError
from services.cli.options import DataDir, Json, load_settings
from services.cli.outputs import Outputs, columns_of

if TYPE_CHECKING:
    from reid_core.evaluation.journeys_report import JourneysReport

_ROWS = (
    ("all cameras", "IDF1", "IDF1"),
    ("", "IDP", "IDP"),
    ("", "IDR", "IDR"),
    ("MCTA", "MCTA", "MCTA"),
    ("", "detection F1", "detection"),
    ("", "right steps within cameras", "tracking"),
    ("", "right steps across cameras", "handover"),
    ("tracklet pairs", "precision", "pair_precision"),
    ("", "recall", "pair_recall"),
    ("", "F1", "pair_F1"),
    ("counts", "cameras", "cameras"),
    ("", "tracklets", "tracklets"),
    ("", "of them distractors", "distractors"),
)


def journeys(
    ground_truth: Annotated[
        Path | None, typer.Option(help="Folder of MOTChallenge ground truth, CAMERA.txt or CAMERA/gt/gt.txt.")
    ] = None,
    result: Annotated[
        Path | None, typer.Option(help="Folder of results, CAMERA.txt; an id is one person at every camera.")
    ] = None,
    offset: Annotated[
        list[str] | None,
        typer.Option(metavar="CAMERA=FRAMES", help="How many frames later than others a camera began. Repeatable."),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(help="Instead of files: true boxes of the stored site, whose journeys are scored."),
    ] = None,
    data_dir: DataDir = None,
    json: Json = None,
    csv: Annotated[
        Path | None, typer.Option(help="Write one row for each camera and a combined one to this file.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a page with figures, curves and cameras to this .html file.")
    ] = None,
) -> None:
    """IDF1 over all cameras, MCTA, precision and recall of tracklet pairs; frames of all cameras count on one clock."""
    from reid_core.evaluation.journeys_page import journeys_page

    if truth is not None:
        if ground_truth is not None or result is not None or offset:
            raise InputError("--truth scores the stored site and goes without --ground-truth, --result and --offset")
        scores = _score_stored(truth, data_dir)
    elif ground_truth is None or result is None:
        raise InputError("give --ground-truth and --result, or --truth for the stored site")
    else:
        scores = _score_files(ground_truth, result, offset or [])
    outputs = Outputs(json, csv, report)
    outputs.write(scores.as_dict(), page=lambda: journeys_page(scores), rows=lambda: columns_of(scores.rows()))
    if outputs.has_table:
        _print_table(scores)


def _score_files(ground_truth: Path, result: Path, offsets: list[str]) -> JourneysReport:
    from reid_core.errors import MotFileError
    from reid_core.evaluation.journeys_report import report_journeys
    from reid_core.evaluation.sequence_pairs import pair_sequences

    for folder in (ground_truth, result):
        if not folder.is_dir():
            raise MotFileError(f"{folder} is no folder of one file a camera")
    return report_journeys(pair_sequences([ground_truth], [result]), offsets=dict(map(_offset, offsets)))


def _score_stored(truth: Path, data_dir: Path | None) -> JourneysReport:
    from services.bootstrap import open_database
    from services.journeys.scoring import score_journeys
    from services.scoring import read_site_truth
    from services.storage.generations import GenerationRepository
    from services.storage.journeys import JourneyRepository

    boxes = read_site_truth(truth / "boxes" if (truth / "boxes").is_dir() else truth)
    with open_database(load_settings(data_dir)) as database, database.read() as session:
        GenerationRepository(session).current()  # what was never ingested is told of in its own words
        if JourneyRepository(session).state() is None:
            raise InputError("no journeys were built yet; 'reknit journeys rebuild' does it")
        return score_journeys(session, boxes)


def _offset(text: str) -> tuple[str, int]:
    camera, _, frames = text.rpartition("=")
    try:
        return camera, int(frames)
    except ValueError as error:
        raise InputError(f"an offset reads CAMERA=FRAMES, such as cam2=75, not {text!r}") from error


def _print_table(report: JourneysReport) -> None:
    from rich.console import Console
    from rich.table import Table

    figures = report.as_dict()
    table = Table(box=None, show_header=False, pad_edge=False)
    for justify in ("left", "left", "right"):
        table.add_column("", justify=justify)
    for group, label, name in _ROWS:
        value = figures[name]
        table.add_row(group, label, f"{value:.1f}" if isinstance(value, float) else str(value))
    Console().print(table)
