"""Is the process alive, and can it answer?"""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict

from reid_core.errors import ReknitError
from services.query.dependencies import Running, Service

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process runs."""

    status: str = "alive"


class Readiness(BaseModel):
    """Whether every part is ready, and what each says of itself."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"ready": True, "checks": {"database": "ok", "migrations": "ok", "generation": "ok"}}]
        }
    )

    ready: bool
    checks: dict[str, str]


@router.get("/healthz", summary="Alive?")
def healthz() -> Alive:
    """Answers as long as the process serves at all."""
    return Alive()


@router.get("/readyz", summary="Ready?", responses={503: {"model": Readiness, "description": "Not ready"}})
def readyz(service: Running, response: Response) -> Readiness:
    """Answers 200 when the database is reachable, its migrations are this code's, and a generation is loaded."""
    checks = {
        "database": _says(service, _reach_database),
        "migrations": _says(service, _require_head),
        "generation": _says(service, _require_generation),
    }
    ready = set(checks.values()) == {"ok"}
    response.status_code = 200 if ready else 503
    return Readiness(ready=ready, checks=checks)


def _says(service: Service, check: Callable[[Service], object]) -> str:
    try:
        check(service)
    except ReknitError as error:
        return str(error)
    return "ok"


def _reach_database(service: Service) -> None:
    service.database.current_revision()


def _require_head(service: Service) -> None:
    service.database.require_head()


def _require_generation(service: Service) -> object:
    return service.live.current
