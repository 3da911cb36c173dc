"""Training throughput beside a bare loop of the same network, batch and precision over data already in memory.

    python tests/benchmarks/benchmark_training.py [--recipe site-cpu] [--iterations 40] [--rounds 8] [--threads N]

Ours is a stage as a cycle runs it: pictures on disk, batches drawn, light balanced, augmentation, the loss with its
memory, running figures, a checkpoint at the end. The bare loop holds its pictures as tensors and does nothing but
forward, a loss, backward, step. They take turns; the ratio is of pictures a second and should be at least 0.9. On a GPU
the networks compute in bfloat16, on a processor in float32. Weights do not matter for speed and are drawn.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from pairing import median_of, ratio_of, take_turns, write_report

from reid_core.learning.device import training_device
from reid_core.learning.free_samplers import FreeSampler
from reid_core.learning.losses.triplet import batch_hard_loss
from reid_core.learning.objectives import BatchHard, Proxies
from reid_core.learning.recipes import LossForm, recipe_named
from reid_core.learning.relations import PairWeights, Relations
from reid_core.learning.stages import Stage, train_stage
from reid_core.learning.tracklet_set import TrackletSet
from reid_core.models.network import build_network
from reid_core.spatio_temporal.sightings import Sightings

if TYPE_CHECKING:
    from reid_core.learning.device import Device
    from reid_core.learning.recipes import Recipe

_TRACKLETS, _CROPS, _CAMERAS = 300, 30, 4
_KEPT = 8  # batches that the bare loop goes through in turn


def make_data(folder: Path, recipe: Recipe) -> TrackletSet:
    """Tracklets of noise, on disk."""
    rng = np.random.default_rng(0)
    shape = (_TRACKLETS * _CROPS, recipe.network.height_px, recipe.network.width_px, 3)
    starts = rng.uniform(0, 600, _TRACKLETS)
    cameras = rng.integers(0, _CAMERAS, _TRACKLETS)
    seen = Sightings(tuple(f"cam{n}" for n in range(_CAMERAS)), cameras, starts, starts + 10)
    first_crop = np.arange(_TRACKLETS + 1) * _CROPS
    pictures = rng.integers(0, 256, shape, dtype=np.uint8)
    TrackletSet(np.arange(_TRACKLETS), seen, first_crop, pictures).save(folder)
    return TrackletSet.load(folder)


class Ours:
    """A stage of a learning cycle."""

    def __init__(self, data: TrackletSet, recipe: Recipe, device: Device, folder: Path, iterations: int) -> None:
        self._network = device.placed(build_network(recipe.network, None))
        self._device, self._folder = device, folder
        self._stage = Stage(
            number=1,
            identity="benchmark",
            sampler=FreeSampler(data.first_crop, crops=recipe.sampling.crops),
            objective=_objective(data, recipe, device),
            pictures=data.images,
            light=recipe.network.light,
            augmentation=recipe.augmentation,
            optimisation=recipe.optimisation,
            iterations=iterations,
            tracklets=recipe.sampling.tracklets,
        )

    def __call__(self) -> float:
        """Seconds a picture."""
        checkpoint = self._folder / "checkpoint.safetensors"
        checkpoint.unlink(missing_ok=True)
        begun = time.perf_counter()
        outcome = train_stage(self._network, self._stage, device=self._device, seed=0, checkpoint=checkpoint)
        return (time.perf_counter() - begun) / outcome.pictures


class BareLoop:
    """Forward, loss, backward, step."""

    def __init__(self, data: TrackletSet, recipe: Recipe, device: Device, iterations: int) -> None:
        self._network = device.placed(build_network(recipe.network, None)).train()
        self._device, self._iterations = device, iterations
        learning = [one for one in self._network.parameters() if one.requires_grad]
        how = recipe.optimisation
        self._optimiser = torch.optim.Adam(learning, lr=how.learning_rate, weight_decay=how.weight_decay)
        size = recipe.sampling.tracklets * recipe.sampling.crops
        self._batches = [
            device.moved(np.array(data.images[number * size : (number + 1) * size])) for number in range(_KEPT)
        ]
        self._labels = torch.arange(size, device=device.name) // recipe.sampling.crops

    def __call__(self) -> float:
        """Seconds a picture."""
        _synchronise(self._device)
        begun = time.perf_counter()
        for number in range(self._iterations):
            with self._device.precision():
                vectors = self._network(self._batches[number % _KEPT])
            loss = batch_hard_loss(vectors.float(), self._labels)
            self._optimiser.zero_grad(set_to_none=True)
            loss.backward()
            self._optimiser.step()
        _synchronise(self._device)
        return (time.perf_counter() - begun) / (self._iterations * len(self._labels))


def _objective(data: TrackletSet, recipe: Recipe, device: Device) -> BatchHard | Proxies:
    if recipe.loss is LossForm.BATCH_HARD:
        return BatchHard(margin=recipe.margin)
    nothing, seen = PairWeights.none(), data.sightings
    relations = Relations(
        seen.cameras,
        seen.starts_s,
        seen.ends_s,
        positives=nothing,
        doubtful=nothing,
        apart_s=recipe.sampling.apart_s,
        one_camera=True,
    )
    bank = torch.randn(len(data), recipe.network.dim, device=device.name)
    return Proxies(bank, relations, temperature=recipe.temperature)


def _synchronise(device: Device) -> None:
    if device.name != "cpu":
        torch.cuda.synchronize()


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="site-cpu")
    parser.add_argument("--iterations", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--threads", type=int, default=0)
    asked = parser.parse_args()
    recipe = recipe_named(asked.recipe)
    recipe = replace(recipe, optimisation=replace(recipe.optimisation, checkpoint_every=10**9))
    folder = Path(tempfile.mkdtemp(prefix="training-"))
    with ExitStack() as opened:
        opened.callback(shutil.rmtree, folder)
        device = opened.enter_context(training_device(threads=asked.threads))
        data = make_data(folder / "tracklets", recipe)
        ours = Ours(data, recipe, device, folder, asked.iterations)
        bare = BareLoop(data, recipe, device, asked.iterations)
        rounds = take_turns({"ours": ours, "bare": bare}, rounds=asked.rounds, warm_up=1)
    ratio = ratio_of(rounds, "bare", "ours")
    speeds = {name: 1 / median_of(rounds, name) for name in rounds}
    print(f"{recipe.name} on {device.name}: ours {speeds['ours']:.0f}, bare {speeds['bare']:.0f} pictures/s; {ratio}")
    findings = {
        "recipe": recipe.name,
        "device": device.name,
        "pictures_per_s": speeds,
        "ratio": ratio,
        "rounds": rounds,
    }
    print(write_report("training", findings))


if __name__ == "__main__":
    main()
