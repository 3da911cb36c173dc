"""The forms of jobs, with examples."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.query.schemas import Share, example

JOB_ID = "01a1f8a0-51c3-7b2e-9d5c-61b0f2f6a7c4"
_PROGRESS = {
    "step_no": 3,
    "steps": ["prepare", "within", "associate-1", "train-1", "finish", "register", "backfill", "promote"],
    "done": 40,
    "total": 120,
    "share": 0.41,
    "eta_s": 131.5,
    "metrics": {"loss": 0.218},
    "worker": "worker-1",
    "at": "2026-01-01T09:01:12Z",
}
_JOB = {
    "job_id": JOB_ID,
    "kind": "train",
    "recipe": "site-cpu",
    "seed": 0,
    "attempt": 1,
    "state": "running",
    "step": "associate-1",
    "progress": _PROGRESS,
    "result": None,
    "error": None,
    "author": "http",
    "created": "2026-01-01T09:00:00Z",
    "started": "2026-01-01T09:00:01Z",
    "finished": None,
}


class JobBody(BaseModel):
    """Learn from what is stored."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"recipe": "site-cpu", "seed": 0}]})

    kind: Literal["train"] = "train"
    recipe: str | None = Field(
        default=None,
        max_length=100,
        description="Null = the installation's own (REKNIT_TRAIN_RECIPE).",
    )
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="Equal seeds on equal tracklets give equal models.")


class JobProgress(BaseModel):
    """How far a job is, as its worker last told."""

    model_config = example(_PROGRESS)

    step_no: int = Field(description="Which of `steps` runs, from 1.")
    steps: list[str]
    done: int = Field(description="Parts of this step that are done.")
    total: int = Field(description="Parts of this step in all, 0 where it does not say.")
    share: Share = Field(description="Of the whole job.")
    eta_s: float | None = Field(description="Seconds to go; null while a step to come was never seen.")
    metrics: dict[str, float | None]
    worker: str
    at: datetime


class JobView(BaseModel):
    """Long work: what was asked for, how far it is, and what came of it."""

    model_config = example(_JOB)

    job_id: UUID
    kind: str
    recipe: str | None
    seed: int | None
    attempt: int = Field(description="1 for the first, one more for each retry.")
    state: Literal["queued", "running", "cancelling", "cancelled", "failed", "succeeded"]
    step: str | None
    progress: JobProgress | None
    result: dict[str, Any] | None = Field(
        description="Of a job that succeeded; `promoted` and `reason` say what came of it."
    )
    error: str | None
    author: str | None
    created: datetime
    started: datetime | None
    finished: datetime | None


class JobList(BaseModel):
    """Some jobs, newest first; ``next_cursor`` leads to those after, null on the last page."""

    model_config = example({"items": [_JOB], "next_cursor": None})

    items: list[JobView]
    next_cursor: str | None
