"""`reknit export`: what is stored, in the forms of others."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from services.cli.options import DataDir, load_settings


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    group = typer.Typer(help="Write what is stored in the forms of others.", no_args_is_help=True)
    group.command()(mot)
    group.command()(market)
    app.add_typer(group, name="export")


def mot(
    out: Annotated[Path, typer.Argument(help="The file to write.")],
    camera: Annotated[str, typer.Option(help="Whose tracks.")],
    source: Annotated[
        str | None, typer.Option(help="Part of the video's path, where the camera has more than one.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """A camera's tracks as MOTChallenge rows: boxes as they were tracked online, frames from 1."""
    from reid_core.evaluation.mot_files import write_mot
    from services.bootstrap import open_database
    from services.exports import camera_boxes, choose_source

    with open_database(load_settings(data_dir)) as database, database.read() as session:
        chosen = choose_source(session, camera, uri_part=source)
        boxes = camera_boxes(session, chosen.source_id)
    write_mot(out, boxes)
    if not chosen.is_finished:
        print(f"reknit: {chosen.uri} has not been ingested to its end", file=sys.stderr)
    print(f"{len(boxes)} boxes of {len(set(boxes.ids.tolist()))} tracklets written to {out}")


def market(
    out: Annotated[Path, typer.Argument(help="The folder to write to.")],
    crops: Annotated[int, typer.Option(min=1, help="At most so many crops a tracklet, the best first.")] = 60,
    data_dir: DataDir = None,
) -> None:
    """Crops of all tracklets under Market-1501's file names, the tracklet standing for the person."""
    from services.bootstrap import open_blobs, open_database
    from services.cli.progress import progress
    from services.exports import write_market
    from services.storage.tracklets import TrackletRepository

    settings = load_settings(data_dir)
    with (
        open_database(settings) as database,
        database.read() as session,
        progress("Exporting", TrackletRepository(session).count()) as advance,
    ):
        written = write_market(session, open_blobs(settings), out, at_most=crops, on_tracklet=advance)
    print(f"{written} crops written to {out}")
