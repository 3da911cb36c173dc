"""The generations: which one answers, which could, and the way from one to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter

from services import succession
from services.bootstrap import open_models
from services.query.dependencies import Running
from services.query.registry_schemas import ChangeBody, ChangeView, GenerationList, GenerationRecord
from services.query.registry_views import change_view, every_generation, generation_record
from services.query.routes.answers import INVALID, NO_CHANGE, NO_GENERATION, NO_MODEL_FILES, NO_SUCH_GENERATION
from services.query.schemas import GenerationDetail, moment
from services.storage.generations import GenerationRepository

if TYPE_CHECKING:
    from services.query.dependencies import Service
    from services.succession import Change

router = APIRouter(prefix="/generations", tags=["generations"])

_BY_HAND = "by hand, over HTTP"


@router.get("", summary="All generations")
def list_generations(service: Running) -> GenerationList:
    """Every generation and every change of the current one, oldest first."""
    with service.database.read() as session:
        return every_generation(session)


@router.get("/current", summary="The generation that answers", responses=NO_GENERATION)
def current_generation(service: Running) -> GenerationDetail:
    """The generation that searches are answered by, and how many vectors of it are loaded."""
    loaded = service.live.current
    return GenerationDetail(
        generation_id=loaded.generation.generation_id,
        model_id=loaded.generation.model_id,
        transit_id=loaded.generation.transit_id,
        calibration_id=loaded.generation.calibration_id,
        created=moment(loaded.generation.created_at_s),
        vectors=0 if loaded.index is None else len(loaded.index),
        dim=None if loaded.index is None else loaded.index.dim,
    )


@router.post(
    "/rollback", summary="Back to the generation before", responses=NO_CHANGE | NO_GENERATION | NO_MODEL_FILES | INVALID
)
def roll_back(service: Running, body: ChangeBody | None = None) -> ChangeView:
    """Lets the generation answer again that the current one took over from; searches go on throughout."""
    change = succession.roll_back(service.database, open_models(service.settings), reason=_reason(body))
    return _taken_over(service, change)


@router.get("/{name}", summary="One generation", responses=NO_SUCH_GENERATION | INVALID)
def read_generation(service: Running, name: str) -> GenerationRecord:
    """A generation by its id, the beginning of it, or the id of its model."""
    with service.database.read() as session:
        return generation_record(GenerationRepository(session).named(name))


@router.post(
    "/{name}/promote",
    summary="Let a generation answer",
    responses=NO_SUCH_GENERATION | NO_CHANGE | NO_MODEL_FILES | INVALID,
)
def promote(service: Running, name: str, body: ChangeBody | None = None) -> ChangeView:
    """Lets a generation answer at once; refused while tracklets have no vector of its model.

    `reknit models promote` makes the missing vectors first.
    """
    change = succession.promote(service.database, open_models(service.settings), name, reason=_reason(body))
    return _taken_over(service, change)


@router.post(
    "/{name}/rollback",
    summary="Back to an earlier generation",
    responses=NO_SUCH_GENERATION | NO_CHANGE | NO_MODEL_FILES | INVALID,
)
def roll_back_to(service: Running, name: str, body: ChangeBody | None = None) -> ChangeView:
    """Lets a generation answer again that did so before, at once; says how many vectors of its model are missing."""
    change = succession.roll_back(service.database, open_models(service.settings), name, reason=_reason(body))
    return _taken_over(service, change)


def _reason(body: ChangeBody | None) -> str:
    return (body.reason if body else None) or _BY_HAND


def _taken_over(service: Service, change: Change) -> ChangeView:
    """The change, which this service's own searches know of when the answer leaves."""
    service.live.catch_up()
    return change_view(change)
