"""Which tracklets have no vector of a model, and which cannot have one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, func, select

from services.storage.records import stored_tracklet
from services.storage.statements import insert_into
from services.storage.tables import EmbeddingFailureRow, EmbeddingRow, TrackletRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from reid_core.ports import Clock
    from services.storage.records import StoredTracklet

__all__ = ["EmbeddingFailure", "VectorGaps"]


@dataclass(frozen=True, slots=True)
class EmbeddingFailure:
    """A tracklet that a model could not embed."""

    tracklet_no: int
    reason: str


class VectorGaps:
    """What a model's vectors lack, in the caller's transaction.

    Args:
        session: The transaction.
        clock: UTC epoch seconds.
    """

    def __init__(self, session: Session, *, clock: Clock = time.time) -> None:
        self._session = session
        self._clock = clock

    def count(self, model_id: str) -> int:
        """Tracklets that have neither a vector of the model nor a known reason to have none."""
        statement = select(func.count(TrackletRow.tracklet_no)).where(_is_gap(model_id))
        return self._session.scalar(statement) or 0

    def next(
        self, model_id: str, *, after_no: int = 0, limit: int = 256, among: Sequence[int] | None = None
    ) -> list[StoredTracklet]:
        """The next of them, by rising number.

        Args:
            model_id: The model.
            after_no: Only tracklets of larger numbers.
            limit: At most this many.
            among: Only these, at most a few hundred.
        """
        statement = select(TrackletRow).where(_is_gap(model_id), TrackletRow.tracklet_no > after_no)
        if among is not None:
            statement = statement.where(TrackletRow.tracklet_no.in_([int(number) for number in among]))
        rows = self._session.scalars(statement.order_by(TrackletRow.tracklet_no).limit(limit))
        return [stored_tracklet(row) for row in rows]

    def note_failure(self, model_id: str, tracklet_no: int, reason: str) -> None:
        """Note that a tracklet cannot be embedded, so that it holds up nothing; one that is gone is passed over."""
        stays = select(TrackletRow.tracklet_no).where(TrackletRow.tracklet_no == tracklet_no)
        if self._session.scalar(stays.with_for_update(read=True, key_share=True)) is None:
            return
        row: dict[str, Any] = {
            "model_id": model_id,
            "tracklet_no": tracklet_no,
            "reason": reason,
            "created_at_s": self._clock(),
        }
        self._session.execute(insert_into(self._session, EmbeddingFailureRow).values(row).on_conflict_do_nothing())

    def failures(self, model_id: str) -> list[EmbeddingFailure]:
        """Tracklets that could not be embedded, by number, and why."""
        statement = select(EmbeddingFailureRow).where(EmbeddingFailureRow.model_id == model_id)
        rows = self._session.scalars(statement.order_by(EmbeddingFailureRow.tracklet_no))
        return [EmbeddingFailure(row.tracklet_no, row.reason) for row in rows]

    def forget_failures(self, model_id: str) -> None:
        """Let every tracklet that could not be embedded be tried again."""
        self._session.execute(delete(EmbeddingFailureRow).where(EmbeddingFailureRow.model_id == model_id))


def _is_gap(model_id: str) -> ColumnElement[bool]:
    number = TrackletRow.tracklet_no
    embedded = exists().where(EmbeddingRow.model_id == model_id, EmbeddingRow.tracklet_no == number)
    failed = exists().where(EmbeddingFailureRow.model_id == model_id, EmbeddingFailureRow.tracklet_no == number)
    return ~embedded & ~failed
