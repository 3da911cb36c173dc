"""Which generation answers: the flip to another one, the way back, and the history of both."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from reid_core.errors import MissingVectorsError, NoWayBackError, OutrunError
from services.storage.gaps import VectorGaps
from services.storage.generations import GenerationRepository, GenerationState
from services.storage.outbox import GENERATION_PROMOTED, Outbox
from services.storage.tables import GenerationRow, PromotionRow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy.orm import Session

    from reid_core.ports import Clock
    from services.storage.generations import Generation

__all__ = ["Promotion", "Promotions"]


@dataclass(frozen=True, slots=True)
class Promotion:
    """One change of the current generation.

    Attributes:
        kind: ``cold-start``, ``promote`` or ``rollback``.
        generation_id: The one that became current.
        previous_id: The one that was.
    """

    promotion_no: int
    kind: str
    generation_id: UUID
    previous_id: UUID | None
    reason: str | None
    created_at_s: float


class Promotions:
    """Changes the current generation in the caller's transaction: all of a change is committed, or none.

    Every change takes the outbox's turn first. So does every ingest before it commits, and therefore none can slip in
    a tracklet without the vector that a promotion has just found complete.

    Args:
        session: A writing transaction.
        clock: UTC epoch seconds.
    """

    def __init__(self, session: Session, *, clock: Clock = time.time) -> None:
        self._session = session
        self._clock = clock
        self._generations = GenerationRepository(session, clock=clock)
        self._outbox = Outbox(session, clock=clock)

    def promote(
        self,
        generation_id: UUID,
        *,
        reason: str,
        metrics: Mapping[str, Any] | None = None,
        over: UUID | None = None,
    ) -> Generation:
        """Let a generation answer; one that answers already is left as it is.

        Args:
            generation_id: The generation.
            reason: Why; stored with it.
            metrics: The figures of the decision; stored with it.
            over: The generation that it was compared with, and that must still be the current one.

        Raises:
            UnknownGenerationError: If there is none of that id.
            MissingVectorsError: If a tracklet has no vector of its model.
            OutrunError: If another generation became current than the one it was compared with.
        """
        self._outbox.take_turn()
        wanted, current = self._generations.by_id(generation_id), self._generations.current()
        if wanted.generation_id == current.generation_id:
            return current
        if over is not None and over != current.generation_id:
            raise OutrunError(f"{generation_id} was compared with {over}, but {current.generation_id} answers now")
        missing = VectorGaps(self._session).count(wanted.model_id)
        if missing:
            raise MissingVectorsError(f"{missing} tracklets have none of model {wanted.model_id}")
        return self._flip(current, wanted, kind="promote", reason=reason, metrics=metrics)

    def rollback(self, generation_id: UUID | None = None, *, reason: str, over: UUID | None = None) -> Generation:
        """Let an earlier generation answer again, at once, whatever vectors are missing.

        Args:
            generation_id: The one to go back to; default: the one that the current one took over from.
            reason: Why; stored with it.
            over: The generation to go back from, if it must still be the current one.

        Raises:
            UnknownGenerationError: If there is none of that id.
            NoWayBackError: If none answered before the current one, or the one that is named never answered.
            OutrunError: If another generation is current than the one to go back from.
        """
        self._outbox.take_turn()
        current = self._generations.current()
        if over is not None and over != current.generation_id:
            raise OutrunError(f"{current.generation_id} answers now, not {over}")
        wanted = self.way_back() if generation_id is None else self._generations.by_id(generation_id)
        if wanted.generation_id == current.generation_id:
            raise NoWayBackError(f"{wanted.generation_id} answers already")
        if wanted.promoted_at_s is None and wanted.state != GenerationState.RETIRED:
            raise NoWayBackError(f"{wanted.generation_id} never answered; promote it instead")
        return self._flip(current, wanted, kind="rollback", reason=reason, metrics=None)

    def way_back(self) -> Generation:
        """The generation that the current one took over from when it was last promoted.

        Raises:
            NoWayBackError: If none answered before the current one.
        """
        current = self._generations.current()
        statement = (
            select(PromotionRow.previous_id)
            .where(PromotionRow.generation_id == current.generation_id, PromotionRow.kind != "rollback")
            .order_by(PromotionRow.promotion_no.desc())
            .limit(1)
        )
        found = self._session.scalar(statement)
        if found is None:
            raise NoWayBackError(f"no generation answered before {current.generation_id}")
        return self._generations.by_id(found)

    def history(self) -> list[Promotion]:
        """Every change of the current generation, oldest first."""
        rows = self._session.scalars(select(PromotionRow).order_by(PromotionRow.promotion_no))
        return [_promotion(row) for row in rows]

    def _flip(
        self, current: Generation, wanted: Generation, *, kind: str, reason: str, metrics: Mapping[str, Any] | None
    ) -> Generation:
        now_s = self._clock()
        # The old one first: at no moment may two be current, as a unique index sees to.
        self._set(current.generation_id, {"state": GenerationState.RETIRED.value})
        values: dict[str, Any] = {"state": GenerationState.CURRENT.value, "promoted_at_s": now_s, "reason": reason}
        self._set(wanted.generation_id, values if metrics is None else {**values, "metrics": dict(metrics)})
        row = PromotionRow(
            kind=kind,
            generation_id=wanted.generation_id,
            previous_id=current.generation_id,
            reason=reason,
            created_at_s=now_s,
        )
        self._session.add(row)
        payload = {
            "generation_id": str(wanted.generation_id),
            "model_id": wanted.model_id,
            "previous_id": str(current.generation_id),
        }
        self._outbox.append(GENERATION_PROMOTED, payload)
        return self._generations.by_id(wanted.generation_id)

    def _set(self, generation_id: UUID, values: Mapping[str, Any]) -> None:
        self._session.execute(
            update(GenerationRow).where(GenerationRow.generation_id == generation_id).values(dict(values))
        )


def _promotion(row: PromotionRow) -> Promotion:
    return Promotion(row.promotion_no, row.kind, row.generation_id, row.previous_id, row.reason, row.created_at_s)
