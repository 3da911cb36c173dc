"""What was learned of the ways between cameras."""

from __future__ import annotations

from fastapi import APIRouter

from reid_core.errors import NoTransitModelError
from services.query.dependencies import Running
from services.query.routes.answers import NO_GENERATION, NO_TRANSIT
from services.query.topology_schemas import TopologyView
from services.query.topology_views import topology_view

router = APIRouter(prefix="/topology", tags=["topology"])


@router.get("", summary="Learned ways and clocks", responses=NO_GENERATION | NO_TRANSIT)
def learned_topology(service: Running) -> TopologyView:
    """How long people take from camera to camera, and how far each clock is ahead, as the current generation has it.

    The walking paths of the plan, which need no learning, are those of ``/v1/cameras``.
    """
    loaded = service.live.current
    if loaded.transit is None:
        raise NoTransitModelError(f"generation {loaded.generation.generation_id} was made without learning")
    return topology_view(loaded.generation, loaded.transit)
