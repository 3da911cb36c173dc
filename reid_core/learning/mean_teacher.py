"""A second network that follows the one in training by a running mean, and what the one in training hears from it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from reid_core.learning.losses.instances import consistency_loss, hard_instance_loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reid_core.learning.batches import Batch
    from reid_core.learning.learner_parts import MeanTeacher
    from reid_core.models.network import ReidNetwork

__all__ = ["Teacher"]


class Teacher:
    """The running mean of a network over a stage's steps; at the stage's end it is the result.

    It looks at the pictures of a batch as they are, while the network in training sees them changed. Its batch
    normalisation goes by the batch; running statistics follow the network's.

    Args:
        network: In training, as the stage takes it up.
        how: The recipe's way.
    """

    def __init__(self, network: ReidNetwork, how: MeanTeacher) -> None:
        self._network = copy.deepcopy(network).requires_grad_(requires_grad=False)
        self._how = how
        for module in self._network.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.momentum = 0.0
        self._network.train()

    @property
    def speaks(self) -> bool:
        """Whether the network in training hears from it; else it is the mean and nothing more."""
        return bool(self._how.consistency or self._how.instance)

    def look(self, pictures: torch.Tensor) -> torch.Tensor:
        """Its vectors of a batch, L2-normalised. Shape ``(B, d)``."""
        with torch.no_grad():
            return functional.normalize(self._network(pictures).float(), dim=1)

    def loss(self, vectors: torch.Tensor, taught: torch.Tensor, batch: Batch) -> torch.Tensor:
        """See `consistency_loss` and `hard_instance_loss`; a scalar."""
        how, unit = self._how, functional.normalize(vectors, dim=1)
        loss = how.consistency * consistency_loss(unit, taught, temperature=how.temperature)
        if how.instance:
            labels = torch.from_numpy(batch.labels).to(vectors.device)
            near = hard_instance_loss(unit, taught, labels, temperature=how.instance_temperature)
            loss = loss + how.instance * near
        return loss

    def follow(self, network: ReidNetwork, steps: int) -> None:
        """Move towards a network that has done so many steps, the one just done counted; at first in great strides.

        Source:
            Tarvainen and Valpola, NeurIPS 2017.
        """
        keep = min(self._how.keep, 1 - 1 / (steps + 1))
        now = network.state_dict()
        with torch.no_grad():
            for name, tensor in self._network.state_dict().items():
                if tensor.is_floating_point():
                    tensor.lerp_(now[name], 1 - keep)
                else:
                    tensor.copy_(now[name])

    def memory(self) -> Mapping[str, torch.Tensor]:
        """Its weights and statistics."""
        return self._network.state_dict()

    def restore(self, memory: Mapping[str, torch.Tensor]) -> None:
        """Take weights and statistics back."""
        self._network.load_state_dict(dict(memory))
