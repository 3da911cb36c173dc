"""Options that several commands share, and the settings they lead to."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reid_core.errors import OutputError
from services.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DataDir = Annotated[
    Path | None,
    typer.Option(help="Folder that holds the whole installation (or REKNIT_DATA_DIR).", show_default="reknit-data"),
]
Json = Annotated[
    str | None,
    typer.Option("--json", help="Write the result as JSON to this file; '-', or nothing after it = standard output."),
]


def load_settings(data_dir: Path | None = None) -> Settings:
    """Settings from the environment, with the command line's data folder in front."""
    return Settings() if data_dir is None else Settings(data_dir=data_dir)


def with_json_target(args: Sequence[str]) -> list[str]:
    """The arguments with a ``-`` behind each ``--json`` that is the last one or stands before another option.

    Example:
        >>> with_json_target(["jobs", "list", "--json", "--limit", "5"])
        ['jobs', 'list', '--json', '-', '--limit', '5']
        >>> with_json_target(["jobs", "list", "--json", "jobs.json"])
        ['jobs', 'list', '--json', 'jobs.json']
    """
    told: list[str] = []
    for place, arg in enumerate(args):
        if arg == "--":
            return [*told, *args[place:]]
        following = args[place + 1] if place + 1 < len(args) else "--"
        told += [arg, "-"] if arg == "--json" and following.startswith("-") and following != "-" else [arg]
    return told


def write_json(target: str, payload: object) -> None:
    """Write a result as JSON: to standard output for ``-``, else to the file, whole or not at all.

    Raises:
        OutputError: If the file cannot be written.
    """
    text = json.dumps(payload, indent=2, allow_nan=False) + "\n"
    if target == "-":
        print(text, end="")
    else:
        write_text(Path(target), text)


def write_csv(path: Path, head: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a head and rows as a CSV file, whole or not at all.

    Raises:
        OutputError: If the file cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows(rows)
    write_text(path, text.getvalue())


def write_text(path: Path, text: str) -> None:
    """Write a result file, whole or not at all; its folder is made where it is missing.

    Raises:
        OutputError: If the file cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8", newline="")
        partial.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}") from error
