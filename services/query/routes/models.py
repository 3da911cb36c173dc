"""The registry of models."""

from __future__ import annotations

from fastapi import APIRouter

from services.query.dependencies import Running
from services.query.registry_schemas import ModelList, ModelView
from services.query.registry_views import every_model, model_view
from services.query.routes.answers import INVALID, NO_MODEL
from services.storage.models import ModelRepository

router = APIRouter(prefix="/models", tags=["models"])


@router.get("", summary="All models")
def list_models(service: Running) -> ModelList:
    """Every model that was ever registered, oldest first."""
    with service.database.read() as session:
        return every_model(session)


@router.get("/{model_id}", summary="One model", responses=NO_MODEL | INVALID)
def read_model(service: Running, model_id: str) -> ModelView:
    """How a model was made, from what, and what its files hash to."""
    with service.database.read() as session:
        return model_view(ModelRepository(session).by_id(model_id))
