"""`reknit demo`: a simulated site from its pixels to scored answers, then served."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.options import DataDir, Json, load_settings, write_json, write_text
from services.storage.job_records import JobState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from services.cli.demo_folder import DemoFolder, DemoSite
    from services.cli.demo_scores import DemoScores
    from services.query.live_index import LoadedGeneration
    from services.settings import Settings
    from services.storage.blobs import BlobStore
    from services.storage.job_records import Job

_STAGES = ("simulate", "ingest", "learn", "score", "total")
_LEARNING_SEED = 0
_SHEET_TITLE = "Where else was this person?"
_SHEET_HELP = (
    "Left: the query. Right: the ten likeliest tracklets of the other cameras. Green: the same person. "
    "Red: somebody else. d: cosine distance; p: probability, once the site has learned."
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(demo)


def demo(
    seed: Annotated[int, typer.Option(help="Equal seeds give equal sites.")] = 7,
    cameras: Annotated[int, typer.Option(help="Cameras, joined in a ring.")] = 4,
    people: Annotated[int, typer.Option(help="Identities.")] = 100,
    minutes: Annotated[float, typer.Option(help="Length of each camera's video.")] = 2.0,
    difficulty: Annotated[str, typer.Option(help="easy, default or hard.")] = "default",
    learn: Annotated[bool, typer.Option(help="Let the site teach itself before the last scores.")] = True,
    recipe: Annotated[str, typer.Option(help="By which recipe it learns.")] = "site-cpu",
    serve: Annotated[bool, typer.Option(help="Serve the result until interrupted.")] = True,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to serve, on this machine only.")] = 8000,
    data_dir: DataDir = None,
    json: Json = None,
) -> None:
    """Simulate a site, ingest it, let it learn its people, score searches before and after, serve it."""
    from services.cli.children import ending_with_us
    from services.cli.demo_folder import DemoFolder, DemoSite
    from services.cli.demo_report import print_table, results
    from services.cli.serve import bound_socket
    from services.jobs import require_recipe
    from services.observability import configure_logging

    settings = load_settings(data_dir)
    configure_logging("WARNING")
    folder = DemoFolder(settings.data_dir)
    site = DemoSite(seed, cameras, people, minutes, difficulty, version("reknit"))
    seconds: dict[str, float] = {}
    if learn:
        require_recipe(recipe)
    if serve:
        bound_socket("127.0.0.1", port).close()  # a port in use is told of now, not after minutes of work
    with ending_with_us():
        with _timed(seconds, "total"):
            with _timed(seconds, "simulate"):
                _simulate(folder, site)
            with _timed(seconds, "ingest"):
                _stage("ingest", "--site", folder.site_file, "--data-dir", settings.data_dir, "--once")
            with _timed(seconds, "learn"):
                job = _learn(settings, recipe) if learn else None
            with _timed(seconds, "score"):
                scores = _score(settings, folder, job)
        spent = {stage: seconds[stage] for stage in _STAGES if stage != "learn" or learn}
        if json is not None:
            write_json(json, results(scores, spent))
        if json != "-":
            print_table(str(site), scores, spent, sheet=folder.contact_sheet, report=folder.report)
        if serve:
            _serve(settings.data_dir, port)


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    started_s = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - started_s


def _stage(*args: str | Path) -> None:
    """Run a stage as a child; its own line says what went wrong, and its exit code becomes ours."""
    from services.cli.children import run_child

    code = run_child([str(arg) for arg in args])
    if code:
        print(f"reknit: demo stopped, because 'reknit {args[0]}' failed", file=sys.stderr)
        raise typer.Exit(code if code > 0 else 128 - code)


def _simulate(folder: DemoFolder, site: DemoSite) -> None:
    if folder.claim(site):
        print(f"reknit: {folder.site_dir} holds this site already; taking it up again", file=sys.stderr)
        return
    _stage("simulate", folder.site_dir, *site.as_options())
    folder.note_simulated(site)


def _learn(settings: Settings, recipe: str) -> Job:
    from services.cli.demo_learning import learn

    job = learn(settings, recipe=recipe, seed=_LEARNING_SEED)
    if job.state != JobState.SUCCEEDED:
        print(f"reknit: nothing was learned: {job.error or 'the job was cancelled'}", file=sys.stderr)
    return job


def _score(settings: Settings, folder: DemoFolder, job: Job | None) -> DemoScores:
    """Score every query before and after learning, and draw some of them."""
    from services.bootstrap import open_blobs, open_database
    from services.cli.demo_journeys import score_demo_journeys
    from services.cli.demo_scores import score_demo
    from services.query.generation_parts import graphs_in
    from services.query.live_index import LiveIndex

    with open_database(settings) as database:
        live = LiveIndex(database, graphs=graphs_in(settings.graphs_dir))
        live.load()
        journeys = score_demo_journeys(database, folder.true_boxes_dir)
        with database.read() as session:
            scores = replace(
                score_demo(session, live.current, folder, job, jobs_dir=settings.jobs_dir), journeys=journeys
            )
            _draw(session, open_blobs(settings), live.current, scores, folder)
    return scores


def _draw(session: Session, blobs: BlobStore, loaded: LoadedGeneration, scores: DemoScores, folder: DemoFolder) -> None:
    """Some of the searches as a picture, and all of them as a page."""
    from reid_core.evaluation.report_page import render_page
    from reid_core.vision.contact_sheet import draw_contact_sheet, write_png
    from services.cli.demo_report import footer_of
    from services.cli.evaluate_site import site_page
    from services.query.stored_queries import finder
    from services.showcase import sheet_rows

    shown = scores.shown
    if loaded.index is None or shown.retrieval.ranking is None:
        return
    rows = sheet_rows(session, blobs, finder(session, loaded), shown)
    sheet = draw_contact_sheet(rows, title=_SHEET_TITLE, subtitle=_SHEET_HELP, footer=footer_of(shown.retrieval))
    write_png(folder.contact_sheet, sheet)
    page = site_page(session, blobs, scores.cold if scores.learned is None else scores.learned.looks)
    if page is not None:
        write_text(folder.report, render_page(page))


def _serve(data_dir: Path, port: int) -> None:
    from services.cli.children import running_child

    print("Serving until interrupted; /docs at the address below lists what can be asked.", flush=True)
    with running_child(["serve", "--data-dir", str(data_dir), "--port", str(port)]) as child:
        code = child.wait()
    raise typer.Exit(code)
