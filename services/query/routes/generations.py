"""The generations that can answer."""

from __future__ import annotations

from fastapi import APIRouter

from services.query.dependencies import Running
from services.query.routes.answers import NO_GENERATION
from services.query.schemas import GenerationDetail, moment

router = APIRouter(prefix="/generations", tags=["generations"])


@router.get("/current", summary="The generation that answers", responses=NO_GENERATION)
def current_generation(service: Running) -> GenerationDetail:
    """The generation that searches are answered by, and how many vectors of it are loaded."""
    loaded = service.live.current
    return GenerationDetail(
        generation_id=loaded.generation.generation_id,
        model_id=loaded.generation.model_id,
        created=moment(loaded.generation.created_at_s),
        vectors=0 if loaded.index is None else len(loaded.index),
        dim=None if loaded.index is None else loaded.index.dim,
    )
