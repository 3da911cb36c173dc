"""Journeys: one person's tracklets over all cameras, and what people put right of them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from services.journeys import acts, reading
from services.query.dependencies import Running
from services.query.journeys_schemas import JourneyList, JourneyView, MergeBody, SplitAnswer, SplitBody, UndoBody
from services.query.journeys_views import journey_page_view, journey_view
from services.query.routes.answers import INVALID, problem
from services.storage.cameras import CameraRepository
from services.storage.journeys_records import JourneyWhere

router = APIRouter(prefix="/journeys", tags=["journeys"])

_NO_JOURNEY = problem(
    404,
    "There is no such journey, or no such merge or split",
    kind="unknown-journey",
    title="There is no such journey",
    detail="01a1f8b5-7d11-7c20-9a64-2f0e8d5b1c33",
)
_CANNOT_BE = problem(
    409,
    "One person cannot have been at two of the tracklets, or the journeys do not stand where that could be done",
    kind="impossible-journey",
    title="One person cannot have been in both",
    detail="tracklet 01980a6e-5c1f-7d3a-8b44-3f2f6f1f9a10 and tracklet 01980a6e-9e02-7a55-9c1d-0b7e54c8d2e1 were seen "
    "in two places at once, or too soon after one another",
)
_REFUSED = _NO_JOURNEY | _CANNOT_BE | INVALID


@router.get("", summary="A page of journeys", responses=INVALID)
def list_journeys(
    service: Running,
    *,
    camera_id: Annotated[str | None, Query(description="Only with a tracklet of this camera.")] = None,
    start: Annotated[AwareDatetime | None, Query(description="Only with a tracklet at or after this time.")] = None,
    end: Annotated[AwareDatetime | None, Query(description="Only with a tracklet at or before this time.")] = None,
    min_cameras: Annotated[int, Query(ge=1, description="Only over at least so many cameras.")] = 1,
    limit: Annotated[int, Query(ge=1, le=1000, description="Journeys a page.")] = 50,
    cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")] = None,
) -> JourneyList:
    """Journeys by the start of their first tracklet; camera and times are asked of one and the same tracklet."""
    where = JourneyWhere(
        camera_id=camera_id,
        start_s=start.timestamp() if start else None,
        end_s=end.timestamp() if end else None,
        min_cameras=min_cameras,
    )
    if camera_id is not None:
        with service.database.read() as session:
            CameraRepository(session).by_id(camera_id)
    return journey_page_view(reading.list_journeys(service.database, where, limit=limit, cursor=cursor))


@router.get("/{journey_id}", summary="One journey", responses=_NO_JOURNEY | INVALID)
def read_journey(service: Running, journey_id: UUID) -> JourneyView:
    """A journey's tracklets in order of time, what speaks for each of them, and its merges and splits."""
    return journey_view(reading.read(service.database, journey_id))


@router.post("/{journey_id}/merge", summary="Take another journey in", responses=_REFUSED)
def merge_journeys(service: Running, journey_id: UUID, body: MergeBody) -> JourneyView:
    """All tracklets of both are one person from now on, whatever looks and times say; the other journey ends."""
    told = acts.merge(service.database, journey_id, body.journey_id, author=body.author, note=body.note)
    return journey_view(told)


@router.post("/{journey_id}/split", summary="Part a journey", responses=_REFUSED)
def split_journey(service: Running, journey_id: UUID, body: SplitBody) -> SplitAnswer:
    """A tracklet and all after it (or it alone) go to a new journey; nobody of it is somebody of the other any more."""
    left, fresh = acts.split(
        service.database, journey_id, body.tracklet_id, alone=body.alone, author=body.author, note=body.note
    )
    return SplitAnswer(journey=journey_view(left), split_off=journey_view(fresh))


@router.post("/{journey_id}/undo", summary="Take a merge or split back", responses=_REFUSED)
def undo_change(service: Running, journey_id: UUID, body: UndoBody) -> JourneyView:
    """Undoes a merge or split once, whoever did it; one that came by itself does not come again."""
    return journey_view(acts.undo(service.database, journey_id, body.event_id, author=body.author))
