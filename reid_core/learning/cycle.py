"""A learning cycle, step by step: within cameras, rounds of association and training across them, the result.

Recipes that learn from a graph have rounds of it before the result; on labelled people there is one long stage.

No database, no clock: a folder holds the tracklets and everything that steps leave to one another. Each step may be
run by a process of its own; a finished one answers at once, an interrupted one goes on from its last checkpoint.
torch is loaded when a step runs, not before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reid_core.errors import RecipeError
from reid_core.learning.learner_parts import LossForm
from reid_core.learning.step_files import StepProgress, StepResult, finished_result

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reid_core.learning.recipes import Recipe

__all__ = ["StepProgress", "StepResult", "cycle_steps", "run_step"]

_WITHIN, _ASSOCIATE, _TRAIN, _FINISH = "within", "associate", "train", "finish"
_GRAPH, _DISTIL, _SUPERVISE = "graph", "distil", "supervise"


def cycle_steps(recipe: Recipe) -> tuple[str, ...]:
    """Names of a cycle's steps, in their order.

    Example:
        >>> from reid_core.learning.recipes import recipe_named
        >>> cycle_steps(recipe_named("tastr-r50"))[:4]
        ('within', 'associate-1', 'train-1', 'associate-2')
    """
    if recipe.loss is LossForm.LABELS:
        return _SUPERVISE, _FINISH
    rounds = range(1, recipe.pairing.rounds + 1)
    graphs = range(1, (recipe.distillation.rounds if recipe.distillation else 0) + 1)
    return (
        _WITHIN,
        *(f"{kind}-{number}" for number in rounds for kind in (_ASSOCIATE, _TRAIN)),
        *(f"{kind}-{number}" for number in graphs for kind in (_GRAPH, _DISTIL)),
        _FINISH,
    )


def run_step(
    step: str,
    folder: Path,
    *,
    recipe: Recipe,
    seed: int,
    weights: Path | None,
    threads: int = 0,
    report: Callable[[StepProgress], None] = lambda _progress: None,
) -> StepResult:
    """Run one step, or answer what it said when it was run before.

    Args:
        step: One of `cycle_steps`; those before it must be finished.
        folder: ``folder/tracklets`` holds the saved `TrackletSet`; ``folder/STEP`` is this step's.
        recipe: How to learn.
        seed: Equal data, recipe, seed and threads give equal results.
        weights: Published weights of the recipe's network; ``None`` starts from noise.
        threads: Of the processor, 0 = all.
        report: Told how far the step is.

    Raises:
        RecipeError: If the recipe has no such step.
        CheckpointError: If an earlier step is not finished, or its files are another cycle's.
        TrackletSetError: If the tracklets cannot be read.
        TooLittleToLearnError: If there is too little to learn from.
        LearningDivergedError: If the loss stops being a number.
        LearningMemoryError: If not even the smallest batch fits into memory.
        WeightsError: If the weights are not the network's.
        StorageFullError: If there is no space left.
    """
    if step not in cycle_steps(recipe):
        raise RecipeError(f"{recipe.name} has no step {step!r}; it has {', '.join(cycle_steps(recipe))}")
    known = finished_result(folder / step, step)
    if known is not None:
        return known
    from reid_core.learning.device import training_device
    from reid_core.learning.steps import Cycle

    with training_device(threads=threads) as device:
        cycle = Cycle.opened(folder, recipe=recipe, seed=seed, weights=weights, device=device, report=report)
        return cycle.run(step)
