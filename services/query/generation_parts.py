"""What a generation brings besides its model: its transit model and its calibration, read from the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reid_core.errors import StorageError
from reid_core.graph.joining import PosteriorJoining
from reid_core.retrieval.fused import FusedSearch
from reid_core.spatio_temporal.calibration_model import Calibration
from reid_core.spatio_temporal.transit_model import TransitModel
from services.query.graph_store import GraphStore
from services.query.live_graph import LiveGraph
from services.storage.documents import CalibrationRepository, TransitModelRepository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.orm import Session

    from services.storage.generations import Generation

__all__ = ["graphs_in", "load_fused", "load_transit"]


def load_transit(session: Session, generation: Generation) -> TransitModel | None:
    """The generation's transit model, ``None`` where it has none.

    Raises:
        StorageError: If the stored document is missing or none of ours.
    """
    if generation.transit_id is None:
        return None
    document = TransitModelRepository(session).by_id(generation.transit_id)
    try:
        return TransitModel.from_json(document)
    except ValueError as error:
        raise StorageError(f"transit model {generation.transit_id}: {error}") from error


def load_fused(session: Session, generation: Generation, transit: TransitModel | None) -> FusedSearch | None:
    """Search by calibrated probability, ``None`` where the generation has no calibration.

    Raises:
        StorageError: If the stored document is missing or none of ours.
    """
    if generation.calibration_id is None:
        return None
    document = CalibrationRepository(session).by_id(generation.calibration_id)
    try:
        return FusedSearch(Calibration.from_json(document), transit)
    except ValueError as error:
        raise StorageError(f"calibration {generation.calibration_id}: {error}") from error


def graphs_in(folder: Path | None) -> Callable[[Generation, FusedSearch], LiveGraph]:
    """Makes calibrated generations' graphs.

    Args:
        folder: Where they are kept; ``None``: nowhere.
    """
    store = None if folder is None else GraphStore(folder)

    def make(generation: Generation, fused: FusedSearch) -> LiveGraph:
        return LiveGraph(generation, joining=PosteriorJoining(fused.calibration, fused.transit), store=store)

    return make
