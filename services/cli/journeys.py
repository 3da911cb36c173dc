"""`reknit journeys`: one person's tracklets over all cameras; list, show, merge, split, undo, rebuild."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from reid_core.errors import InputError, NoGenerationError
from services.cli.options import DataDir, Json, load_settings, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from services.journeys.reading import Told
    from services.storage.journeys_records import JourneyEvent, JourneySummary, Link
    from services.storage.session import Database

_AUTHOR = "command line"
_group = typer.Typer(
    help="One person's tracklets over all cameras: look at them, put them right.", no_args_is_help=True
)
_Journey = Annotated[str, typer.Argument(help="The id of a journey, as 'reknit journeys list' shows it.")]
_Author = Annotated[str, typer.Option(help="Who does it; kept in the history.")]
_Note = Annotated[str | None, typer.Option(help="Why, in words.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.add_typer(_group, name="journeys")


@_group.command(name="list")
def list_(
    camera: Annotated[str | None, typer.Option(help="Only with a tracklet of this camera.")] = None,
    start: Annotated[
        str | None, typer.Option(help="Only with one at or after this time, as 2026-01-01T08:00Z.")
    ] = None,
    end: Annotated[str | None, typer.Option(help="Only with one at or before this time.")] = None,
    min_cameras: Annotated[int, typer.Option(min=1, help="Only over at least so many cameras.")] = 1,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most this many, by their start.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="'next_cursor' of the page before.")] = None,
    data_dir: DataDir = None,
    json: Json = None,
) -> None:
    """List journeys by the start of their first tracklet."""
    from services.journeys.reading import list_journeys
    from services.query.journeys_views import journey_page_view
    from services.storage.cameras import CameraRepository
    from services.storage.journeys_records import JourneyWhere

    where = JourneyWhere(camera, _seconds(start, "--start"), _seconds(end, "--end"), min_cameras)
    with _database(data_dir) as database:
        if camera is not None:
            with database.read() as session:
                CameraRepository(session).by_id(camera)
        listed = list_journeys(database, where, limit=limit, cursor=cursor)
    if json is not None:
        write_json(json, journey_page_view(listed).model_dump(mode="json"))
    if json != "-":
        for one in listed.page.items:
            print(_summary(one))
        if not listed.page.items:
            print("No journeys." if listed.state else "No journeys were built yet; 'reknit journeys rebuild' does it.")
        if listed.page.next_cursor is not None:
            print(f"more with --cursor {listed.page.next_cursor}")


@_group.command()
def show(journey: _Journey, data_dir: DataDir = None, json: Json = None) -> None:
    """Show a journey: its tracklets in order, what speaks for each, its merges and splits."""
    from services.journeys.reading import read

    with _database(data_dir) as database:
        told = read(database, journey)
    _tell(told, json)


@_group.command()
def merge(
    journey: _Journey,
    other: Annotated[str, typer.Argument(help="The journey that it takes in.")],
    author: _Author = _AUTHOR,
    note: _Note = None,
    data_dir: DataDir = None,
    json: Json = None,
) -> None:
    """Let a journey take another one in: all their tracklets are one person."""
    from services.journeys import acts

    _require_short(note)
    with _database(data_dir) as database:
        told = acts.merge(database, journey, other, author=author, note=note)
    _tell(told, json)


@_group.command()
def split(
    journey: _Journey,
    tracklet: Annotated[str, typer.Argument(help="The tracklet that goes, with all that came after it.")],
    alone: Annotated[bool, typer.Option("--alone", help="Only this tracklet goes.")] = False,
    author: _Author = _AUTHOR,
    note: _Note = None,
    data_dir: DataDir = None,
    json: Json = None,
) -> None:
    """Part a journey before a tracklet; nobody of the one is somebody of the other any more."""
    from services.journeys import acts
    from services.query.journeys_schemas import SplitAnswer
    from services.query.journeys_views import journey_view

    _require_short(note)
    with _database(data_dir) as database:
        left, fresh = acts.split(database, journey, tracklet, alone=alone, author=author, note=note)
    if json is not None:
        answer = SplitAnswer(journey=journey_view(left), split_off=journey_view(fresh))
        write_json(json, answer.model_dump(mode="json"))
    if json != "-":
        _print(left)
        _print(fresh)


@_group.command()
def undo(
    journey: _Journey,
    event: Annotated[str | None, typer.Argument(help="The merge or split; default: the latest that stands.")] = None,
    author: _Author = _AUTHOR,
    data_dir: DataDir = None,
    json: Json = None,
) -> None:
    """Take a merge or split of a journey back; one that came by itself does not come again."""
    from services.journeys import acts

    with _database(data_dir) as database:
        told = acts.undo(database, journey, event, author=author)
    _tell(told, json)


@_group.command()
def rebuild(data_dir: DataDir = None, json: Json = None) -> None:
    """Build all journeys anew by the generation that answers; 'reknit work' does it by itself."""
    from dataclasses import asdict

    from services.journeys.keeper import JourneyKeeper

    with _database(data_dir) as database:
        kept = JourneyKeeper(database).rebuild()
    if json is not None:
        write_json(json, asdict(kept))
    if json != "-":
        said = f"; {kept.conflicts} things that were said contradict each other or a fact" if kept.conflicts else ""
        print(f"{kept.journeys} journeys of {kept.tracklets} tracklets, {kept.changed} of them changed{said}")


@contextmanager
def _database(data_dir: DataDir) -> Iterator[Database]:
    from services.bootstrap import open_database
    from services.observability import configure_logging

    settings = load_settings(data_dir)
    configure_logging("WARNING")
    if not settings.database_url and not (settings.data_dir / "reknit.db").exists():
        raise NoGenerationError(f"{settings.data_dir} is no data folder")
    with open_database(settings) as database:
        yield database


def _require_short(note: str | None) -> None:
    from services.journeys.acts import LONGEST_NOTE

    if note is not None and len(note) > LONGEST_NOTE:
        raise InputError(f"a note has at most {LONGEST_NOTE} letters, this one {len(note)}")


def _seconds(text: str | None, option: str) -> float | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{option} {text!r} is no time such as 2026-01-01T08:00:00Z") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _tell(told: Told, json: str | None) -> None:
    from services.query.journeys_views import journey_view

    if json is not None:
        write_json(json, journey_view(told).model_dump(mode="json"))
    if json != "-":
        _print(told)


def _print(told: Told) -> None:
    print(_summary(told.journey.summary()))
    if told.journey.successor_id is not None:
        print(f"  was taken in by {told.journey.successor_id}")
    for link in told.journey.links:
        print(f"  {_link(link)}")
    for event in told.history:
        print(f"  {_event(event)}")


def _summary(one: JourneySummary) -> str:
    cameras = ", ".join(one.camera_ids) or "nowhere"
    return f"{one.journey_id}  {_time(one.start_s)} to {_time(one.end_s)}  {one.tracklet_count} tracklets  {cameras}"


def _link(link: Link) -> str:
    by = f"by {link.author}" if link.author is not None else ""
    if link.evidence is not None:
        by += f"{' ' if by else ''}{link.evidence.probability:.0%} like {link.with_id}"
    part, stored = link.part, link.tracklet
    is_whole = (part.start_s, part.end_s) == (stored.start_s, stored.end_s)
    name = f"{stored.tracklet_id}{'' if is_whole else f' ({part.end_s - part.start_s:.1f} s of it)'}"
    return f"{_time(part.start_s)}  {stored.camera_id}  {name}  {by}".rstrip()


def _event(event: JourneyEvent) -> str:
    verb = "took in" if event.kind.value == "merge" else "lost"
    undone = f", undone by {event.undone_by}" if event.undone_by else ""
    said = f"  {event.note}" if event.note else ""
    who = event.author or "by itself"
    count = len({part.tracklet_no for part in event.moved})
    what = f"{count} tracklets {'of' if event.kind.value == 'merge' else 'to'} {event.other_id}"
    return f"{event.event_id}  {_time(event.created_at_s)}  {event.journey_id} {verb} {what} ({who}{undone}){said}"


def _time(time_s: float | None) -> str:
    return "unknown" if time_s is None else datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
