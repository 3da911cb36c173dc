"""The forms of requests, with examples."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from reid_core.types import SearchFilter
from services.query.examples import TRACKLET_ID
from services.query.look_again import RERANKS
from services.query.schemas import Share

MOST_ANSWERS = 1000
MOST_QUERIES = 32


class Filters(BaseModel):
    """Which tracklets an answer may hold; applied inside the search, so that it still gives ``k`` answers."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"camera_ids": ["hall"], "start": "2026-01-01T08:00:00Z", "min_quality": 0.3}]},
    )

    camera_ids: list[str] | None = Field(default=None, min_length=1, description="Only these cameras.")
    exclude_camera_ids: list[str] = Field(default=[], description="Not these cameras.")
    other_cameras_only: bool = Field(
        default=False, description="Nothing from the cameras that saw the query's tracklets."
    )
    start: AwareDatetime | None = Field(default=None, description="Only those seen at or after this time.")
    end: AwareDatetime | None = Field(default=None, description="Only those seen at or before this time.")
    min_quality: Share = Field(default=0.0, description="Only those with a best crop of at least this quality.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start and self.end and self.start > self.end:
            raise ValueError("start lies after end")
        return self

    def where(self) -> SearchFilter:
        """The filter as the search takes it."""
        return SearchFilter(
            camera_ids=None if self.camera_ids is None else frozenset(self.camera_ids),
            exclude_camera_ids=frozenset(self.exclude_camera_ids),
            start_s=self.start.timestamp() if self.start else None,
            end_s=self.end.timestamp() if self.end else None,
            min_quality=self.min_quality,
        )


class SearchBody(BaseModel):
    """Who looks like these tracklets of one person?"""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"tracklet_ids": [TRACKLET_ID], "k": 10, "filters": {"other_cameras_only": True}}]
        },
    )

    tracklet_ids: list[UUID] = Field(min_length=1, max_length=MOST_QUERIES, description="All of the same person.")
    k: int = Field(default=10, ge=1, le=MOST_ANSWERS, description="At most this many answers.")
    filters: Filters = Filters()
    use_time: bool = Field(
        default=True, description="Weigh place and time too, where the tracklets and the generation know of them."
    )
    max_error_rate: Share | None = Field(
        default=None,
        description="Only so many answers, best first, that at most this share of them is expected to be false.",
    )
    rerank: bool = Field(
        default=RERANKS,
        description="Let the answers' neighbours have a say in their order. Probabilities stay as they are.",
    )
