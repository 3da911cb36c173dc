"""The part of `reknit evaluate ranking` that scores a stored site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reid_core.errors import InputError
from services.cli.options import load_settings, write_json, write_text

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from services.scoring import SiteScores
    from services.storage.generations import Generation

_SHARES = {"rank1": "rank-1", "rank5": "rank-5", "rank10": "rank-10", "map": "mAP (rectangle)"}
_MORE_SHARES = {"map_trapezoid": "mAP (trapezoid)", "minp": "mINP"}
_COUNTS = ("queries", "skipped", "tracklets", "people", "distractors")
_TITLE = "Retrieval across cameras"


def score_stored_site(
    truth: Path,
    *,
    data_dir: Path | None,
    generation: str | None,
    json: str | None,
    csv: Path | None,
    report: Path | None,
) -> None:
    """Score what is stored, and write it in all forms that are asked for.

    Args:
        truth: Folder of CAMERA.txt, or one that holds it as ``boxes``.
        data_dir: The installation.
        generation: Beginning of a generation's id; default: the current one.
        json: Where to, ``-`` for standard output.
        csv: Where to.
        report: Where to.

    Raises:
        InputError: If there is no such generation, or nothing to report on.
    """
    from reid_core.evaluation.ranking_page import ranking_page
    from reid_core.evaluation.report_page import render_page
    from services.bootstrap import open_blobs, open_database
    from services.scoring import read_site_truth, score_site
    from services.site_story import site_story

    boxes = read_site_truth(truth / "boxes" if (truth / "boxes").is_dir() else truth)
    settings = load_settings(data_dir)
    with open_database(settings) as database, database.read() as session:
        chosen = _generation(session, generation)
        scores = score_site(session, boxes, model_id=chosen.model_id)
        if report is not None:
            story = site_story(session, open_blobs(settings), scores, title=_TITLE)
            if story is None:
                raise InputError("nobody was seen by two cameras, so there is no search to report on")
            write_text(report, render_page(ranking_page(story)))
        if csv is not None:
            write_text(csv, _csv(session, scores))
    if json is not None:
        write_json(json, _as_dict(scores, chosen))
    if json != "-":
        _print(scores)


def _generation(session: Session, beginning: str | None) -> Generation:
    from services.storage.generations import GenerationRepository

    generations = GenerationRepository(session)
    if beginning is None:
        return generations.current()
    known = generations.list()
    found = [one for one in known if str(one.generation_id).startswith(beginning)]
    if len(found) != 1:
        names = ", ".join(str(one.generation_id) for one in known) or "none yet"
        raise InputError(f"{len(found)} generations begin with {beginning!r}; there are: {names}")
    return found[0]


def _as_dict(scores: SiteScores, generation: Generation) -> dict[str, object]:
    return {
        "model_id": scores.model_id,
        "generation": str(generation.generation_id),
        **scores.retrieval.as_dict(),
        "cmc": scores.retrieval.ranking.curve.tolist() if scores.retrieval.ranking else None,
        "tracking": scores.tracking.as_dict(),
        "cameras": {camera: figures.as_dict() for camera, figures in scores.camera_tracking.items()},
    }


def _csv(session: Session, scores: SiteScores) -> str:
    import csv
    import io

    from services.storage.tracklets import TrackletRepository

    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(
        ("tracklet_id", "camera_id", "person_id", "average_precision", "average_precision_trapezoid", "first_rank")
    )
    ranking = scores.retrieval.ranking
    if ranking is None:
        return text.getvalue()
    stored = TrackletRepository(session).by_nos(scores.tracklet_nos.tolist())
    for place, row in enumerate(ranking.queries.tolist()):
        tracklet = stored[int(scores.tracklet_nos[row])]
        figures = (float(values[place]) for values in (ranking.precisions, ranking.precisions_trapezoid))
        who = (tracklet.tracklet_id, tracklet.camera_id, int(scores.person_ids[row]))
        writer.writerow((*who, *figures, int(ranking.first_ranks[place])))
    return text.getvalue()


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
