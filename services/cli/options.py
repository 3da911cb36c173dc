"""Options that several commands share, and the settings they lead to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.settings import Settings

DataDir = Annotated[
    Path | None,
    typer.Option(help="Folder that holds the whole installation (or REKNIT_DATA_DIR).", show_default="reknit-data"),
]
Json = Annotated[
    str | None, typer.Option("--json", help="Write the result as JSON to this file; '-' = standard output.")
]


def load_settings(data_dir: Path | None = None) -> Settings:
    """Settings from the environment, with the command line's data folder in front."""
    return Settings() if data_dir is None else Settings(data_dir=data_dir)


def write_json(target: str, payload: object) -> None:
    """Write a result as JSON: to standard output for ``-``, else to the file, whole or not at all."""
    import json
    import os

    text = json.dumps(payload, indent=2, sort_keys=False, allow_nan=False) + "\n"
    if target == "-":
        print(text, end="")
        return
    path = Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
