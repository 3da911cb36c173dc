"""Transit models and calibrations: documents named by their content, added and never changed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from reid_core.errors import StorageError
from services.storage.statements import insert_into
from services.storage.tables import CalibrationRow, TransitModelRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from reid_core.ports import Clock

__all__ = ["CalibrationRepository", "TransitModelRepository"]


class _Documents:
    """Documents of one table in the caller's transaction.

    Args:
        session: The transaction.
        clock: UTC epoch seconds.
    """

    _table: ClassVar[type[TransitModelRow | CalibrationRow]]
    _key: ClassVar[str]
    _called: ClassVar[str]

    def __init__(self, session: Session, *, clock: Clock = time.time) -> None:
        self._session = session
        self._clock = clock

    def ensure(self, document_id: str, document: Mapping[str, Any]) -> None:
        """Store a document unless one of its id is stored: equal ids mean equal documents."""
        row = {self._key: document_id, "created_at_s": self._clock(), "document": dict(document)}
        self._session.execute(insert_into(self._session, self._table).values(row).on_conflict_do_nothing())

    def by_id(self, document_id: str) -> dict[str, Any]:
        """One document.

        Raises:
            StorageError: If there is none of that id.
        """
        row = self._session.get(self._table, document_id)
        if not isinstance(row, TransitModelRow | CalibrationRow):
            raise StorageError(f"there is no {self._called} {document_id}")
        return row.document


class TransitModelRepository(_Documents):
    """Transit models, as `TransitModel.to_json` writes them, by ``transit_id``."""

    _table = TransitModelRow
    _key = "transit_id"
    _called = "transit model"


class CalibrationRepository(_Documents):
    """Calibrations, as `Calibration.to_json` writes them, by ``calibration_id``."""

    _table = CalibrationRow
    _key = "calibration_id"
    _called = "calibration"
