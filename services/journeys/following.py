"""A thread that keeps the journeys up with what is stored."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Self

import structlog

from reid_core.errors import ReknitError
from services.journeys.keeper import JourneyKeeper

if TYPE_CHECKING:
    from services.storage.session import Database

__all__ = ["JourneyFollower"]

_AT_MOST_S = 60.0


class JourneyFollower:
    """Calls `JourneyKeeper.catch_up` every so many seconds until it is stopped; after a failure it waits longer.

    Args:
        database: Of the installation.
        every_s: Seconds between two looks.
    """

    def __init__(self, database: Database, *, every_s: float) -> None:
        self._keeper = JourneyKeeper(database)
        self._every_s = every_s
        self._stop = Event()
        self._thread = Thread(target=self._run, name="journeys", daemon=True)
        self._log: Any = structlog.get_logger()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        wait_s = self._every_s
        while not self._stop.wait(wait_s):
            try:
                kept = self._keeper.catch_up()
            except (ReknitError, ValueError) as error:  # journeys stay as they were; the next look tries again
                self._keeper.forget()
                wait_s = min(2 * wait_s, _AT_MOST_S)
                self._log.warning("journeys.behind", error=str(error), wait_s=wait_s)
                continue
            wait_s = self._every_s
            if kept is not None and kept.changed:
                self._log.info("journeys.changed", changed=kept.changed, journeys=kept.journeys)
