"""The query service as an ASGI application. Importing this module loads no model and no torch."""

from __future__ import annotations

from contextlib import ExitStack, asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

import structlog
from fastapi import FastAPI

from services import bootstrap
from services.query import problems
from services.query.dependencies import Service
from services.query.generation_parts import graphs_in
from services.query.inference import EmbedderShelf, LazyDetector
from services.query.live_index import Follower, LiveIndex
from services.query.middleware import BodyLimit, KnownHostsOnly, RequestLog, SafeHeaders
from services.query.pictures import PictureLimits
from services.query.routes import (
    cameras,
    feedback,
    generations,
    health,
    jobs,
    journeys,
    models,
    searches,
    topology,
    tracklets,
)
from services.query.schemas import Problem
from services.query.searcher import Searcher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Any

    from reid_core.ports import Detector, Embedder
    from services.settings import Settings
    from services.storage.session import Database

__all__ = ["create_app", "make_searcher"]

_PREFIX = "/v1"
_UPLOADS = f"{_PREFIX}/searches/by-image"
_DESCRIPTION = "Where else was this person, when, and how sure are you? Errors are RFC 9457 problem details."


def create_app(
    settings: Settings,
    *,
    detector: Callable[[], Detector] | None = None,
    embedder: Callable[[str], Embedder] | None = None,
    poll_s: float = 0.5,
) -> FastAPI:
    """The application; the database is opened and the index loaded when it starts, not here.

    Args:
        settings: Of the installation to serve.
        detector: Makes the detector at the first search by picture; default: as the settings say.
        embedder: Makes the embedder of a model, given its id, when it is first needed; default: as the registry says.
        poll_s: Seconds between looks at the outbox.
    """

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        with ExitStack() as stack:
            database = bootstrap.open_database(settings)
            stack.callback(database.close)
            searcher = make_searcher(settings, database, detector=detector, embedder=embedder)
            live = searcher.live
            stack.callback(live.keep)
            stack.enter_context(Follower(live, every_s=poll_s))
            app.state.service = Service(settings, database, bootstrap.open_blobs(settings), live, searcher)
            structlog.get_logger().info("service.started", database=database.name)
            yield
        structlog.get_logger().info("service.stopped")

    app = FastAPI(
        title="Reknit",
        version=version("reknit"),
        description=_DESCRIPTION,
        lifespan=running,
        docs_url=None,  # the usual pages load their scripts from elsewhere; this service works offline
        redoc_url=None,
    )
    problems.install(app)
    _add_routes(app)
    _add_middleware(app, settings)
    return app


def make_searcher(
    settings: Settings,
    database: Database,
    *,
    detector: Callable[[], Detector] | None = None,
    embedder: Callable[[str], Embedder] | None = None,
) -> Searcher:
    """A searcher over the current generation, loaded now; detector and embedder load when the first picture comes."""
    shelf = EmbedderShelf(embedder or (lambda model_id: bootstrap.make_embedder_for(settings, database, model_id)))
    live = LiveIndex(database, prepare=shelf.prepare, graphs=graphs_in(settings.graphs_dir))
    live.load()
    return Searcher(
        database,
        live,
        LazyDetector(detector or (lambda: bootstrap.make_detector(settings))),
        shelf,
        limits=PictureLimits(settings.max_image_side_px, settings.max_image_area_px),
    )


def _add_routes(app: FastAPI) -> None:
    for routes in (cameras, tracklets, searches, generations, models, jobs, topology, feedback, journeys):
        app.include_router(routes.router, prefix=_PREFIX)
    app.include_router(health.router)

    @app.get("/", summary="What is here", tags=["health"])
    def index() -> dict[str, str]:
        """Where to go on from here."""
        return {"name": "reknit", "version": app.version, "api": _PREFIX, "description": "/openapi.json"}

    described = app.openapi

    def openapi() -> dict[str, Any]:
        """The description, with the form of problems that no route names as its answer's model."""
        document = described()
        document["components"]["schemas"].setdefault(Problem.__name__, Problem.model_json_schema())
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the description


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """The last one added sees a request first."""

    def limit_of(path: str) -> int:
        return settings.max_upload_bytes if path == _UPLOADS else settings.max_body_bytes

    app.add_middleware(BodyLimit, limit_of=limit_of)
    app.add_middleware(KnownHostsOnly, hosts=settings.known_hosts)
    app.add_middleware(RequestLog)
    app.add_middleware(SafeHeaders)
