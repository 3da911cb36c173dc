"""The forms of answers, with examples."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.query.examples import CROP_LINK, GENERATION, OTHER_ID, TRACKLET

Share = Annotated[float, Field(ge=0, le=1)]


def example(value: Any) -> ConfigDict:
    """Shows a value as the example of a form."""
    return ConfigDict(json_schema_extra={"examples": [value]})


def moment(time_s: float) -> datetime:
    """UTC epoch seconds as a time that says its zone."""
    return datetime.fromtimestamp(time_s, UTC)


class Problem(BaseModel):
    """Problem details after RFC 9457."""

    model_config = example(
        {
            "type": "urn:reknit:problem:unknown-tracklet",
            "title": "There is no such tracklet",
            "status": 404,
            "detail": OTHER_ID,
            "instance": f"/v1/tracklets/{OTHER_ID}",
        }
    )

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[dict[str, str]] | None = None


class CropLink(BaseModel):
    """Where a crop's picture is."""

    crop_no: int
    href: str


class CropView(CropLink):
    """A crop of a tracklet, best first in lists. Times are null where the clock is unknown."""

    time: datetime | None
    box_px: tuple[float, float, float, float]
    width_px: int
    height_px: int
    quality: Share


class TrackletView(BaseModel):
    """One person seen by one camera for a while. Times are UTC, and null where the camera's clock is unknown."""

    model_config = example(TRACKLET)

    tracklet_id: UUID
    camera_id: str
    start: datetime | None
    end: datetime | None
    duration_s: float
    clock_quality: str
    quality: Share
    crop_count: int
    crops: Sequence[CropLink] = Field(description="The best crops, best first.")


class TrackletDetail(TrackletView):
    """A tracklet with all its crops."""

    model_config = example(
        {
            **TRACKLET,
            "frame_size_px": [960, 540],
            "crops": [
                {
                    **CROP_LINK,
                    "time": "2026-01-01T08:00:44.100000Z",
                    "box_px": [402.0, 118.0, 471.0, 330.0],
                    "width_px": 69,
                    "height_px": 212,
                    "quality": 0.71,
                }
            ],
        }
    )

    frame_size_px: tuple[int, int]
    crops: Sequence[CropView] = Field(description="All crops, best first.")


class TrackletPage(BaseModel):
    """Some tracklets by start, then age; ``next_cursor`` leads to those after, null on the last page."""

    model_config = example({"items": [TRACKLET], "next_cursor": "QdomAAAAAAAAAAAAAAAAAQ=="})

    items: list[TrackletView]
    next_cursor: str | None


class CameraView(BaseModel):
    """A camera; ``position_m`` is its place on the plan, null where that is unknown."""

    camera_id: str
    position_m: tuple[float, float] | None


class LinkView(BaseModel):
    """A walking path between two cameras' views."""

    cameras: tuple[str, str]
    distance_m: float


class CameraList(BaseModel):
    """All cameras, and the walking paths between them."""

    model_config = example(
        {
            "items": [{"camera_id": "gate", "position_m": [0.0, 0.0]}, {"camera_id": "hall", "position_m": None}],
            "links": [{"cameras": ["gate", "hall"], "distance_m": 18.5}],
        }
    )

    items: list[CameraView]
    links: list[LinkView]


class GenerationView(BaseModel):
    """What answers searches: vectors of one model, with the transit model and the calibration that go with it."""

    model_config = example(GENERATION)

    generation_id: UUID
    model_id: str
    transit_id: str | None = Field(default=None, description="Null where the generation knows nothing of time.")
    calibration_id: str | None = Field(default=None, description="Null where it gives no probabilities.")


class GenerationDetail(GenerationView):
    """The current generation, and how much of it is loaded."""

    model_config = example({**GENERATION, "created": "2026-01-01T09:00:00Z", "vectors": 1043, "dim": 1000})

    created: datetime
    vectors: int
    dim: int | None
