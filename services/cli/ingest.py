"""`reknit ingest`: files and folders become tracklets."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reid_core.errors import InputError
from services.cli.options import DataDir, Json, load_settings, write_json
from services.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from services.ingest.plan import SourceRequest
    from services.ingest.report import IngestReport, SourceOutcome
    from services.site_file import Site


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(name="ingest")(ingest)


def ingest(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE]...", help="Video files, or folders of pictures. The camera is named after the file."
        ),
    ] = None,
    site: Annotated[
        Path | None, typer.Option(help="Register this site's cameras and links, and ingest its videos.")
    ] = None,
    start: Annotated[
        str | None, typer.Option(help="Time of the first frame of each SOURCE, such as 2026-01-01T08:00:00Z.")
    ] = None,
    camera: Annotated[str | None, typer.Option(help="The camera that took every SOURCE.")] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Leave when every source has ended. Files and folders always end.")
    ] = False,
    workers: Annotated[int, typer.Option(min=0, help="Sources at once; 0 = one a processor.")] = 0,
    profile: Annotated[bool, typer.Option("--profile", help="Print where the time went.")] = False,
    data_dir: DataDir = None,
    json: Json = None,
) -> None:
    """Turn video into tracklets: find people, follow them, keep crops and vectors.

    A source that was ingested before changes nothing; one that was interrupted goes on where it was left.
    """
    del once  # every source of today ends by itself; streams, which do not, come with their own issue
    from services.ingest.installation import ingest_into
    from services.observability import configure_logging
    from services.site_file import read_site

    settings = load_settings(data_dir)
    configure_logging(settings.log_level)
    plan = None if site is None else read_site(site)
    requests = _requests(sources or [], plan, start=start, camera=camera)
    report = ingest_into(settings, requests, site=plan, workers=workers, observer=_Terminal())
    if json is not None:
        write_json(json, report.as_dict())
    if json != "-":
        _print(report, profile=profile)
    _tell_failures(report, len(requests))


class _Terminal:
    """Shows how an ingest goes, on standard error."""

    def say(self, line: str) -> None:
        print(f"reknit: {line}", file=sys.stderr, flush=True)

    @contextmanager
    def frames(self, total: int | None) -> Iterator[Callable[[], None]]:
        with progress("Ingesting frames", total) as advance:
            yield advance


def _requests(
    sources: Sequence[str], site: Site | None, *, start: str | None, camera: str | None
) -> list[SourceRequest]:
    """The sources as they were asked for; every contradiction is refused before anything is read."""
    from services.ingest.plan import SourceRequest
    from services.site_file import parse_time

    if not sources and site is None:
        raise InputError("nothing to ingest: name a SOURCE or a --site")
    if start is not None and not sources:
        raise InputError("--start is the time of a SOURCE, and none is given; a site file has a start for each camera")
    if start is not None and camera is not None and len(sources) > 1:
        raise InputError(f"{len(sources)} videos of one camera cannot all start at {start}")
    if camera is not None and not sources:
        raise InputError("--camera names the camera of a SOURCE, and none is given")
    start_s = None if start is None else parse_time(start)
    asked = [SourceRequest(camera or _camera_id(source), Path(source), start_s) for source in sources]
    if camera is None:
        _refuse_same_names(asked)
    of_site = site.sources if site is not None else ()
    return [*asked, *(SourceRequest(one.camera_id, one.path, one.start_s) for one in of_site)]


def _camera_id(source: str) -> str:
    """A file's stem, or a folder's name."""
    if "://" in source:
        raise InputError(f"{source}: streams cannot be ingested yet, only files and folders")
    path = Path(source)
    return path.resolve().name if path.is_dir() else path.stem


def _refuse_same_names(requests: Sequence[SourceRequest]) -> None:
    names = [request.camera_id for request in requests]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"two sources would both be camera {twice!r}; where they are, say --camera {twice}")


def _print(report: IngestReport, *, profile: bool) -> None:
    for outcome in report.outcomes:
        if outcome.failure is None:
            print(_line(outcome))
        for problem in outcome.problems:
            print(f"reknit: warning: {outcome.request.path}: {problem}", file=sys.stderr)
    if report.frames:
        print(
            f"{report.tracklets} tracklets from {report.frames} frames in {report.seconds:.1f} s"
            f" ({report.frames / report.seconds:.1f} frames/s)"
        )
    if profile:
        _print_profile(report)


def _line(outcome: SourceOutcome) -> str:
    from services.ingest.report import SourceState

    name = f"{outcome.request.camera_id}: {outcome.request.path}"
    if outcome.state is SourceState.FINISHED_BEFORE:
        return f"{name}: finished before with {outcome.tracklets_before} tracklets, nothing to do"
    before = f" ({outcome.tracklets_before} more were stored before)" if outcome.tracklets_before else ""
    return f"{name}: {outcome.tracklets} tracklets{before}"


def _print_profile(report: IngestReport) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("stage", "thread s", "ms/frame"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    frames = max(report.frames, 1)
    for stage, seconds in report.stage_seconds.items():
        table.add_row(stage, f"{seconds:.2f}", f"{1000 * seconds / frames:.2f}")
    table.add_row("all in, wall clock", f"{report.seconds:.2f}", f"{1000 * report.seconds / frames:.2f}")
    table.add_row("loading networks", f"{report.loading_seconds:.2f}", "")
    Console().print(table)


def _tell_failures(report: IngestReport, asked: int) -> None:
    """One line for each source that failed; the exit code is that of the worst."""
    failures = [outcome.failure for outcome in report.outcomes if outcome.failure is not None]
    if not failures:
        return
    if asked == 1:
        raise failures[0]
    for failure in failures:
        print(f"reknit: {failure}", file=sys.stderr)
    raise typer.Exit(max(failure.exit_code for failure in failures))
