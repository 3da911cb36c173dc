"""The graph loss as an objective, and several objectives as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from reid_core.learning.learner_parts import Rivals
from reid_core.learning.losses.distillation import Taught, distillation_loss, distillation_loss_among_all
from reid_core.learning.memory import MemoryBank

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reid_core.learning.batches import Batch
    from reid_core.learning.objectives import Objective
    from reid_core.learning.teacher_graph import TeacherGraph

__all__ = ["GraphDistillation", "Together"]


class GraphDistillation:
    """The network's likeness of a batch to all nodes' memories follows the graph's; vectors get length 1 first.

    Args:
        vectors: Where the memories begin: the network's vectors of all nodes. Shape ``(N, d)``.
        graph: What neighbours are worth.
        temperature: Of the softmax.
        keep: Share of a memory that a visit leaves.
        rivals: Among whom shares are counted.
    """

    def __init__(
        self, vectors: torch.Tensor, graph: TeacherGraph, *, temperature: float, keep: float, rivals: Rivals
    ) -> None:
        self._bank = MemoryBank(vectors, keep=keep)
        self._graph, self._temperature, self._rivals = graph, temperature, rivals
        self._cameras = torch.from_numpy(graph.cameras).to(vectors.device)

    def loss(self, vectors: torch.Tensor, batch: Batch) -> torch.Tensor:
        """See `distillation_loss` and `distillation_loss_among_all`."""
        unit, taught = functional.normalize(vectors, dim=1), self._taught(batch, vectors.device)
        if self._rivals is Rivals.CAMERA:
            return distillation_loss_among_all(
                unit, self._bank.vectors, taught, bank_cameras=self._cameras, temperature=self._temperature
            )
        count = int(self._graph.cameras.max(initial=0)) + 1
        return distillation_loss(unit, self._bank.vectors, taught, cameras=count, temperature=self._temperature)

    def remember(self, vectors: torch.Tensor, batch: Batch) -> None:
        """Visit the memories of the batch's nodes."""
        rows = torch.from_numpy(batch.rows).to(vectors.device)
        self._bank.visit(rows, functional.normalize(vectors, dim=1))

    def memory(self) -> Mapping[str, torch.Tensor]:
        """The running vectors."""
        return {"bank": self._bank.vectors}

    def restore(self, memory: Mapping[str, torch.Tensor]) -> None:
        """Take the running vectors back."""
        self._bank.restore(memory["bank"])

    def _taught(self, batch: Batch, device: torch.device) -> Taught:
        rows, place = np.unique(batch.rows, return_inverse=True)
        columns, weights, present = (part[place] for part in self._graph.of(rows))
        parts = columns, self._graph.cameras[columns], weights, present
        return Taught(*(torch.from_numpy(part).to(device) for part in parts))


class Together:
    """The weighted sum of several objectives, each with its own memory.

    Args:
        parts: Weight and objective of each.
    """

    def __init__(self, parts: Sequence[tuple[float, Objective]]) -> None:
        self._parts = tuple(parts)

    def loss(self, vectors: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The sum."""
        return torch.stack([weight * part.loss(vectors, batch) for weight, part in self._parts]).sum()

    def remember(self, vectors: torch.Tensor, batch: Batch) -> None:
        """Each takes note."""
        for _, part in self._parts:
            part.remember(vectors, batch)

    def memory(self) -> Mapping[str, torch.Tensor]:
        """What each remembers, by its number."""
        return {
            f"{number}/{name}": tensor
            for number, (_, part) in enumerate(self._parts)
            for name, tensor in part.memory().items()
        }

    def restore(self, memory: Mapping[str, torch.Tensor]) -> None:
        """Inverse of `memory`."""
        for number, (_, part) in enumerate(self._parts):
            start = f"{number}/"
            own = {name.removeprefix(start): one for name, one in memory.items() if name.startswith(start)}
            part.restore(own)
