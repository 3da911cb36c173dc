"""`reknit models`: models and generations, and which of them answers."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reid_core.errors import NoGenerationError
from services.cli.options import DataDir, Json, load_settings, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from services.query.registry_schemas import ChangeView, GenerationList, GenerationRecord, ModelList
    from services.settings import Settings
    from services.storage.session import Database

Name = Annotated[str, typer.Argument(metavar="ID", help="A generation's id or its beginning, or the id of its model.")]
Reason = Annotated[str | None, typer.Option(help="Why; kept with the generation and its history.")]

_BY_HAND = "by hand, on the command line"
_group = typer.Typer(help="List, show, promote and roll back models and generations.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.add_typer(_group, name="models")


@_group.command(name="list")
def list_(data_dir: DataDir = None, json: Json = None) -> None:
    """List models, generations, and every change of the one that answers."""
    from services.query.registry_views import every_generation, every_model

    with _opened(data_dir) as (_, database), database.read() as session:
        models, generations = every_model(session), every_generation(session)
    if json is not None:
        told = generations.model_dump(mode="json")
        write_json(
            json,
            {
                "models": models.model_dump(mode="json")["items"],
                "generations": told["items"],
                "history": told["history"],
            },
        )
    if json != "-":
        _print_list(models, generations)


@_group.command()
def show(name: Name, data_dir: DataDir = None, json: Json = None) -> None:
    """Show a generation: its model, where it stands, and the figures of the decision on it."""
    from services.query.registry_views import generation_record, model_view
    from services.storage.gaps import VectorGaps
    from services.storage.generations import GenerationRepository
    from services.storage.models import ModelRepository

    with _opened(data_dir) as (_, database), database.read() as session:
        generation = GenerationRepository(session).named(name)
        gaps = VectorGaps(session)
        told: dict[str, Any] = {
            "generation": generation_record(generation).model_dump(mode="json"),
            "model": model_view(ModelRepository(session).by_id(generation.model_id)).model_dump(mode="json"),
            "missing": gaps.count(generation.model_id),
            "unusable": [
                {"tracklet_no": one.tracklet_no, "reason": one.reason} for one in gaps.failures(generation.model_id)
            ],
        }
    if json is not None:
        write_json(json, told)
    if json != "-":
        _print_one(told)


@_group.command()
def promote(name: Name, reason: Reason = None, data_dir: DataDir = None, json: Json = None) -> None:
    """Let a generation answer, after every stored tracklet has a vector of its model; searches go on meanwhile."""
    from services.query.registry_views import change_view
    from services.storage.gaps import VectorGaps
    from services.storage.generations import GenerationRepository
    from services.trainer.takeover import complete

    with _opened(data_dir) as (settings, database):
        with database.read() as session:
            wanted = GenerationRepository(session).named(name)
            missing = VectorGaps(session).count(wanted.model_id)
        with _progress("Embedding", missing) as on_progress:
            change = complete(
                settings, database, wanted.generation_id, reason=reason or _BY_HAND, on_progress=on_progress
            )
        _tell(change_view(change), json)


@_group.command()
def rollback(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="The generation to go back to; default: the one that answered before."),
    ] = None,
    reason: Reason = None,
    data_dir: DataDir = None,
    json: Json = None,
) -> None:
    """Let an earlier generation answer again, at once; vectors that it lacks are made afterwards."""
    from services import succession
    from services.bootstrap import open_models
    from services.query.registry_views import change_view

    with _opened(data_dir) as (settings, database):
        change = succession.roll_back(database, open_models(settings), name, reason=reason or _BY_HAND)
        if change.missing:
            generation = change.generation
            print(f"reknit: {generation.generation_id} answers; embedding what it lacks", file=sys.stderr)
            _make_up(settings, database, generation.model_id, change.missing)
            with database.read() as session:
                change = succession.change_of(session, change.generation, change.previous)
        _tell(change_view(change), json)


@_group.command()
def reject(name: Name, reason: Reason = None, data_dir: DataDir = None, json: Json = None) -> None:
    """Turn a candidate down, so that ingest no longer embeds for it."""
    from services.query.registry_views import generation_record
    from services.storage.generations import GenerationRepository

    with _opened(data_dir) as (_, database), database.write() as session:
        generations = GenerationRepository(session)
        rejected = generations.reject(generations.named(name).generation_id, reason=reason or _BY_HAND)
        told = generation_record(rejected)
    if json is not None:
        write_json(json, told.model_dump(mode="json"))
    if json != "-":
        print(_line(told))


@contextmanager
def _opened(data_dir: DataDir) -> Iterator[tuple[Settings, Database]]:
    """The installation, if there is one: asking for its models must not make it."""
    from services.bootstrap import open_database
    from services.observability import configure_logging

    settings = load_settings(data_dir)
    configure_logging("WARNING")
    if not settings.database_url and not (settings.data_dir / "reknit.db").exists():
        raise NoGenerationError(f"{settings.data_dir} is no data folder")
    with open_database(settings) as database:
        yield settings, database


@contextmanager
def _progress(title: str, total: int) -> Iterator[Callable[[int, int], None]]:
    """Shows how many tracklets are done; silent where nothing is to do."""
    from services.cli.progress import progress

    if not total:
        yield lambda _done, _total: None
        return
    with progress(title, total) as advance:
        shown = 0

        def on_progress(done: int, _total: int) -> None:
            nonlocal shown
            if done > shown:
                advance(done - shown)
                shown = done

        yield on_progress


def _make_up(settings: Settings, database: Database, model_id: str, missing: int) -> None:
    """Make the vectors that a generation lacks; it answers already."""
    from services import bootstrap
    from services.trainer.backfill import backfill

    with _progress("Embedding", missing) as on_progress:
        embedder = bootstrap.make_embedder_for(settings, database, model_id)
        backfill(database, bootstrap.open_blobs(settings), embedder, on_progress=on_progress)


def _tell(change: ChangeView, json: str | None) -> None:
    if json is not None:
        write_json(json, change.model_dump(mode="json"))
    if json == "-":
        return
    print(_line(change.generation))
    if change.previous_id != change.generation.generation_id:
        print(f"before: {change.previous_id}")
    if change.unusable:
        print(f"{change.unusable} tracklets have no crop that can be read, and cannot be found by it")


def _print_list(models: ModelList, generations: GenerationList) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("generation", "state", "model", "kind", "recipe", "made", "promoted"):
        table.add_column(name, no_wrap=True)
    by_id = {model.model_id: model for model in models.items}
    for one in generations.items:
        model = by_id[one.model_id]
        promoted = "-" if one.promoted is None else f"{one.promoted:%Y-%m-%d %H:%M:%S}"
        made = f"{one.created:%Y-%m-%d %H:%M:%S}"
        table.add_row(
            str(one.generation_id),
            one.state,
            one.model_id,
            model.kind,
            model.recipe or "-",
            made,
            promoted,
        )
    console.width = max(console.width, 200) if not console.is_terminal else console.width
    console.print(table)
    for one in generations.items:
        if one.reason:
            print(f"{one.generation_id}: {one.reason}")


def _print_one(told: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.pretty import Pretty

    console = Console()
    console.print(Pretty(told, expand_all=True))


def _line(generation: GenerationRecord) -> str:
    why = f" ({generation.reason})" if generation.reason else ""
    return f"{generation.generation_id} is {generation.state}, with model {generation.model_id}{why}"
