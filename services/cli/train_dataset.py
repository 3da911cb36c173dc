"""`reknit train-dataset`: learn from a published dataset, its labels used (a source) or unseen (a target)."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reid_core.errors import InputError
from services.cli.options import DataDir, load_settings

if TYPE_CHECKING:
    from reid_core.learning.cycle import StepProgress
    from reid_core.learning.recipes import Recipe
    from services.cli.progress import Advance
    from services.settings import Settings

_PICTURES_A_BATCH = 64


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(name="train-dataset")(train_dataset)


def train_dataset(
    name: Annotated[str, typer.Argument(help="Of the dataset, such as market1501 or msmt17.")],
    root: Annotated[Path, typer.Option(help="Its folder, as published.")],
    out: Annotated[Path, typer.Option(help="Folder of the work and its result; begun work goes on there.")],
    recipe: Annotated[str, typer.Option(help="source-r50 and source-cpu use the labels, all others do not.")],
    start: Annotated[
        str | None, typer.Option(help="Weights to start from: a name that `reknit weights list` shows.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="With labels: passes over all pictures.")] = 80,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Equal seeds give equal models.")] = 0,
    data_dir: DataDir = None,
) -> None:
    """Learn from the training part of a dataset that you hold; interrupted, the same command goes on."""
    from reid_core.learning.cycle import cycle_steps, run_step
    from reid_core.learning.learner_parts import LossForm
    from reid_core.learning.recipes import recipe_named
    from services.bootstrap import start_weights
    from services.cli.progress import progress

    settings, chosen = load_settings(data_dir), recipe_named(recipe)
    weights = start_weights(settings, start or chosen.network.weights)
    count = _written(name, root, out / "tracklets", chosen)
    if chosen.loss is LossForm.LABELS:
        iterations = epochs * math.ceil(count / _PICTURES_A_BATCH)
        chosen = replace(chosen, optimisation=replace(chosen.optimisation, within_iterations=iterations))
    _require_same(out, f"{name} {chosen.to_json()} {start} {seed}")
    for step in cycle_steps(chosen):
        with progress(step, None) as advance:
            said = run_step(
                step,
                out,
                recipe=chosen,
                seed=seed,
                weights=weights,
                threads=settings.threads,
                report=partial(_pass_on, advance),
            )
        print(f"{step}: " + ", ".join(f"{key} {value:.4g}" for key, value in sorted(said.metrics.items())))
    features = _features(name, root, out, settings)
    print(f"The model is {out / 'finish' / 'model.safetensors'}. To score it:")
    print(f"  reknit evaluate ranking --dataset {name} --root {root} --features {features}")


def _pass_on(advance: Advance, _progress: StepProgress) -> None:
    advance()


def _features(name: str, root: Path, out: Path, settings: Settings) -> Path:
    """What the learned model makes of the dataset's test pictures, in a feature file."""
    import numpy as np

    from reid_core.evaluation.dataset_embedding import embed_records
    from reid_core.evaluation.datasets.pictures import open_pictures
    from reid_core.evaluation.datasets.registry import read_dataset
    from reid_core.evaluation.protocols import scored_records
    from reid_core.models.learned import load_learned
    from services.cli.progress import progress

    dataset = read_dataset(name, root)
    records = [dataset.records[at] for at in scored_records(dataset)]
    embedder = load_learned(out / "finish", cache_dir=out / "cache", threads=settings.threads)
    with progress("Embedding", len(records)) as advance:
        table = embed_records(
            records, open_pictures(dataset, root), embedder, folder=out / "features", on_records=advance
        )
    np.savez(out / "features.npz", features=table.features, paths=np.array([record.path for record in records]))
    return out / "features.npz"


def _written(name: str, root: Path, folder: Path, recipe: Recipe) -> int:
    """How many tracklets the training set has, written unless it was."""
    from reid_core.evaluation.dataset_tracklets import write_training_set
    from reid_core.evaluation.datasets.pictures import open_pictures
    from reid_core.evaluation.datasets.registry import read_dataset
    from reid_core.learning.learner_parts import LossForm
    from reid_core.learning.tracklet_set import TrackletSet, is_stored
    from services.cli.progress import progress

    if is_stored(folder):
        return len(TrackletSet.load(folder))
    dataset = read_dataset(name, root)
    with progress("Reading", len(dataset.splits[0].train)) as advance:
        return write_training_set(
            dataset,
            open_pictures(dataset, root),
            folder,
            size_px=(recipe.network.width_px, recipe.network.height_px),
            crops_at_most=recipe.sampling.crops_at_most,
            labelled=recipe.loss is LossForm.LABELS,
            on_record=advance,
        )


def _require_same(out: Path, asked: str) -> None:
    """Refuse a folder that holds other work.

    Raises:
        InputError: If it does.
    """
    note = out / "asked.txt"
    if note.is_file() and note.read_text(encoding="utf-8") != asked:
        raise InputError(f"{out} holds other work: another dataset, recipe, start or seed")
    note.write_text(asked, encoding="utf-8")
