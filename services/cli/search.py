"""`reknit search`: one search over a data folder, without a server."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reid_core.errors import InputError, NoGenerationError
from services.cli.options import DataDir, Json, load_settings, write_json

if TYPE_CHECKING:
    from services.query.search_schemas import EvidenceView, MatchView, RerankingView, SearchAnswer
    from services.query.searcher import Answer, Searcher, SearchRequest
    from services.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(name="search")(search)


def search(
    image: Annotated[list[Path] | None, typer.Option(help="A picture of the person; may be given again.")] = None,
    tracklet: Annotated[list[str] | None, typer.Option(help="A stored tracklet's id; may be given again.")] = None,
    k: Annotated[int, typer.Option("--k", "-k", min=1, help="At most this many answers.")] = 10,
    camera: Annotated[list[str] | None, typer.Option(help="Only this camera; may be given again.")] = None,
    other_cameras: Annotated[
        bool, typer.Option("--other-cameras", help="Nothing from the cameras of the given tracklets.")
    ] = False,
    from_time: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Only those seen at or after this time.")
    ] = None,
    to_time: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Only those seen at or before this time.")
    ] = None,
    min_quality: Annotated[float, typer.Option(min=0, max=1, help="Only those of at least this quality.")] = 0.0,
    max_error_rate: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Only so many that at most this share is expected to be false."),
    ] = None,
    no_time: Annotated[bool, typer.Option("--no-time", help="Go by looks alone, whatever place and time say.")] = False,
    rerank: Annotated[
        bool | None,
        typer.Option(
            "--rerank/--no-rerank",
            help="Let the answers' neighbours have a say in their order; default: for tracklets, not for pictures.",
        ),
    ] = None,
    whole_image: Annotated[
        bool, typer.Option("--whole-image", help="Take each picture as it is: it is a crop of the person.")
    ] = False,
    data_dir: DataDir = None,
    json: Json = None,
) -> None:
    """Find the tracklets that most probably show a person, given by pictures or by stored tracklets."""
    if bool(image) == bool(tracklet):
        raise InputError("give either --image or --tracklet")
    from reid_core.types import SearchFilter
    from services.query.look_again import RERANKS, RERANKS_PICTURES
    from services.query.searcher import SearchRequest
    from services.query.views import answer_view
    from services.site_file import parse_time

    where = SearchFilter(
        camera_ids=frozenset(camera) if camera else None,
        start_s=parse_time(from_time) if from_time else None,
        end_s=parse_time(to_time) if to_time else None,
        min_quality=min_quality,
    )
    if where.start_s is not None and where.end_s is not None and where.start_s > where.end_s:
        raise InputError("--from lies after --to")
    request = SearchRequest(
        where,
        k,
        other_cameras,
        use_time=not no_time,
        max_error_rate=max_error_rate,
        rerank=(RERANKS_PICTURES if image else RERANKS) if rerank is None else rerank,
    )
    answer = answer_view(_answer(load_settings(data_dir), image or [], tracklet or [], request, whole=whole_image))
    if json is not None:
        write_json(json, answer.model_dump(mode="json"))
    if json != "-":
        _print(answer)


def _answer(
    settings: Settings, images: list[Path], tracklet_ids: list[str], request: SearchRequest, *, whole: bool
) -> Answer:
    import logging

    from services.bootstrap import open_database
    from services.observability import configure_logging
    from services.query.app import make_searcher

    quiet = max(logging.getLevelNamesMapping()[settings.log_level.upper()], logging.WARNING)
    configure_logging(logging.getLevelName(quiet))
    if not settings.database_url and not (settings.data_dir / "reknit.db").exists():
        raise NoGenerationError(f"{settings.data_dir} is no data folder")
    with open_database(settings) as database:
        searcher = make_searcher(settings, database)
        if tracklet_ids:
            return searcher.by_tracklets(tracklet_ids, request)
        return _by_images(searcher, images, request, whole=whole)


def _by_images(searcher: Searcher, images: list[Path], request: SearchRequest, *, whole: bool) -> Answer:
    from services.query.pictures import Picture

    pictures = []
    for path in images:
        try:
            pictures.append(Picture(str(path), path.read_bytes()))
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}") from None
    return searcher.by_pictures(pictures, request, whole=whole)


def _print(answer: SearchAnswer) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for person in answer.query.people:
        left, top, right, bottom = (round(edge) for edge in person.box_px)
        found = (
            "the whole picture"
            if person.confidence is None
            else f"1 of {person.people_found} found, confidence {person.confidence:.2f}"
        )
        console.print(f"{person.name}: the person at {left},{top} to {right},{bottom} ({found})", highlight=False)
    if not answer.matches:
        console.print("No tracklet passes the filters, or none is sure enough.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    calibrated = answer.ranking.by == "probability"
    reranked = answer.ranking.reranking is not None and answer.ranking.reranking.applied
    for name in (
        "rank",
        *(("was",) if reranked else ()),
        *(("sure", "looks", "time") if calibrated else ()),
        "distance",
        "gap s",
        "quality",
    ):
        table.add_column(name, justify="right")
    for name in ("camera", "from", "to", "tracklet", "alike crops (query:answer)"):
        table.add_column(name, no_wrap=True)
    for match in answer.matches:
        table.add_row(*_cells(match, calibrated=calibrated, reranked=reranked))
    console.width = max(console.width, 160) if not console.is_terminal else console.width
    console.print(table)
    if calibrated:
        prior = f"before either {answer.ranking.prior_log_odds:+.1f}"
        console.print(f"sure = looks + time in nats of log-odds, {prior}", highlight=False)
    if answer.ranking.reranking is not None:
        console.print(_reranked(answer.ranking.reranking), highlight=False)
    console.print(f"generation {answer.generation.generation_id} ({answer.generation.model_id})", highlight=False)


def _reranked(told: RerankingView) -> str:
    if not told.applied:
        return f"not re-ranked: {told.reason}"
    heard = f"{told.neighbours} likely sightings of the person, which make up {told.neighbours_share:.0%} of the query"
    return f"re-ranked beside {heard}; 'sure' leaves them out, 'was' is the rank without them"


def _cells(match: MatchView, *, calibrated: bool, reranked: bool) -> tuple[str, ...]:
    evidence = match.evidence
    pairs = (
        f"{pair.query.image if pair.query.crop_no is None else pair.query.crop_no}:{pair.answer.crop_no}"
        for pair in evidence.crop_pairs
    )
    return (
        str(match.rank),
        *(("-" if evidence.plain_rank is None else str(evidence.plain_rank),) if reranked else ()),
        *(_parts(evidence) if calibrated else ()),
        f"{evidence.visual_distance:.3f}",
        "-" if evidence.gap_s is None else f"{evidence.gap_s:+.1f}",
        f"{match.quality:.2f}",
        match.camera_id,
        _time(match.start),
        _time(match.end),
        str(match.tracklet_id),
        " ".join(pairs),
    )


def _parts(evidence: EvidenceView) -> tuple[str, str, str]:
    """The probability and what moved it."""
    looks, time = evidence.visual_log_odds, evidence.time_log_odds
    return (
        "-" if evidence.probability is None else f"{evidence.probability:.1%}",
        "-" if looks is None else f"{looks:+.1f}",
        "-" if time is None else f"{time:+.1f}",
    )


def _time(moment: datetime | None) -> str:
    return "-" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
