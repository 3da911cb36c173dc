"""`reknit jobs`: look at long work, cancel it, let it go on."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reid_core.errors import NoGenerationError
from services.cli.options import DataDir, Json, load_settings, write_json
from services.storage.job_records import JobState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from services.storage.job_records import Job
    from services.storage.session import Database

JobId = Annotated[str, typer.Argument(help="As 'reknit jobs list' shows it.")]

_group = typer.Typer(help="List, show, cancel and retry jobs.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.add_typer(_group, name="jobs")


@_group.command(name="list")
def list_(
    state: Annotated[JobState | None, typer.Option(help="Only those that stand there.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most this many, newest first.")] = 50,
    data_dir: DataDir = None,
    json: Json = None,
) -> None:
    """List jobs, newest first."""
    from services.jobs import list_jobs
    from services.query.job_views import job_page_view

    with _database(data_dir) as database:
        page = list_jobs(database, state=state, limit=limit)
    if json is not None:
        write_json(json, job_page_view(page).model_dump(mode="json"))
    if json != "-":
        _print_list(page.items)


@_group.command()
def show(
    job_id: JobId,
    follow: Annotated[bool, typer.Option("--follow", help="Show the progress until the job has ended.")] = False,
    data_dir: DataDir = None,
    json: Json = None,
) -> None:
    """Show one job: how far it is, and what came of it."""
    from services.cli.following import follow as follow_
    from services.jobs import read

    with _database(data_dir) as database:
        job = follow_(lambda: read(database, job_id)) if follow else read(database, job_id)
    _show(job, json)


@_group.command()
def cancel(job_id: JobId, data_dir: DataDir = None, json: Json = None) -> None:
    """Cancel a job: at once where it waits, within seconds where it runs. What was done stays for a retry."""
    from services.jobs import cancel as cancel_

    with _database(data_dir) as database:
        _show(cancel_(database, job_id), json)


@_group.command()
def retry(job_id: JobId, data_dir: DataDir = None, json: Json = None) -> None:
    """Let a failed or cancelled job go on at the step where it stopped."""
    from services.jobs import retry as retry_

    with _database(data_dir) as database:
        _show(retry_(database, job_id), json)


@contextmanager
def _database(data_dir: Path | None) -> Iterator[Database]:
    from services.bootstrap import open_database

    settings = load_settings(data_dir)
    if not settings.database_url and not (settings.data_dir / "reknit.db").exists():
        raise NoGenerationError(f"{settings.data_dir} is no data folder")
    with open_database(settings) as database:
        yield database


def _show(job: Job, json: str | None) -> None:
    from services.query.job_views import job_view

    if json is not None:
        write_json(json, job_view(job).model_dump(mode="json"))
    if json != "-":
        _print(job)


def _print(job: Job) -> None:
    from services.cli.following import describe

    rows = [
        ("job", str(job.job_id)),
        ("kind", f"{job.kind} by {job.recipe}" if job.recipe else job.kind),
        ("asked for", f"{_time(job.created_at_s)} by {job.author or 'somebody'}"),
        ("stands", describe(job)),
        ("attempt", str(job.attempt)),
        ("error", job.error or ""),
        ("came of it", str((job.result or {}).get("reason", ""))),
    ]
    for name, value in rows:
        if value:
            print(f"{name:<12}{value}")
    for step, seconds in (job.result or {}).get("seconds", {}).items():
        print(f"{'':<12}{step}: {seconds:.1f} s")


def _print_list(jobs: tuple[Job, ...]) -> None:
    from rich.console import Console
    from rich.table import Table

    from services.cli.following import describe

    console = Console()
    if not jobs:
        console.print("No job was asked for yet.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("job", "kind", "recipe", "asked for", "by", "stands", "error"):
        table.add_column(name, no_wrap=name != "error")
    for job in jobs:
        asked = _time(job.created_at_s)
        table.add_row(
            str(job.job_id), job.kind, job.recipe or "", asked, job.author or "", describe(job), job.error or ""
        )
    console.width = max(console.width, 160) if not console.is_terminal else console.width
    console.print(table)


def _time(time_s: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
