"""`reknit train`: ask for a training cycle, and follow it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reid_core.errors import InputError, JobFailedError, NoGenerationError
from services.cli.options import DataDir, Json, load_settings, write_json

if TYPE_CHECKING:
    from services.settings import Settings
    from services.storage.job_records import Job
    from services.storage.session import Database


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(name="train")(train)


def train(
    recipe: Annotated[str | None, typer.Option(help="By which recipe (or REKNIT_TRAIN_RECIPE).")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Show the progress until the cycle has ended; runs it if nobody else does.")
    ] = False,
    seed: Annotated[
        int, typer.Option(min=0, max=2**31 - 1, help="Equal seeds on equal tracklets give equal models.")
    ] = 0,
    start: Annotated[
        str | None, typer.Option(help="Weights to start from instead of the recipe's; see `reknit weights list`.")
    ] = None,
    data_dir: DataDir = None,
    json: Json = None,
    ablate: Annotated[
        bool,
        typer.Option("--ablate", help="Instead: run the paper's ablations on this site, whose truth must be known."),
    ] = False,
    truth: Annotated[
        Path | None, typer.Option(help="With --ablate: true boxes, a folder of CAMERA.txt.", show_default="the demo's")
    ] = None,
    source: Annotated[
        Path | None, typer.Option(help="With --ablate: a demo's data folder, for the row that learns on another site.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="With --ablate: a fifth of the iterations, for a look and no result.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="With --ablate: write a page with tables and figures to this .html file.")
    ] = None,
) -> None:
    """Learn the site from its stored tracklets: ask for a training cycle, which a worker runs (`reknit work`)."""
    if ablate:
        from services.cli.ablate import AblationRequest
        from services.cli.ablate import ablate as run_ablation

        name = recipe or load_settings(data_dir).train_recipe
        run_ablation(AblationRequest(name, truth, source, quick, seed, json, report), data_dir=data_dir)
        return
    if truth or source or quick or report:
        raise InputError("--truth, --source, --quick and --report belong to --ablate")
    from services.bootstrap import open_database, start_weights
    from services.jobs import request_training
    from services.query.job_views import job_view

    settings = load_settings(data_dir)
    if not settings.database_url and not (settings.data_dir / "reknit.db").exists():
        raise NoGenerationError(f"{settings.data_dir} is no data folder")
    start_weights(settings, start)  # named wrongly, they are refused before anything is asked for
    name = recipe or settings.train_recipe
    with open_database(settings) as database:
        job = request_training(database, recipe=name, seed=seed, author="command line", start=start)
        if follow:
            job = _follow(settings, database, job)
    if json is not None:
        write_json(json, job_view(job).model_dump(mode="json"))
    if json != "-":
        _tell(job)
    if follow and job.state != "succeeded":
        raise JobFailedError(job.error or "it was cancelled")


def _follow(settings: Settings, database: Database, job: Job) -> Job:
    from services.cli.children import ending_with_us
    from services.cli.following import follow
    from services.cli.worker_child import supervised_worker
    from services.jobs import read

    try:
        with ending_with_us(), supervised_worker(settings, quiet=True):
            return follow(lambda: read(database, job.job_id))
    except KeyboardInterrupt:
        where = f" --data-dir {settings.data_dir}"
        print(
            f"reknit: not following any more; job {job.job_id} goes on while a worker runs.\n"
            f"  run it:     reknit work{where}\n"
            f"  look at it: reknit jobs show {job.job_id} --follow{where}\n"
            f"  end it:     reknit jobs cancel {job.job_id}{where}",
            file=sys.stderr,
        )
        raise typer.Exit(130) from None


def _tell(job: Job) -> None:
    if not job.state.is_final:
        print(f"Job {job.job_id} is {job.state.value}; a worker runs it ('reknit work').")
    elif job.result is not None:
        print(f"Job {job.job_id} succeeded: {job.result.get('reason') or 'no more is known'}")
