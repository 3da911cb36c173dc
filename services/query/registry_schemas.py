"""The forms of models, generations and what changed between them, with examples."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.query.examples import GENERATION
from services.query.schemas import example

_MODEL_ID = "site-cpu-9c1f3a7be2d04415"
_MODEL = {
    "model_id": _MODEL_ID,
    "kind": "learned",
    "recipe": "site-cpu",
    "code_version": "0.3.0",
    "parent_model_id": GENERATION["model_id"],
    "data_from": "2026-01-01T08:00:00Z",
    "data_to": "2026-01-01T08:02:00Z",
    "tracklet_count": 312,
    "dim": 256,
    "job_id": "01a1f8a0-51c3-7b2e-9d5c-61b0f2f6a7c4",
    "created": "2026-01-01T09:04:00Z",
    "metrics": {"association_pairs": 214},
    "files": {"model.safetensors": "9c1f3a7be2d04415", "recipe.json": "77b0c2aa91fe0d31"},
}
_RECORD = {
    "generation_id": "01980a7f-2222-7c3a-8b44-3f2f6f1f9a10",
    "model_id": _MODEL_ID,
    "state": "current",
    "created": "2026-01-01T09:04:00Z",
    "promoted": "2026-01-01T09:04:40Z",
    "transit_id": "transit-5d1c8e0f3a7b2d94",
    "calibration_id": "calibration-1f0e8d7c6b5a4932",
    "parent_id": GENERATION["generation_id"],
    "reason": "chains of pairs over three cameras that close: +0.312 (95% interval +0.241 to +0.380)",
    "metrics": {"outcome": "promote"},
}
_PROMOTION = {
    "kind": "promote",
    "generation_id": _RECORD["generation_id"],
    "previous_id": GENERATION["generation_id"],
    "reason": _RECORD["reason"],
    "at": "2026-01-01T09:04:40Z",
}
_OLD = {**_RECORD, **GENERATION, "state": "retired", "parent_id": None, "reason": None, "metrics": None}


class ModelView(BaseModel):
    """An embedding model: how it was made, from what, and what its files hash to."""

    model_config = example(_MODEL)

    model_id: str
    kind: str = Field(description="`cold-start`, or `learned` here.")
    recipe: str | None
    code_version: str | None
    parent_model_id: str | None
    data_from: datetime | None = Field(description="Start of the earliest tracklet that it learned from.")
    data_to: datetime | None
    tracklet_count: int | None
    dim: int | None
    job_id: UUID | None
    created: datetime
    metrics: dict[str, Any]
    files: dict[str, str] = Field(description="SHA-256 by file name.")


class ModelList(BaseModel):
    """All models, oldest first."""

    model_config = example({"items": [_MODEL]})

    items: list[ModelView]


class GenerationRecord(BaseModel):
    """A generation: what it consists of, where it stands, and why."""

    model_config = example(_RECORD)

    generation_id: UUID
    model_id: str
    state: str = Field(description="`candidate`, `current`, `retired` or `rejected`.")
    created: datetime
    promoted: datetime | None = Field(description="When it last became the current one.")
    transit_id: str | None
    calibration_id: str | None
    parent_id: UUID | None = Field(description="The one that was current when this one was made.")
    reason: str | None
    metrics: dict[str, Any] | None = Field(description="The figures of the decision on it.")


class PromotionView(BaseModel):
    """One change of the current generation."""

    model_config = example(_PROMOTION)

    kind: str = Field(description="`cold-start`, `promote` or `rollback`.")
    generation_id: UUID
    previous_id: UUID | None
    reason: str | None
    at: datetime


class GenerationList(BaseModel):
    """All generations and every change of the current one, oldest first."""

    model_config = example({"items": [_OLD, _RECORD], "history": [_PROMOTION]})

    items: list[GenerationRecord]
    history: list[PromotionView]


class ChangeBody(BaseModel):
    """Why another generation is to answer."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "the new lights confuse it"}]})

    reason: str | None = Field(default=None, min_length=1, max_length=500)


class ChangeView(BaseModel):
    """What a promotion or a rollback came to."""

    model_config = example({"generation": _RECORD, "previous_id": _RECORD["parent_id"], "missing": 0, "unusable": 0})

    generation: GenerationRecord
    previous_id: UUID = Field(description="The one that answered before; its own where nothing changed.")
    missing: int = Field(description="Tracklets without a vector of its model yet; searches cannot find them.")
    unusable: int = Field(description="Tracklets that its model could not embed.")
