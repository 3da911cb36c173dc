"""One stage of training: draw, augment, step, remember, and put a checkpoint aside now and then.

Everything random comes from ``default_rng([seed, stage, iteration])``, so a stage that is killed and run again goes on
from its last checkpoint and ends where it would have ended.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from reid_core.errors import LearningDivergedError, LearningMemoryError
from reid_core.learning.augmentation import augment
from reid_core.learning.checkpoints import (
    Checkpoint,
    load_checkpoint,
    optimiser_tensors,
    restore_optimiser,
    save_checkpoint,
)
from reid_core.learning.memory_errors import is_out_of_memory
from reid_core.learning.prefetch import Prefetched
from reid_core.learning.schedules import rate_at
from reid_core.models.pictures import balanced_pictures

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from reid_core.learning.augmentation import Augmentation
    from reid_core.learning.batches import Batch
    from reid_core.learning.device import Device
    from reid_core.learning.mean_teacher import Teacher
    from reid_core.learning.objectives import Objective
    from reid_core.learning.recipes import Optimisation
    from reid_core.learning.samplers import Sampler
    from reid_core.models.network import ReidNetwork

__all__ = ["Stage", "StageOutcome", "train_stage"]

_RUNNING = 0.95
_FEWEST_TRACKLETS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """What a stage is about.

    Attributes:
        number: Within the cycle; part of every random draw.
        identity: Recipe, seed and step, so that no other stage's checkpoint is taken up.
        sampler: Draws batches.
        objective: What is minimised.
        pictures: All pictures. Shape ``(M, H, W, 3)``, uint8.
        light: Of the network's recipe.
        augmentation: How pictures are changed.
        optimisation: How the loss is brought down.
        iterations: How many steps.
        tracklets: Of a batch, P.
        teacher: A running mean of the network; ``None`` does without.
    """

    number: int
    identity: str
    sampler: Sampler
    objective: Objective
    pictures: NDArray[np.uint8]
    light: float
    augmentation: Augmentation
    optimisation: Optimisation
    iterations: int
    tracklets: int
    teacher: Teacher | None = None


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """How a stage went.

    Attributes:
        loss: Running mean at its end.
        halvings: How often the batch was halved for lack of memory.
        pictures: How many were seen in all.
    """

    loss: float
    halvings: int
    pictures: int


def train_stage(
    network: ReidNetwork,
    stage: Stage,
    *,
    device: Device,
    seed: int,
    checkpoint: Path,
    report: Callable[[int, float], None] = lambda _done, _loss: None,
) -> StageOutcome:
    """Train a network in place, from the stage's last checkpoint where there is one; a teacher replaces it in the end.

    Args:
        network: On the device already.
        stage: What to do.
        device: Where, and in which precision.
        seed: Of the cycle.
        checkpoint: File that is replaced every so many iterations and at the end.
        report: Told the iterations done and the running loss after each.

    Raises:
        LearningDivergedError: If the loss stops being a number.
        LearningMemoryError: If not even two tracklets fit into memory.
        CheckpointError: If the checkpoint is not of this stage.
    """
    run = _Run(network, stage, device, seed, checkpoint)
    run.resume()
    while run.done < stage.iterations:
        try:
            run.go_on(report)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            run.halve(error)
    if stage.teacher is not None:
        network.load_state_dict(dict(stage.teacher.memory()))
    return StageOutcome(run.loss, run.halvings, run.pictures)


class _Run:
    """A stage under way."""

    def __init__(self, network: ReidNetwork, stage: Stage, device: Device, seed: int, checkpoint: Path) -> None:
        self._network, self._stage, self._device, self._seed = network, stage, device, seed
        self._path = checkpoint
        how = stage.optimisation
        learning = {name: one for name, one in network.named_parameters() if one.requires_grad}
        trunk = [one for name, one in learning.items() if name.startswith("trunk.")]
        heads = [one for name, one in learning.items() if not name.startswith("trunk.")]
        groups = [{"params": trunk, "factor": 1.0}, {"params": heads, "factor": how.head_factor}]
        self._optimiser = torch.optim.Adam(groups, lr=how.learning_rate, weight_decay=how.weight_decay)
        self._names: dict[torch.Tensor, str] = {parameter: name for name, parameter in network.named_parameters()}
        self._forward = device.compiled(network)
        self.done, self.loss, self.halvings, self.pictures = 0, math.nan, 0, 0

    def resume(self) -> None:
        """Take up the last checkpoint."""
        stored = load_checkpoint(self._path, identity=self._stage.identity)
        if stored is None:
            return
        self._network.load_state_dict(dict(stored.network))
        restore_optimiser(self._optimiser, stored.optimiser, self._names)
        if self._stage.teacher is not None:
            self._stage.teacher.restore(stored.teacher)
        self._stage.objective.restore(stored.objective)
        self.done, self.halvings = int(stored.state["done"]), int(stored.state["halvings"])
        self.loss, self.pictures = float(stored.state["loss"]), int(stored.state["pictures"])

    def go_on(self, report: Callable[[int, float], None]) -> None:
        """Step until the end."""
        self._network.train()
        with Prefetched(self._made, self.done, self._stage.iterations) as ready:
            for batch, pictures, plain in ready:
                self._step(batch, pictures, plain)
                self.done += 1
                report(self.done, self.loss)
                if self.done % self._stage.optimisation.checkpoint_every == 0 or self.done == self._stage.iterations:
                    self._put_aside()

    def halve(self, error: BaseException) -> None:
        """Go on with half as many tracklets in a batch."""
        if self._tracklets // 2 < _FEWEST_TRACKLETS:
            raise LearningMemoryError(str(error).splitlines()[0]) from error
        self.halvings += 1
        self._optimiser.zero_grad(set_to_none=True)
        self._device.release()

    @property
    def _tracklets(self) -> int:
        return self._stage.tracklets >> self.halvings

    def _made(self, iteration: int) -> tuple[Batch, NDArray[np.uint8], NDArray[np.uint8]]:
        rng = np.random.default_rng([self._seed, self._stage.number, iteration])
        batch = self._stage.sampler.draw(rng, self._tracklets)
        pictures = balanced_pictures(self._stage.pictures[batch.crops], light=self._stage.light)
        return batch, augment(pictures, self._stage.augmentation, rng), pictures

    def _step(self, batch: Batch, pictures: NDArray[np.uint8], plain: NDArray[np.uint8]) -> None:
        self._set_rate()
        with self._device.precision():
            vectors = self._forward(self._device.moved(pictures))
        loss = self._stage.objective.loss(vectors.float(), batch) + self._taught(vectors.float(), batch, plain)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise LearningDivergedError(f"{value} after {self.done} iterations of {self._stage.identity}")
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        with torch.no_grad():
            self._stage.objective.remember(vectors.detach().float(), batch)
            if self._stage.teacher is not None:
                self._stage.teacher.follow(self._network, self.done + 1)
        self.loss = value if math.isnan(self.loss) else _RUNNING * self.loss + (1 - _RUNNING) * value
        self.pictures += len(batch)

    def _taught(self, vectors: torch.Tensor, batch: Batch, plain: NDArray[np.uint8]) -> torch.Tensor | float:
        """What the teacher adds to the loss."""
        teacher = self._stage.teacher
        if teacher is None or not teacher.speaks:
            return 0.0
        with self._device.precision():
            taught = teacher.look(self._device.moved(plain))
        return teacher.loss(vectors, taught, batch)

    def _set_rate(self) -> None:
        how = self._stage.optimisation
        share = rate_at(self.done, self._stage.iterations, decay=how.decay, warm_up=how.warm_up)
        for group in self._optimiser.param_groups:
            group["lr"] = how.learning_rate * share * group["factor"]

    def _put_aside(self) -> None:
        state: dict[str, Any] = {
            "done": self.done,
            "loss": self.loss,
            "halvings": self.halvings,
            "pictures": self.pictures,
        }
        moments = optimiser_tensors(self._optimiser, self._names)
        memory, network = self._stage.objective.memory(), self._network.state_dict()
        teacher = self._stage.teacher.memory() if self._stage.teacher is not None else {}
        save_checkpoint(self._path, Checkpoint(network, moments, memory, state, self._stage.identity, teacher))
