"""Journeys kept up with what is stored, from a thread of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from reid_core.errors import ReknitError
from services.journeys.keeper import JourneyKeeper
from services.repeating import Repeating

if TYPE_CHECKING:
    from services.storage.session import Database

__all__ = ["JourneyFollower"]

_AT_MOST_S = 60.0
_PATIENCE_S = 5.0  # a build of a large site takes longer; what it has not written is built again


class JourneyFollower(Repeating):
    """Calls `JourneyKeeper.catch_up` every so many seconds until it is stopped; after a failure it waits longer.

    Args:
        database: Of the installation.
        every_s: Seconds between two looks.
    """

    def __init__(self, database: Database, *, every_s: float) -> None:
        super().__init__(self._look, name="journeys", first_s=every_s, patience_s=_PATIENCE_S)
        self._keeper = JourneyKeeper(database)
        self._every_s = self._next_s = every_s
        self._log: Any = structlog.get_logger()

    def _look(self) -> float:
        try:
            kept = self._keeper.catch_up()
        except (ReknitError, ValueError) as error:  # journeys stay as they were; the next look tries again
            self._keeper.forget()
            self._next_s = min(2 * self._next_s, _AT_MOST_S)
            self._log.warning("journeys.behind", error=str(error), wait_s=self._next_s)
            return self._next_s
        self._next_s = self._every_s
        if kept is not None and kept.changed:
            self._log.info("journeys.changed", changed=kept.changed, journeys=kept.journeys)
        return self._next_s
