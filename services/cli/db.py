"""`reknit db`: where the database stands in the history of its tables, and moving it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from reid_core.errors import InputError, SchemaVersionError
from services.cli.options import DataDir, Json, load_settings, write_json

if TYPE_CHECKING:
    from services.settings import Settings
    from services.storage.session import Database

Revision = Annotated[str, typer.Argument(help="A revision, or 'head' for the newest.")]
Target = Annotated[str, typer.Argument(help="A revision, or 'base' for a database without tables.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether stored data may be lost.")]

_group = typer.Typer(help="Set up, upgrade and check the database.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.add_typer(_group, name="db")


@_group.command()
def upgrade(revision: Revision = "head", data_dir: DataDir = None, json: Json = None) -> None:
    """Bring the database up to date, or make it."""
    settings = load_settings(data_dir)
    with _database(settings) as database:
        _make_folder(settings)
        before = database.current_revision()
        database.upgrade(revision)
        after = database.current_revision()
        _tell(json, database, {"before": before, "after": after}, _moved(before, after))


@_group.command()
def downgrade(revision: Target, data_dir: DataDir = None, yes: Yes = False, json: Json = None) -> None:
    """Take the database back to an older revision; what the newer tables held is lost."""
    with _existing(data_dir) as database:
        before = database.current_revision()
        _require_consent(
            f"{database.name}: go from {before} back to {revision} and lose what only it can hold", yes=yes
        )
        database.downgrade(revision)
        after = database.current_revision()
        _tell(json, database, {"before": before, "after": after}, _moved(before, after))


@_group.command()
def current(data_dir: DataDir = None, json: Json = None) -> None:
    """Say which revision the database stands at."""
    from services.storage.schema import head_revision

    with _existing(data_dir) as database:
        found, head = database.current_revision(), head_revision()
        note = "up to date" if found == head else f"this version of Reknit needs {head}"
        _tell(json, database, {"current": found, "head": head}, f"at {found or 'no revision'} ({note})")


@_group.command()
def check(data_dir: DataDir = None, json: Json = None) -> None:
    """Check that the database fits this version of Reknit, table by table; exit code 2 if not."""
    with _existing(data_dir) as database:
        database.require_head()
        differences = database.differences()
        if differences and json is None:
            raise SchemaVersionError(f"{database.name}: {'; '.join(differences)}")
        _tell(json, database, {"fits": not differences, "differences": differences}, "fits this version of Reknit")
        if differences:
            raise typer.Exit(SchemaVersionError.exit_code)


def _database(settings: Settings) -> Database:
    from services.storage.session import Database

    return Database(settings.resolved_database_url)


def _existing(data_dir: DataDir) -> Database:
    """The database, if there is one: asking where it stands must not make it.

    Raises:
        SchemaVersionError: If there is none.
    """
    database = _database(load_settings(data_dir))
    if database.is_missing:
        raise SchemaVersionError(f"{database.name} does not exist yet; run 'reknit db upgrade' to make it")
    return database


def _make_folder(settings: Settings) -> None:
    if not settings.database_url:
        settings.data_dir.mkdir(parents=True, exist_ok=True)


def _require_consent(question: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise InputError(f"{question}? Repeat with --yes if you mean it")
    typer.confirm(question, abort=True, err=True)


def _moved(before: str | None, after: str | None) -> str:
    if before == after:
        return f"already at {after or 'no revision'}"
    return f"from {before or 'no revision'} to {after or 'no revision'}"


def _tell(json: str | None, database: Database, facts: dict[str, object], line: str) -> None:
    if json is not None:
        write_json(json, {"database": database.name, **facts})
    if json != "-":
        print(f"{database.name}: {line}")
