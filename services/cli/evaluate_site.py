"""The part of `reknit evaluate ranking` that scores a stored site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reid_core.errors import InputError
from services.cli.generation_choice import chosen_generation
from services.cli.options import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.orm import Session

    from reid_core.evaluation.report_page import Page
    from services.cli.outputs import Outputs
    from services.scoring import SiteScores
    from services.storage.blobs import BlobStore
    from services.storage.generations import Generation

__all__ = ["score_stored_site", "site_page"]

_SHARES = {"rank1": "rank-1", "rank5": "rank-5", "rank10": "rank-10", "map": "mAP (rectangle)"}
_MORE_SHARES = {"map_trapezoid": "mAP (trapezoid)", "minp": "mINP"}
_COUNTS = ("queries", "skipped", "tracklets", "people", "distractors")
_COLUMNS = ("tracklet_id", "camera_id", "person_id", "average_precision", "average_precision_trapezoid", "first_rank")
_TITLE = "Retrieval across cameras"


def score_stored_site(truth: Path, *, data_dir: Path | None, generation: str | None, outputs: Outputs) -> None:
    """Score what is stored, and write it in all forms that are asked for.

    Args:
        truth: Folder of CAMERA.txt, or one that holds it as ``boxes``.
        data_dir: The installation.
        generation: Beginning of a generation's id; default: the current one.
        outputs: Where to.

    Raises:
        InputError: If there is no such generation, or nothing to report on.
    """
    from services.bootstrap import open_blobs, open_database
    from services.scoring import read_site_truth, score_site

    boxes = read_site_truth(truth / "boxes" if (truth / "boxes").is_dir() else truth)
    settings = load_settings(data_dir)
    with open_database(settings) as database, database.read() as session:
        chosen = chosen_generation(session, generation)
        scores = score_site(session, boxes, model_id=chosen.model_id)
        outputs.write(
            _as_dict(scores, chosen),
            page=lambda: _required_page(session, open_blobs(settings), scores),
            rows=lambda: (_COLUMNS, _rows(session, scores)),
        )
    if outputs.has_table:
        _print(scores)


def site_page(session: Session, blobs: BlobStore, scores: SiteScores) -> Page | None:
    """The page of a stored site's scores; ``None`` where nobody was seen by two cameras.

    Args:
        session: A reading transaction.
        blobs: Where the crops lie.
        scores: Of the same state of the database.
    """
    from reid_core.evaluation.ranking_page import ranking_page
    from services.site_story import site_story

    story = site_story(session, blobs, scores, title=_TITLE)
    return None if story is None else ranking_page(story)


def _required_page(session: Session, blobs: BlobStore, scores: SiteScores) -> Page:
    page = site_page(session, blobs, scores)
    if page is None:
        raise InputError("nobody was seen by two cameras, so there is no search to report on")
    return page


def _as_dict(scores: SiteScores, generation: Generation) -> dict[str, object]:
    return {
        "model_id": scores.model_id,
        "generation": str(generation.generation_id),
        **scores.retrieval.as_dict(),
        "cmc": scores.retrieval.ranking.curve.tolist() if scores.retrieval.ranking else None,
        "tracking": scores.tracking.as_dict(),
        "cameras": {camera: figures.as_dict() for camera, figures in scores.camera_tracking.items()},
    }


def _rows(session: Session, scores: SiteScores) -> Iterator[tuple[object, ...]]:
    """One for each query, as ``_COLUMNS`` names them."""
    from services.storage.tracklets import TrackletRepository

    ranking = scores.retrieval.ranking
    if ranking is None:
        return
    stored = TrackletRepository(session).by_nos(scores.tracklet_nos.tolist())
    for place, row in enumerate(ranking.queries.tolist()):
        tracklet = stored[int(scores.tracklet_nos[row])]
        figures = (float(values[place]) for values in (ranking.precisions, ranking.precisions_trapezoid))
        who = (tracklet.tracklet_id, tracklet.camera_id, int(scores.person_ids[row]))
        yield (*who, *figures, int(ranking.first_ranks[place]))


def _print(scores: SiteScores) -> None:
    from rich.console import Console
    from rich.table import Table

    figures, tracking = scores.retrieval.as_dict(), scores.tracking.as_dict()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column("")
    table.add_column("", justify="right")
    for name, label in (_SHARES | _MORE_SHARES).items():
        value = figures[name]
        table.add_row(label, "-" if value is None else f"{100 * value:.2f}")
    for name in _COUNTS:
        table.add_row(name, str(figures[name]))
    for name in ("HOTA", "IDF1", "MOTA"):
        table.add_row(f"{name} (tracking)", f"{tracking[name]:.2f}")
    console = Console()
    console.print(f"[bold]{_TITLE}[/bold]")
    console.print(table)
