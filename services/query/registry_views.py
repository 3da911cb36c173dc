"""Stored models and generations to the forms of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.query.registry_schemas import (
    ChangeView,
    GenerationList,
    GenerationRecord,
    ModelList,
    ModelView,
    PromotionView,
)
from services.query.schemas import moment
from services.storage.generations import GenerationRepository
from services.storage.models import ModelRepository
from services.storage.promotions import Promotions

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from services.storage.generations import Generation
    from services.storage.models import Model
    from services.succession import Change

__all__ = ["change_view", "every_generation", "every_model", "generation_record", "model_view"]


def every_model(session: Session) -> ModelList:
    """All models."""
    return ModelList(items=[model_view(one) for one in ModelRepository(session).list()])


def every_generation(session: Session) -> GenerationList:
    """All generations and their history."""
    return GenerationList(
        items=[generation_record(one) for one in GenerationRepository(session).list()],
        history=[
            PromotionView(
                kind=one.kind,
                generation_id=one.generation_id,
                previous_id=one.previous_id,
                reason=one.reason,
                at=moment(one.created_at_s),
            )
            for one in Promotions(session).history()
        ],
    )


def model_view(model: Model) -> ModelView:
    """One model."""
    return ModelView(
        model_id=model.model_id,
        kind=model.kind.value,
        recipe=model.recipe,
        code_version=model.code_version,
        parent_model_id=model.parent_model_id,
        data_from=_moment(model.data_from_s),
        data_to=_moment(model.data_to_s),
        tracklet_count=model.tracklet_count,
        dim=model.dim,
        job_id=model.job_id,
        created=moment(model.created_at_s),
        metrics=dict(model.metrics),
        files=dict(model.files),
    )


def generation_record(generation: Generation) -> GenerationRecord:
    """One generation."""
    return GenerationRecord(
        generation_id=generation.generation_id,
        model_id=generation.model_id,
        state=generation.state,
        created=moment(generation.created_at_s),
        promoted=_moment(generation.promoted_at_s),
        transit_id=generation.transit_id,
        calibration_id=generation.calibration_id,
        parent_id=generation.parent_id,
        reason=generation.reason,
        metrics=None if generation.metrics is None else dict(generation.metrics),
    )


def change_view(change: Change) -> ChangeView:
    """What a promotion or a rollback came to."""
    return ChangeView(
        generation=generation_record(change.generation),
        previous_id=change.previous.generation_id,
        missing=change.missing,
        unusable=change.unusable,
    )


def _moment(time_s: float | None) -> datetime | None:
    return None if time_s is None else moment(time_s)
