"""The registry of models: how each was made, from what, and what its files must hash to."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from reid_core.errors import UnknownModelError
from services.storage.statements import insert_into
from services.storage.tables import ModelRow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy.orm import Session

    from reid_core.ports import Clock

__all__ = ["Model", "ModelKind", "ModelRepository"]


class ModelKind(StrEnum):
    """Where a model comes from."""

    COLD_START = "cold-start"
    LEARNED = "learned"


@dataclass(frozen=True, slots=True)
class Model:
    """An embedding model.

    Attributes:
        recipe: Name of the recipe that it was trained by; ``None`` for a cold start.
        code_version: Version of Reknit that made it.
        parent_model_id: The model whose vectors its training began from.
        data_from_s: Start of the earliest tracklet that it learned from, UTC epoch seconds.
        data_to_s: End of the latest.
        tracklet_count: How many tracklets it learned from.
        dim: Length of its vectors, where that is known.
        job_id: The job that made it.
        created_at_s: UTC epoch seconds; 0 before it is stored.
        metrics: What training told of it.
        files: SHA-256 by file name; empty for a cold start, whose weights are not the installation's own.
    """

    model_id: str
    kind: ModelKind
    recipe: str | None = None
    code_version: str | None = None
    parent_model_id: str | None = None
    data_from_s: float | None = None
    data_to_s: float | None = None
    tracklet_count: int | None = None
    dim: int | None = None
    job_id: UUID | None = None
    created_at_s: float = 0.0
    metrics: Mapping[str, Any] = field(default_factory=dict, hash=False)
    files: Mapping[str, str] = field(default_factory=dict, hash=False)


class ModelRepository:
    """Models in the caller's transaction; they are added and never changed.

    Args:
        session: The transaction.
        clock: UTC epoch seconds.
    """

    def __init__(self, session: Session, *, clock: Clock = time.time) -> None:
        self._session = session
        self._clock = clock

    def ensure(self, model: Model) -> Model:
        """Store a model unless one of its id is stored; what is stored stays as it is."""
        row = {
            "model_id": model.model_id,
            "kind": model.kind.value,
            "recipe": model.recipe,
            "code_version": model.code_version,
            "parent_model_id": model.parent_model_id,
            "data_from_s": model.data_from_s,
            "data_to_s": model.data_to_s,
            "tracklet_count": model.tracklet_count,
            "dim": model.dim,
            "job_id": model.job_id,
            "created_at_s": self._clock(),
            "metrics": dict(model.metrics),
            "files": dict(model.files),
        }
        self._session.execute(insert_into(self._session, ModelRow).values(row).on_conflict_do_nothing())
        return self.by_id(model.model_id)

    def by_id(self, model_id: str) -> Model:
        """One model.

        Raises:
            UnknownModelError: If there is none of that id.
        """
        row = self._session.get(ModelRow, model_id)
        if row is None:
            raise UnknownModelError(model_id)
        return _model(row)

    def list(self) -> list[Model]:
        """All models, oldest first."""
        rows = self._session.scalars(select(ModelRow).order_by(ModelRow.created_at_s, ModelRow.model_id))
        return [_model(row) for row in rows]


def _model(row: ModelRow) -> Model:
    return Model(
        row.model_id,
        ModelKind(row.kind),
        row.recipe,
        row.code_version,
        row.parent_model_id,
        row.data_from_s,
        row.data_to_s,
        row.tracklet_count,
        row.dim,
        row.job_id,
        row.created_at_s,
        row.metrics,
        row.files,
    )
