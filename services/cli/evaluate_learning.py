"""`reknit evaluate learning`: what a training job learned, round by round."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reid_core.errors import InputError, NoGenerationError
from services.cli.options import DataDir, Json, load_settings
from services.cli.outputs import Outputs, columns_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reid_core.evaluation.learning_story import LearningStory
    from services.settings import Settings
    from services.storage.job_records import Job
    from services.storage.session import Database

_LATEST = "latest"
_SHARES = ("mean_weight", "precision", "recall", "rank1", "map")


def learning(
    job: Annotated[str, typer.Option(help="A training job's id, or latest.")] = _LATEST,
    truth: Annotated[
        Path | None,
        typer.Option(
            help="True boxes of the stored site, a folder of CAMERA.txt: adds precision, recall and retrieval."
        ),
    ] = None,
    data_dir: DataDir = None,
    json: Json = None,
    csv: Annotated[Path | None, typer.Option(help="Write one row for each round to this file.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a page with rounds, walking times and the decision to this .html file.")
    ] = None,
) -> None:
    """Rounds, losses, pairs, walking times and the decision of a training job; with the truth, scores of each round."""
    from reid_core.evaluation.learning_page import learning_page
    from services.bootstrap import open_database

    settings = load_settings(data_dir)
    if not settings.database_url and not (settings.data_dir / "reknit.db").exists():
        raise NoGenerationError(f"{settings.data_dir} is no data folder")
    with open_database(settings) as database:
        chosen = _chosen(database, job)
        story = _story(settings, database, chosen, truth)
    outputs = Outputs(json, csv, report)
    rounds = [one.as_dict() for one in story.rounds]
    outputs.write(
        {"job_id": str(chosen.job_id), **story.as_dict()},
        page=lambda: learning_page(story, title="What was learned"),
        rows=lambda: columns_of(rounds),
    )
    if outputs.has_table:
        _print(story)


def _chosen(database: Database, job: str) -> Job:
    from services.jobs import read
    from services.storage.jobs import JobRepository

    if job != _LATEST:
        return read(database, job)
    with database.read() as session:
        newest = JobRepository(session).newest("train")
    if newest is None:
        raise InputError("no training job was ever asked for")
    return newest


def _story(settings: Settings, database: Database, job: Job, truth: Path | None) -> LearningStory:
    from reid_core.evaluation.learning_story import read_learning_story
    from reid_core.learning.recipes import Recipe
    from services.scoring import people_of_tracklets, read_site_truth
    from services.trainer.ablation import truth_folder

    folder = settings.jobs_dir / str(job.job_id)
    recipe_file = folder / "recipe.json"
    if not recipe_file.is_file():
        raise InputError(f"job {job.job_id} has learned nothing yet: {recipe_file} is missing")
    people = before = None
    if truth is not None:
        boxes = read_site_truth(truth_folder(truth))
        with database.read() as session:
            people = people_of_tracklets(session, boxes)
        before = _vectors_before(database, job, folder)
    return read_learning_story(
        folder,
        Recipe.from_json(recipe_file.read_text(encoding="utf-8")),
        people=people,
        check=(job.result or {}).get("metrics"),
        before=before,
    )


def _vectors_before(database: Database, job: Job, folder: Path) -> NDArray[np.floating] | None:
    """Of the set's tracklets, by the model that the job's was compared with; the cold start's without a comparison."""
    import numpy as np

    from reid_core.learning.tracklet_set import TrackletSet
    from services.storage.generations import GenerationRepository
    from services.storage.tracklets import TrackletRepository

    compared = ((job.result or {}).get("metrics") or {}).get("compared_with")
    numbers = TrackletSet.load(folder / "tracklets").tracklet_nos.tolist()
    with database.read() as session:
        known = {str(one.generation_id): one.model_id for one in GenerationRepository(session).list()}
        first = min(known)  # ids rise with time: the first ingest's
        stored = TrackletRepository(session).embeddings(numbers, known.get(str(compared), known[first]))
    if any(number not in stored for number in numbers):
        return None  # a model whose vectors were deleted has no figure
    return np.stack([stored[number].vector for number in numbers])


def _print(story: LearningStory) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    rows = [one.as_dict() for one in story.rounds]
    shown = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    for name in shown:
        table.add_column(name.replace("_", " "), justify="right")
    for row in rows:
        table.add_row(*(_written(name, row[name]) for name in shown))
    Console().print(table)


def _written(name: str, value: float | None) -> str:
    if value is None:
        return ""
    if name in _SHARES:
        return f"{100 * value:.1f}"
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}"
