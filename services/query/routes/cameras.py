"""The site's cameras."""

from __future__ import annotations

from fastapi import APIRouter

from services.query.dependencies import Running
from services.query.schemas import CameraList, CameraView, LinkView
from services.storage.cameras import CameraRepository

router = APIRouter(prefix="/cameras", tags=["cameras"])


@router.get("", summary="All cameras")
def list_cameras(service: Running) -> CameraList:
    """Every camera that was ever ingested or named in a site file, and the walking paths between them."""
    with service.database.read() as session:
        cameras = CameraRepository(session)
        return CameraList(
            items=[CameraView(camera_id=one.camera_id, position_m=one.position_m) for one in cameras.list()],
            links=[
                LinkView(cameras=(one.camera_a, one.camera_b), distance_m=one.distance_m) for one in cameras.links()
            ],
        )
