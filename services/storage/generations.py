"""Generations: what they consist of and where each stands. `Promotions` changes which one answers."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, select, text, update

from reid_core.errors import NoGenerationError, UnknownGenerationError
from services.identifiers import new_uuid7
from services.storage.models import Model, ModelKind, ModelRepository
from services.storage.outbox import GENERATION_PROMOTED, Outbox
from services.storage.statements import insert_into
from services.storage.tables import GenerationRow, PromotionRow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy.orm import Session

    from reid_core.ports import Clock

__all__ = ["Generation", "GenerationRepository", "GenerationState"]

_SHORTEST_BEGINNING = 8
_GIVEN_UP = "given up: "


class GenerationState(StrEnum):
    """Where a generation stands."""

    CANDIDATE = "candidate"
    CURRENT = "current"
    RETIRED = "retired"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Generation:
    """What answers searches. Only vectors of its model are compared.

    Attributes:
        state: A `GenerationState`.
        transit_id: Its transit model; ``None`` = it knows nothing of time.
        calibration_id: Its calibration; ``None`` = it gives no probabilities.
        parent_id: The generation that was current when this one was made.
        job_id: The job that made it a candidate.
        promoted_at_s: When it last became the current one.
        reason: Why it stands where it stands.
        metrics: The figures of the decision on it.
    """

    generation_id: UUID
    model_id: str
    state: str
    created_at_s: float
    transit_id: str | None = None
    calibration_id: str | None = None
    parent_id: UUID | None = None
    promoted_at_s: float | None = None
    reason: str | None = None
    metrics: Mapping[str, Any] | None = field(default=None, hash=False)
    job_id: UUID | None = None


class GenerationRepository:
    """Generations, of which exactly one is current once something was ingested.

    Args:
        session: The transaction.
        clock: UTC epoch seconds.
    """

    def __init__(self, session: Session, *, clock: Clock = time.time) -> None:
        self._session = session
        self._clock = clock

    def ensure_cold_start(self, model_id: str, *, dim: int | None = None) -> Generation:
        """The current generation; made with this model if there is none yet.

        A current generation of another model stays: the caller compares ``model_id`` and decides.
        """
        ModelRepository(self._session, clock=self._clock).ensure(Model(model_id, ModelKind.COLD_START, dim=dim))
        now_s = self._clock()
        statement = (
            insert_into(self._session, GenerationRow)
            .values(
                generation_id=new_uuid7(clock=self._clock),
                model_id=model_id,
                state=GenerationState.CURRENT.value,
                created_at_s=now_s,
                promoted_at_s=now_s,
            )
            .on_conflict_do_nothing(index_elements=["state"], index_where=text("state = 'current'"))
            .returning(GenerationRow.generation_id)
        )
        made_id = self._session.execute(statement).scalar()
        if made_id is not None:
            self._session.add(PromotionRow(kind="cold-start", generation_id=made_id, created_at_s=now_s))
            payload = {"generation_id": str(made_id), "model_id": model_id}
            Outbox(self._session, clock=self._clock).append(GENERATION_PROMOTED, payload)
        return self.current()

    def add_candidate(
        self,
        model_id: str,
        *,
        transit_id: str | None = None,
        calibration_id: str | None = None,
        job_id: UUID | None = None,
    ) -> Generation:
        """A new candidate; the one that stands with the same parts is returned instead, so that a repeat adds none.

        Other candidates are turned down: every ingest pays for each, and whoever made them has given them up. The job
        is the one by whose end the candidate is given up (`give_up`).

        Raises:
            NoGenerationError: If nothing was ingested yet, so that there is nothing to compare it with.
        """
        parent_id = self.current().generation_id
        same = select(GenerationRow).where(
            GenerationRow.state == GenerationState.CANDIDATE.value,
            GenerationRow.model_id == model_id,
            GenerationRow.transit_id.is_not_distinct_from(transit_id),
            GenerationRow.calibration_id.is_not_distinct_from(calibration_id),
        )
        row = self._session.scalars(same.order_by(GenerationRow.generation_id).limit(1)).first()
        if row is None:
            row = GenerationRow(
                generation_id=new_uuid7(clock=self._clock),
                model_id=model_id,
                transit_id=transit_id,
                calibration_id=calibration_id,
                parent_id=parent_id,
                state=GenerationState.CANDIDATE.value,
                created_at_s=self._clock(),
            )
            self._session.add(row)
        row.job_id = job_id or row.job_id
        self._session.flush()
        others = (
            GenerationRow.state == GenerationState.CANDIDATE.value,
            GenerationRow.generation_id != row.generation_id,
        )
        reason = f"a newer candidate came: {row.generation_id}"
        values = {"state": GenerationState.REJECTED.value, "reason": reason}
        self._session.execute(update(GenerationRow).where(*others).values(values))
        return generation_of(row)

    def give_up(self, job_id: UUID, *, reason: str) -> None:
        """Turn down what is a candidate of a job that ended without deciding on it, so that ingest no longer pays."""
        values = {"state": GenerationState.REJECTED.value, "reason": _GIVEN_UP + reason}
        self._session.execute(
            update(GenerationRow)
            .where(GenerationRow.job_id == job_id, GenerationRow.state == GenerationState.CANDIDATE.value)
            .values(values)
        )

    def take_up_again(self, job_id: UUID) -> None:
        """Make what was given up at a job's end a candidate again; what was decided on stays as it is."""
        self._session.execute(
            update(GenerationRow)
            .where(
                GenerationRow.job_id == job_id,
                GenerationRow.state == GenerationState.REJECTED.value,
                GenerationRow.reason.startswith(_GIVEN_UP),
            )
            .values(state=GenerationState.CANDIDATE.value, reason=None)
        )

    def reject(self, generation_id: UUID, *, reason: str, metrics: Mapping[str, Any] | None = None) -> Generation:
        """Turn a candidate down; one that is not a candidate any more stays as it is.

        Raises:
            UnknownGenerationError: If there is none of that id.
        """
        values: dict[str, Any] = {"state": GenerationState.REJECTED.value, "reason": reason}
        if metrics is not None:
            values["metrics"] = dict(metrics)
        self._session.execute(
            update(GenerationRow)
            .where(GenerationRow.generation_id == generation_id, GenerationRow.state == GenerationState.CANDIDATE.value)
            .values(values)
        )
        return self.by_id(generation_id)

    def current(self) -> Generation:
        """The generation that answers searches.

        Raises:
            NoGenerationError: If nothing was ingested yet.
        """
        statement = select(GenerationRow).where(GenerationRow.state == GenerationState.CURRENT.value)
        row = self._session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
        if row is None:
            raise NoGenerationError
        return generation_of(row)

    def by_id(self, generation_id: UUID) -> Generation:
        """One generation.

        Raises:
            UnknownGenerationError: If there is none of that id.
        """
        row = self._session.get(GenerationRow, generation_id, populate_existing=True)
        if row is None:
            raise UnknownGenerationError(str(generation_id))
        return generation_of(row)

    def named(self, name: str) -> Generation:
        """A generation by what people call it: its id, the id's beginning (8 letters or more), or its model's id.

        A model that several generations have stands for the newest of them.

        Raises:
            UnknownGenerationError: If nothing, or more than one id, begins like that.
        """
        every = self.list()
        of_model = [one for one in every if one.model_id == name]
        if of_model:
            return of_model[-1]
        beginning = name.strip().lower()
        begun = [one for one in every if str(one.generation_id).startswith(beginning)]
        if len(begun) == 1 and len(beginning) >= _SHORTEST_BEGINNING:
            return begun[0]
        if len(begun) > 1 and len(beginning) >= _SHORTEST_BEGINNING:
            raise UnknownGenerationError(f"{name[:80]!r} could be any of {len(begun)}; give more of the id")
        raise UnknownGenerationError(f"{name[:80]!r} is neither a generation's id nor a model's")

    def list(self) -> list[Generation]:
        """All generations, oldest first."""
        rows = self._session.scalars(select(GenerationRow).order_by(GenerationRow.generation_id))
        return [generation_of(row) for row in rows]

    def live_model_ids(self) -> tuple[str, ...]:
        """The models that new tracklets must have vectors of: the current generation's first, then the candidates'."""
        states = (GenerationState.CURRENT.value, GenerationState.CANDIDATE.value)
        first = case((GenerationRow.state == GenerationState.CURRENT.value, 0), else_=1)
        statement = (
            select(GenerationRow.model_id)
            .where(GenerationRow.state.in_(states))
            .order_by(first, GenerationRow.generation_id)
        )
        return tuple(dict.fromkeys(self._session.scalars(statement)))


def generation_of(row: GenerationRow) -> Generation:
    """The value of a row."""
    return Generation(
        row.generation_id,
        row.model_id,
        row.state,
        row.created_at_s,
        row.transit_id,
        row.calibration_id,
        row.parent_id,
        row.promoted_at_s,
        row.reason,
        row.metrics,
        row.job_id,
    )
