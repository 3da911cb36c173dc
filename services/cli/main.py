"""The `reknit` command: gathers the command groups and turns errors into one clear line and an exit code."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from reid_core.errors import ReknitError
from services.cli import (
    db,
    demo,
    evaluate,
    export,
    feedback,
    ingest,
    jobs,
    journeys,
    models,
    search,
    serve,
    simulate,
    train,
    train_dataset,
    weights,
    work,
)
from services.cli.options import with_json_target

app = typer.Typer(
    name="reknit",
    help="Find the same person across a site's cameras.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_GROUPS = (
    demo,
    simulate,
    ingest,
    work,
    serve,
    train,
    train_dataset,
    search,
    journeys,
    evaluate,
    export,
    feedback,
    jobs,
    models,
    weights,
    db,
)
for group in _GROUPS:
    group.register(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(version("reknit"))
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Find the same person across a site's cameras."""


def main() -> None:
    """Run the command line; a `ReknitError` becomes one line on standard error and its exit code."""
    try:
        app(with_json_target(sys.argv[1:]))
    except ReknitError as error:
        print(f"reknit: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("reknit: stopped", file=sys.stderr)
        sys.exit(130)
