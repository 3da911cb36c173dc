"""What each step of a job does, in the step's own process: the only place of the trainer that loads torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from reid_core.learning.recipes import Recipe, recipe_named
from reid_core.learning.tracklet_set import TrackletSet
from services import bootstrap
from services.jobs import BACKFILL
from services.settings import Settings
from services.storage.generations import GenerationState
from services.trainer.results import StepResults
from services.trainer.step import finite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reid_core.learning.cycle import StepProgress
    from services.trainer.step import Tell

__all__ = ["run_step"]

PREPARE = "prepare"
_REGISTER, _TAKE_OVER = "register", "take-over"
_RECIPE = "recipe.json"
_TRACKLETS, _FINISHED = "tracklets", "finish"


@dataclass(frozen=True, slots=True)
class _Work:
    """What a step is to work on."""

    settings: Settings
    job_id: UUID
    seed: int
    folder: Path
    tell: Tell
    start: str | None = None

    @property
    def recipe(self) -> Recipe:
        """As it stood when the job began: a newer version of the program must not change it in the middle."""
        return Recipe.from_json((self.folder / _RECIPE).read_text(encoding="utf-8"))


def run_step(request: Mapping[str, Any], tell: Tell) -> Mapping[str, Any]:
    """Do one step of a job; a step that was interrupted goes on from its last checkpoint.

    Args:
        request: As `JobRunner` sends it.
        tell: Is told how it goes.

    Returns:
        What came of it; JSON.

    Raises:
        ReknitError: If it cannot be done.
    """
    settings = Settings(**request["settings"])
    if request["kind"] == BACKFILL:
        return _backfill(settings, request["options"]["model_id"], tell)
    folder = Path(request["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    options = request["options"]
    work = _Work(settings, UUID(request["job_id"]), int(options["seed"]), folder, tell, options.get("start"))
    if request["step"] == PREPARE:
        return _prepare(work, recipe_named(request["recipe"]))
    act = _AFTER.get(request["step"])
    return act(work) if act is not None else _learn(work, request["step"])


def _sweep(folder: Path) -> None:
    """Remove what killed steps left half written; one step is at work at a time, so none of it is anybody's."""
    for partial in folder.rglob(".*.partial"):
        partial.unlink(missing_ok=True)


def _backfill(settings: Settings, model_id: str, tell: Tell) -> Mapping[str, Any]:
    """The one step of a job that makes missing vectors."""
    from services.trainer.missing_vectors import make_missing

    with bootstrap.open_database(settings) as database:
        return make_missing(settings, database, model_id, on_progress=tell.progress)


def _prepare(work: _Work, recipe: Recipe) -> Mapping[str, Any]:
    """Take the snapshot that the whole job learns from, and lay down the recipe and the order of steps."""
    from reid_core.learning.cycle import cycle_steps
    from services.trainer.snapshot import take_snapshot

    with bootstrap.open_database(work.settings) as database:
        taken = take_snapshot(
            database,
            bootstrap.open_blobs(work.settings),
            work.folder / _TRACKLETS,
            recipe=recipe,
            on_tracklet=work.tell.progress,
        )
    partial = work.folder / f".{_RECIPE}.partial"
    partial.write_text(recipe.to_json(), encoding="utf-8")
    partial.replace(work.folder / _RECIPE)
    return {**taken, "steps": [*cycle_steps(recipe), *_AFTER]}


def _learn(work: _Work, step: str) -> Mapping[str, Any]:
    from reid_core.learning.cycle import run_step as run_cycle_step

    def report(progress: StepProgress) -> None:
        work.tell.progress(progress.done, progress.total, progress.metrics)

    recipe = work.recipe
    done = run_cycle_step(
        step,
        work.folder,
        recipe=recipe,
        seed=work.seed,
        weights=bootstrap.start_weights(work.settings, work.start or recipe.network.weights),
        threads=work.settings.threads,
        report=report,
    )
    return {"metrics": finite(done.metrics)}


def _register(work: _Work) -> Mapping[str, Any]:
    """Make a candidate generation of what was learned."""
    from services.trainer.registry import Origin, register

    taken = StepResults(work.folder).of(PREPARE) or {}
    origin = Origin(work.job_id, taken.get("data_from_s"), taken.get("data_to_s"), taken.get("tracklets"))
    with bootstrap.open_database(work.settings) as database:
        candidate = register(database, bootstrap.open_models(work.settings), work.folder / _FINISHED, origin)
    return {"generation_id": str(candidate.generation_id), "model_id": candidate.model_id}


def _take_over(work: _Work) -> Mapping[str, Any]:
    """Judge the candidate, embed what is stored, and let it answer if it is better."""
    from services.trainer.takeover import consider

    registered = StepResults(work.folder).of(_REGISTER) or {}
    learned_from = TrackletSet.load(work.folder / _TRACKLETS).tracklet_nos.tolist()
    with bootstrap.open_database(work.settings) as database:
        outcome = consider(
            work.settings,
            database,
            UUID(registered["generation_id"]),
            learned_from=learned_from,
            seed=work.seed,
            on_progress=work.tell.progress,
        )
    generation = outcome.generation
    return {
        "generation_id": str(generation.generation_id),
        "model_id": generation.model_id,
        "promoted": generation.state == GenerationState.CURRENT,
        "reason": generation.reason,
        "metrics": outcome.metrics,
    }


_AFTER: Mapping[str, Callable[[_Work], Mapping[str, Any]]] = {_REGISTER: _register, _TAKE_OVER: _take_over}
