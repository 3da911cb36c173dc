"""Generations: the one unit that is promoted and rolled back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select, text

from reid_core.errors import NoGenerationError
from services.identifiers import new_uuid7
from services.storage.outbox import GENERATION_PROMOTED, Outbox
from services.storage.statements import insert_into
from services.storage.tables import GenerationRow

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session

    from reid_core.ports import Clock

_CURRENT = "current"


@dataclass(frozen=True, slots=True)
class Generation:
    """What answers searches. Only vectors of its model are compared."""

    generation_id: UUID
    model_id: str
    state: str
    created_at_s: float


class GenerationRepository:
    """Generations, of which exactly one is current once something was ingested.

    Args:
        session: The transaction.
        clock: UTC epoch seconds.
    """

    def __init__(self, session: Session, *, clock: Clock = time.time) -> None:
        self._session = session
        self._clock = clock

    def ensure_cold_start(self, model_id: str) -> Generation:
        """The current generation; made with this model if there is none yet.

        A current generation of another model stays: the caller compares ``model_id`` and decides.
        """
        statement = (
            insert_into(self._session, GenerationRow)
            .values(
                generation_id=new_uuid7(clock=self._clock),
                model_id=model_id,
                state=_CURRENT,
                created_at_s=self._clock(),
            )
            .on_conflict_do_nothing(index_elements=["state"], index_where=text("state = 'current'"))
            .returning(GenerationRow.generation_id)
        )
        made = self._session.execute(statement).first() is not None
        generation = self.current()
        if made:
            payload = {"generation_id": str(generation.generation_id), "model_id": model_id}
            Outbox(self._session, clock=self._clock).append(GENERATION_PROMOTED, payload)
        return generation

    def current(self) -> Generation:
        """The generation that answers searches.

        Raises:
            NoGenerationError: If nothing was ingested yet.
        """
        row = self._session.scalars(select(GenerationRow).where(GenerationRow.state == _CURRENT)).one_or_none()
        if row is None:
            raise NoGenerationError
        return _generation(row)

    def list(self) -> list[Generation]:
        """All generations, oldest first."""
        rows = self._session.scalars(select(GenerationRow).order_by(GenerationRow.generation_id))
        return [_generation(row) for row in rows]


def _generation(row: GenerationRow) -> Generation:
    return Generation(row.generation_id, row.model_id, row.state, row.created_at_s)
