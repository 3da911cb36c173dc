"""`reknit weights`: which weight files are here, get the missing ones, check their content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.options import Json, load_settings, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from reid_core.vision.weights import WeightsStatus

Names = Annotated[list[str] | None, typer.Argument(help="Names as `reknit weights list` shows them; none = all.")]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    group = typer.Typer(help="Weight files, known by their sha256.", no_args_is_help=True)
    group.command("list")(list_weights)
    group.command("pull")(pull)
    group.command("verify")(verify)
    app.add_typer(group, name="weights")


def list_weights(json: Json = None) -> None:
    """Show each known weight file: hash, size, state, and where it lies."""
    _print(_statuses(None), json)


def pull(names: Names = None, json: Json = None) -> None:
    """Get the files that are missing (all that have a mirror, or the named ones) and check every one of them."""
    from reid_core.vision import weights
    from services.cli.progress import progress

    folders, cache_dir = _places()
    wanted = [status.entry for status in _statuses(names)]
    if not names:
        wanted = [entry for entry in wanted if entry.mirrors]
    with progress("Weights", len(wanted)) as advance:
        for entry in wanted:
            weights.resolve(entry.name, folders=folders, cache_dir=cache_dir)
            advance()
    _print(_statuses([entry.name for entry in wanted]), json)


def verify(names: Names = None, json: Json = None) -> None:
    """Check the content of the files that are here; exit code 2 if one is wrong, or a named one is missing.

    Raises:
        WeightsError: If a file's hash is not the registered one, or a named file is absent.
    """
    from reid_core.errors import WeightsError
    from reid_core.vision.weights import WeightsState

    statuses = _statuses(names)
    _print(statuses, json)
    wrong = [
        f"{status.path} has sha256 {status.seen_sha256}, expected {status.entry.sha256}"
        for status in statuses
        if status.state is WeightsState.WRONG_HASH
    ]
    missing = [f"{status.entry.name} is absent" for status in statuses if names and status.path is None]
    if wrong or missing:
        raise WeightsError("; ".join(wrong + missing))


def _places() -> tuple[list[Path], Path]:
    settings = load_settings()
    return ([settings.weights_dir] if settings.weights_dir else []), settings.weights_cache_dir


def _statuses(names: Sequence[str] | None) -> list[WeightsStatus]:
    from reid_core.errors import WeightsError
    from reid_core.vision import weights

    folders, cache_dir = _places()
    known = weights.known_weights([*folders, cache_dir])
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise WeightsError(f"{unknown[0]!r} is unknown; known are {', '.join(sorted(known))}")
    return [weights.status_of(known[name], folders=folders, cache_dir=cache_dir) for name in names or known]


def _print(statuses: Sequence[WeightsStatus], json: str | None) -> None:
    if json is not None:
        write_json(json, {"weights": [_as_json(status) for status in statuses]})
    if json == "-":
        return
    rows = [("NAME", "SHA256", "MB", "STATE", "WHERE")] + [_as_row(status) for status in statuses]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, [*widths, 0], strict=True)).rstrip())


def _as_row(status: WeightsStatus) -> tuple[str, str, str, str, str]:
    size = status.entry.size_bytes
    size_mb = "?" if size is None else f"{size / 1e6:.1f}"
    where = str(status.path) if status.path else ", ".join(str(mirror) for mirror in status.entry.mirrors)
    return status.entry.name, status.entry.sha256[:16], size_mb, status.state.value, where


def _as_json(status: WeightsStatus) -> dict[str, object]:
    return {
        "name": status.entry.name,
        "sha256": status.entry.sha256,
        "size_bytes": status.entry.size_bytes,
        "state": status.state.value,
        "path": str(status.path) if status.path else None,
        "seen_sha256": status.seen_sha256,
        "mirrors": [str(mirror) for mirror in status.entry.mirrors],
    }
