"""From candidate to current generation: judge, embed everything anew, flip; or turn it down and say why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reid_core.errors import MissingVectorsError
from services import bootstrap, succession
from services.storage.generations import GenerationRepository, GenerationState
from services.trainer.backfill import backfill
from services.trainer.evidence import choose_judged
from services.trainer.judging import judge
from services.trainer.promotion import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from uuid import UUID

    from services.settings import Settings
    from services.storage.generations import Generation
    from services.storage.session import Database
    from services.succession import Change
    from services.trainer.promotion import Decision

__all__ = ["Takeover", "complete", "consider"]

_ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Takeover:
    """What came of a candidate.

    Attributes:
        generation: The candidate, as it stands now.
        decision: ``None`` where it had been decided on before.
        metrics: The figures of the decision, as they are stored with the generation.
    """

    generation: Generation
    decision: Decision | None
    metrics: dict[str, Any]


def consider(
    settings: Settings,
    database: Database,
    generation_id: UUID,
    *,
    learned_from: Collection[int] = (),
    seed: int = 0,
    policy: Policy = Policy(),  # noqa: B008 - frozen
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Takeover:
    """Judge a candidate and let it take over if it is better; searches go on throughout.

    First only the tracklets to judge by are embedded, so that a candidate that is no better costs little. Doing it
    again, after a crash at any point, goes on where it was; a candidate that was decided on stays as it is.

    Args:
        settings: Of the installation.
        database: Of the installation.
        generation_id: The candidate.
        learned_from: Numbers of the tracklets that its model learned from.
        seed: Of the bootstrap.
        policy: What counts as better.
        on_progress: Told how many tracklets of how many are embedded.
        should_stop: Asked before each tracklet.

    Raises:
        UnknownGenerationError: If there is no such candidate.
        ModelFilesError: If its model's files are missing or damaged.
        BackfillStoppedError: If it was told to stop.
        BackfillError: If too many crops cannot be read.
        OutrunError: If another generation took over meanwhile; the candidate stays one, and can be considered again.
    """
    with database.read() as session:
        candidate = GenerationRepository(session).by_id(generation_id)
        current = GenerationRepository(session).current()
        nos = choose_judged(session)
    if candidate.state != GenerationState.CANDIDATE:
        return Takeover(candidate, None, dict(candidate.metrics or {}))
    blobs = bootstrap.open_blobs(settings)
    embedder = bootstrap.make_embedder_for(settings, database, candidate.model_id)
    if candidate.model_id != current.model_id:
        backfill(database, blobs, embedder, among=nos, on_progress=on_progress, should_stop=should_stop)
    with database.read() as session:
        decision, metrics = judge(session, candidate, current, nos, learned_from=learned_from, seed=seed, policy=policy)
    if not decision.promote:
        with database.write() as session:
            rejected = GenerationRepository(session).reject(generation_id, reason=decision.reason, metrics=metrics)
        return Takeover(rejected, decision, metrics)
    promoted = complete(
        settings,
        database,
        generation_id,
        reason=decision.reason,
        metrics=metrics,
        over=current.generation_id,
        on_progress=on_progress,
        should_stop=should_stop,
    )
    return Takeover(promoted.generation, decision, metrics)


def complete(
    settings: Settings,
    database: Database,
    generation_id: UUID,
    *,
    reason: str,
    metrics: dict[str, Any] | None = None,
    over: UUID | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Change:
    """Embed whatever lacks a vector of a generation's model, and flip at the moment when nothing does.

    Args:
        settings: Of the installation.
        database: Of the installation.
        generation_id: The generation that is to answer.
        reason: Why; stored with it.
        metrics: The figures of the decision; stored with it.
        over: The generation that must still be the current one.
        on_progress: Told how many tracklets of how many are embedded.
        should_stop: Asked before each tracklet.

    Raises:
        MissingVectorsError: If tracklets without vectors arrive faster than they can be embedded.
        OutrunError: If another generation took over meanwhile.
    """
    with database.read() as session:
        model_id = GenerationRepository(session).by_id(generation_id).model_id
    embedder = bootstrap.make_embedder_for(settings, database, model_id)
    blobs, store = bootstrap.open_blobs(settings), bootstrap.open_models(settings)
    for remaining in reversed(range(_ROUNDS)):
        backfill(database, blobs, embedder, on_progress=on_progress, should_stop=should_stop)
        try:
            return succession.promote(database, store, str(generation_id), reason=reason, metrics=metrics, over=over)
        except MissingVectorsError:  # an ingest that did not know the candidate has just stored some
            if not remaining:
                raise
    raise MissingVectorsError(model_id)
