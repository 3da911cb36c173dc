"""`reknit work`: a worker that runs jobs until it is told to stop."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from services.cli.options import DataDir, load_settings
from services.trainer.locks import DEFAULT_WORKER


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(name="work")(work)


def work(
    name: Annotated[
        str, typer.Option(help="Of this worker; a second one over the same data folder needs another.")
    ] = DEFAULT_WORKER,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", hidden=True, help="End when the process that started this one has ended.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Log warnings and errors only.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Run jobs, such as training cycles, until interrupted; what is interrupted goes on with the next worker."""
    from services.cli.children import ending_with_us
    from services.observability import configure_logging
    from services.trainer.worker import run_worker

    settings = load_settings(data_dir)
    configure_logging("WARNING" if quiet else settings.log_level)
    parent = os.getppid()
    if not quiet:
        print(f"reknit: {name} runs the jobs of {settings.data_dir}", file=sys.stderr, flush=True)
    with ending_with_us():
        run_worker(settings, name=name, goes_on=lambda: not with_parent or os.getppid() == parent)
