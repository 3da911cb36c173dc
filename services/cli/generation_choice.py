"""Which generation a command means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reid_core.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from services.storage.generations import Generation

__all__ = ["CURRENT", "chosen_generation"]

CURRENT = "current"


def chosen_generation(session: Session, beginning: str | None) -> Generation:
    """A generation by the beginning of its id.

    Args:
        session: A reading transaction.
        beginning: Enough of the id to tell it from others; ``None`` or ``current`` for the one that answers searches.

    Raises:
        InputError: If none or several begin so; names them all.
        NoGenerationError: If the current one is wanted and nothing was ingested yet.
    """
    from services.storage.generations import GenerationRepository

    generations = GenerationRepository(session)
    if beginning in {None, CURRENT}:
        return generations.current()
    known = generations.list()
    found = [one for one in known if str(one.generation_id).startswith(str(beginning))]
    if len(found) != 1:
        names = ", ".join(str(one.generation_id) for one in known) or "none yet"
        raise InputError(f"{len(found)} generations begin with {beginning!r}; there are: {names}")
    return found[0]
