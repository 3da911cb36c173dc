"""Which generation answers, with the models' files in view: the acts behind command line, HTTP and trainer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.storage.gaps import VectorGaps
from services.storage.generations import GenerationRepository
from services.storage.models import ModelKind, ModelRepository
from services.storage.promotions import Promotions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any
    from uuid import UUID

    from sqlalchemy.orm import Session

    from services.model_store import ModelStore
    from services.storage.generations import Generation
    from services.storage.models import Model
    from services.storage.session import Database

__all__ = ["Change", "change_of", "promote", "roll_back"]


@dataclass(frozen=True, slots=True)
class Change:
    """What a promotion or a way back came to.

    Attributes:
        generation: The one that answers now.
        previous: The one that answered before; the same where nothing changed.
        missing: Tracklets without a vector of its model yet; searches cannot find them until they are embedded.
        unusable: Tracklets that its model could not embed.
    """

    generation: Generation
    previous: Generation
    missing: int
    unusable: int


def promote(
    database: Database,
    store: ModelStore,
    name: str,
    *,
    reason: str,
    metrics: Mapping[str, Any] | None = None,
    over: UUID | None = None,
) -> Change:
    """Let a generation answer.

    Args:
        database: Of the installation.
        store: Its models.
        name: The generation, as `GenerationRepository.named` understands it.
        reason: Why; stored with it.
        metrics: The figures of the decision; stored with it.
        over: The generation that it was compared with, and that must still be the current one.

    Raises:
        UnknownGenerationError: If nothing is called that.
        ModelFilesError: If its model's files are missing or damaged.
        MissingVectorsError: If a tracklet has no vector of its model.
        OutrunError: If another generation became current than the one it was compared with.
    """
    with database.read() as session:
        wanted = GenerationRepository(session).named(name)
        model = ModelRepository(session).by_id(wanted.model_id)
    _require_files(store, model)
    with database.write() as session:
        previous = GenerationRepository(session).current()
        promoted = Promotions(session).promote(wanted.generation_id, reason=reason, metrics=metrics, over=over)
        return change_of(session, promoted, previous)


def roll_back(database: Database, store: ModelStore, name: str | None = None, *, reason: str) -> Change:
    """Let an earlier generation answer again, at once.

    Tracklets that came after it had gone may have no vector of its model; they are counted, and embedding them is the
    caller's.

    Args:
        database: Of the installation.
        store: Its models.
        name: The generation to go back to; default: the one that the current one took over from.
        reason: Why; stored with it.

    Raises:
        UnknownGenerationError: If nothing is called that.
        ModelFilesError: If its model's files are missing or damaged.
        NoWayBackError: If none answered before, or the one that is named never did.
        OutrunError: If another generation became current in this moment.
    """
    with database.read() as session:
        current = GenerationRepository(session).current()
        wanted = Promotions(session).way_back() if name is None else GenerationRepository(session).named(name)
        model = ModelRepository(session).by_id(wanted.model_id)
    _require_files(store, model)
    with database.write() as session:
        restored = Promotions(session).rollback(wanted.generation_id, reason=reason, over=current.generation_id)
        return change_of(session, restored, current)


def _require_files(store: ModelStore, model: Model) -> None:
    """A cold start's weights are published ones, which the first use of them verifies."""
    if model.kind is ModelKind.LEARNED:
        store.folder(model.model_id, model.files)


def change_of(session: Session, generation: Generation, previous: Generation) -> Change:
    """The change, with what is missing as the database shows it now."""
    gaps = VectorGaps(session)
    return Change(generation, previous, gaps.count(generation.model_id), len(gaps.failures(generation.model_id)))
