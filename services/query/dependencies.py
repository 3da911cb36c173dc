"""What the routes ask for: the running service's parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

if TYPE_CHECKING:
    from services.query.live_index import LiveIndex
    from services.query.searcher import Searcher
    from services.settings import Settings
    from services.storage.blobs import BlobStore
    from services.storage.session import Database


@dataclass(frozen=True, slots=True)
class Service:
    """Everything that a request may need, made once when the service starts."""

    settings: Settings
    database: Database
    blobs: BlobStore
    live: LiveIndex
    searcher: Searcher


def running_service(request: Request) -> Service:
    """The service that this request came to."""
    service: Service = request.app.state.service
    return service


Running = Annotated[Service, Depends(running_service)]
