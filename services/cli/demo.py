"""`reknit demo`: a simulated site from its pixels to scored answers, then served."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.options import DataDir, Json, load_settings, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from services.cli.demo_folder import DemoFolder, DemoSite
    from services.scoring import SiteScores
    from services.settings import Settings

_SHEET_TITLE = "Where else was this person?"
_SHEET_HELP = (
    "Left: the query. Right: the ten nearest tracklets of the other cameras. "
    "Green: the same person. Red: somebody else. d: cosine distance."
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
    serve: Annotated[bool, typer.Option(help="Serve the result until interrupted.")] = True,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to serve, on this machine only.")] = 8000,
    data_dir: DataDir = None,
    json: Json = None,
) -> None:
    """Simulate a site, ingest it, look for its people across its cameras, score the answers, serve it."""
    from services.cli.children import ending_with_us
    from services.cli.demo_folder import DemoFolder, DemoSite
    from services.cli.serve import bound_socket
    from services.observability import configure_logging

    settings = load_settings(data_dir)
    configure_logging("WARNING")
    folder = DemoFolder(settings.data_dir)
    site = DemoSite(seed, cameras, people, minutes, difficulty, version("reknit"))
    seconds: dict[str, float] = {}
    if serve:
        bound_socket("127.0.0.1", port).close()  # a port in use is told of now, not after minutes of work
    with ending_with_us():
        with _timed(seconds, "total"):
            with _timed(seconds, "simulate"):
                _simulate(folder, site)
            with _timed(seconds, "ingest"):
                _stage("ingest", "--site", folder.site_file, "--data-dir", settings.data_dir, "--once")
            with _timed(seconds, "score"):
                scores = _score(settings, folder)
        result = {
            "retrieval": {"cold_start": scores.retrieval.as_dict()},
            "tracking": scores.tracking.as_dict(),
            "seconds": {name: round(spent_s, 2) for name, spent_s in sorted(seconds.items(), key=_stage_order)},
        }
        if json is not None:
            write_json(json, result)
        if json != "-":
            _print_table(str(site), scores, seconds, folder.contact_sheet)
        if serve:
            _serve(settings.data_dir, port)


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    started_s = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - started_s


def _stage_order(stage: tuple[str, float]) -> int:
    return ("simulate", "ingest", "score", "total").index(stage[0])


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


def _score(settings: Settings, folder: DemoFolder) -> SiteScores:
    """Load the index, score every query, and draw some of them."""
    from reid_core.vision.contact_sheet import draw_contact_sheet, write_png
    from services.bootstrap import open_blobs, open_database
    from services.query.live_index import LiveIndex
    from services.scoring import read_site_truth, score_site
    from services.showcase import sheet_rows

    truth = read_site_truth(folder.true_boxes_dir)
    with open_database(settings) as database:
        live = LiveIndex(database)
        live.load()
        with database.read() as session:
            scores = score_site(session, truth)
            index = live.current.index
            rows = sheet_rows(session, open_blobs(settings), index, scores) if index is not None else []
    if rows:
        sheet = draw_contact_sheet(rows, title=_SHEET_TITLE, subtitle=_SHEET_HELP, footer=_sheet_footer(scores))
        write_png(folder.contact_sheet, sheet)
    return scores


def _sheet_footer(scores: SiteScores) -> str:
    figures = scores.retrieval.as_dict()
    return (
        "Chosen by rule: the queries at the 90th, 70th, 50th, 30th and 10th percentile of average precision. "
        f"All {figures['queries']} queries: rank-1 {figures['rank1']:.1%}, mAP {figures['map']:.1%}."
    )


def _print_table(site: str, scores: SiteScores, seconds: dict[str, float], sheet: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    retrieval, tracking = scores.retrieval.as_dict(), scores.tracking.as_dict()
    table = Table(box=None, show_header=False, pad_edge=False)
    for column in ("", "", ""):
        table.add_column(column)
    for name, label in (("rank1", "rank-1"), ("rank5", "rank-5"), ("map", "mAP"), ("map_trapezoid", "mAP, trapezoid")):
        value = retrieval[name]
        table.add_row("across cameras" if name == "rank1" else "", label, "-" if value is None else f"{value:.3f}")
    table.add_row("", "queries", f"{retrieval['queries']} of {retrieval['tracklets']} tracklets")
    table.add_row("", "distractors", str(retrieval["distractors"]))
    for name in ("HOTA", "IDF1", "MOTA", "IDSW"):
        value = tracking[name]
        table.add_row(
            "tracking" if name == "HOTA" else "", name, f"{value:.1f}" if isinstance(value, float) else f"{value}"
        )
    for name, spent_s in sorted(seconds.items(), key=_stage_order):
        table.add_row("seconds" if name == "simulate" else "", name, f"{spent_s:.0f}")
    console = Console()
    console.print(f"\n[bold]Reknit demo[/bold]  {site}\n", soft_wrap=True, highlight=False)
    console.print(table)
    if scores.retrieval.ranking is not None:
        console.print(f"\nFive searches as a picture: {sheet}", soft_wrap=True, highlight=False)


def _serve(data_dir: Path, port: int) -> None:
    from services.cli.children import running_child

    print("Serving until interrupted; /docs at the address below lists what can be asked.", flush=True)
    with running_child(["serve", "--data-dir", str(data_dir), "--port", str(port)]) as child:
        code = child.wait()
    raise typer.Exit(code)
