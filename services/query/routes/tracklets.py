"""Tracklets and their crops."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from pydantic import AwareDatetime

from services.query.dependencies import Running
from services.query.routes.answers import INVALID, NO_TRACKLET
from services.query.schemas import Share, TrackletDetail, TrackletPage
from services.query.views import tracklet_detail, tracklet_view
from services.storage.cameras import CameraRepository
from services.storage.listing import Where
from services.storage.tracklets import TrackletRepository

router = APIRouter(prefix="/tracklets", tags=["tracklets"])

_A_DAY = "private, max-age=86400, immutable"  # a stored crop never changes


@router.get("", summary="A page of tracklets", responses=INVALID)
def list_tracklets(
    service: Running,
    *,
    camera_id: Annotated[str | None, Query(description="Only of this camera.")] = None,
    start: Annotated[AwareDatetime | None, Query(description="Only those seen at or after this time.")] = None,
    end: Annotated[AwareDatetime | None, Query(description="Only those seen at or before this time.")] = None,
    min_quality: Annotated[Share | None, Query(description="Only those of at least this quality.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Tracklets a page.")] = 50,
    cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")] = None,
) -> TrackletPage:
    """Tracklets in the order in which they began."""
    where = Where(
        camera_id=camera_id,
        start_s=start.timestamp() if start else None,
        end_s=end.timestamp() if end else None,
        min_quality=min_quality,
    )
    with service.database.read() as session:
        if camera_id is not None:
            CameraRepository(session).by_id(camera_id)
        page = TrackletRepository(session).list(where, limit=limit, cursor=cursor)
    return TrackletPage(items=[tracklet_view(one) for one in page.items], next_cursor=page.next_cursor)


@router.get("/{tracklet_id}", summary="One tracklet", responses=NO_TRACKLET | INVALID)
def read_tracklet(service: Running, tracklet_id: UUID) -> TrackletDetail:
    """A tracklet with all its crops."""
    with service.database.read() as session:
        tracklets = TrackletRepository(session)
        stored = tracklets.by_id(tracklet_id)
        return tracklet_detail(stored, tracklets.crops(stored.tracklet_no))


@router.get(
    "/{tracklet_id}/crops/{crop_no}",
    summary="A crop's picture",
    response_class=Response,
    responses={
        200: {"content": {"image/jpeg": {}}, "description": "The crop as JPEG, at most 256 px high"},
        304: {"description": "Unchanged"},
        **NO_TRACKLET,
        **INVALID,
    },
)
def read_crop(
    service: Running, tracklet_id: UUID, crop_no: int, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """A crop as it is stored; browsers may keep it for a day."""
    with service.database.read() as session:
        stored = TrackletRepository(session).by_id(tracklet_id)
    headers = {"ETag": f'"{tracklet_id}-{crop_no}"', "Cache-Control": _A_DAY}
    jpeg = service.blobs.read_crop(stored.blob_key, crop_no)
    if if_none_match == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(jpeg, media_type="image/jpeg", headers=headers)
