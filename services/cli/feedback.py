"""`reknit feedback`: say whether two tracklets show one person; the next training cycle learns from it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from reid_core.errors import InputError, NoGenerationError
from services.cli.options import DataDir, Json, load_settings, write_json
from services.storage.feedback_records import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from services.storage.feedback_records import Feedback, FeedbackPage
    from services.storage.session import Database

_AUTHOR = "command line"


_group = typer.Typer(help="Say whether two tracklets show one person; list and withdraw it.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.add_typer(_group, name="feedback")


@_group.command()
def add(
    tracklet_a: Annotated[str, typer.Argument(help="The id of a tracklet.")],
    tracklet_b: Annotated[str, typer.Argument(help="The id of another.")],
    verdict: Annotated[Verdict, typer.Argument(help="Whether they show one person.")],
    note: Annotated[str | None, typer.Option(help="Why, in words.")] = None,
    data_dir: DataDir = None,
    json: Json = None,
) -> None:
    """Say whether two tracklets show one person; of several verdicts on one pair the latest counts."""
    from services.feedback import LONGEST_NOTE, give
    from services.query.feedback_views import feedback_answer

    if note is not None and len(note) > LONGEST_NOTE:
        raise InputError(f"a note has at most {LONGEST_NOTE} letters, this one {len(note)}")
    with _database(data_dir) as database:
        given = give(database, tracklet_a, tracklet_b, verdict, author=_AUTHOR, note=note)
    if json is not None:
        write_json(json, feedback_answer(given).model_dump(mode="json"))
    if json != "-":
        print(_line(given.feedback))
    for chain in given.contradictions:
        names = " = ".join(map(str, chain))
        print(
            f"reknit: this contradicts what else was said: {names}, but the first is not the last; "
            "learning believes none of it until a part is withdrawn",
            file=sys.stderr,
        )


@_group.command(name="list")
def list_(
    tracklet: Annotated[str | None, typer.Option(help="Only of pairs with this tracklet.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most this many, newest first.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="'next_cursor' of the page before.")] = None,
    data_dir: DataDir = None,
    json: Json = None,
) -> None:
    """List all that was said, newest first, with what was withdrawn."""
    from services.feedback import list_feedback
    from services.query.feedback_views import feedback_page_view

    with _database(data_dir) as database:
        page = list_feedback(database, tracklet_id=tracklet, limit=limit, cursor=cursor)
    if json is not None:
        write_json(json, feedback_page_view(page).model_dump(mode="json"))
    if json != "-":
        _print_page(page)


@_group.command()
def withdraw(
    feedback_id: Annotated[str, typer.Argument(help="As 'reknit feedback list' shows it.")],
    data_dir: DataDir = None,
    json: Json = None,
) -> None:
    """Take back what was said; it stays in the history, and what was said of the pair before counts again."""
    from services.feedback import withdraw as withdraw_
    from services.query.feedback_views import feedback_view

    with _database(data_dir) as database:
        gone = withdraw_(database, feedback_id)
    if json is not None:
        write_json(json, feedback_view(gone).model_dump(mode="json"))
    if json != "-":
        print(_line(gone))


@contextmanager
def _database(data_dir: DataDir) -> Iterator[Database]:
    from services.bootstrap import open_database
    from services.observability import configure_logging

    settings = load_settings(data_dir)
    configure_logging("ERROR")  # contradictions are told in words
    if not settings.database_url and not (settings.data_dir / "reknit.db").exists():
        raise NoGenerationError(f"{settings.data_dir} is no data folder")
    with open_database(settings) as database:
        yield database


def _print_page(page: FeedbackPage) -> None:
    if not page.items:
        print("Nothing was said yet.")
    for one in page.items:
        print(_line(one))
    if page.next_cursor is not None:
        print(f"more with --cursor {page.next_cursor}")


def _line(one: Feedback) -> str:
    sign = "=" if one.verdict is Verdict.SAME else "is not"
    said = f"{one.feedback_id}  {_time(one.created_at_s)}  {one.tracklet_a} {sign} {one.tracklet_b}  by {one.author}"
    stands = f"withdrawn {_time(one.withdrawn_at_s)}" if one.withdrawn_at_s is not None else "replaced"
    return said + ("" if one.counts else f"  ({stands})") + (f"  {one.note}" if one.note else "")


def _time(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
