"""What a stage minimises, together with whatever it remembers from step to step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from reid_core.learning.batches import joined_labels
from reid_core.learning.losses.proxies import proxy_loss
from reid_core.learning.losses.triplet import batch_hard_loss
from reid_core.learning.memory import MemoryBank

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from reid_core.learning.batches import Batch
    from reid_core.learning.relations import Relations

__all__ = ["BatchHard", "Objective", "Proxies"]


class Objective(Protocol):
    """A loss and its memory."""

    def loss(self, vectors: torch.Tensor, batch: Batch) -> torch.Tensor:
        """A scalar to bring down."""
        ...

    def remember(self, vectors: torch.Tensor, batch: Batch) -> None:
        """Take note of what the network made of a batch, after its step."""
        ...

    def memory(self) -> Mapping[str, torch.Tensor]:
        """What is remembered, for a checkpoint."""
        ...

    def restore(self, memory: Mapping[str, torch.Tensor]) -> None:
        """Inverse of `memory`."""
        ...


class BatchHard:
    """The batch-hard triplet loss over the batch's classes; it remembers nothing.

    Args:
        margin: In units of distance; ``None`` = soft.
        groups: Tracklets that are known to be one person have one number; classes that hold such are one class.
            Shape ``(N,)``; ``None``: nothing is known.
    """

    def __init__(self, *, margin: float | None, groups: NDArray[np.int64] | None = None) -> None:
        self._margin, self._groups = margin, groups

    def loss(self, vectors: torch.Tensor, batch: Batch) -> torch.Tensor:
        """See `batch_hard_loss`."""
        classes = batch.labels if self._groups is None else joined_labels(batch, self._groups)
        labels = torch.from_numpy(classes).to(vectors.device)
        return batch_hard_loss(vectors, labels, margin=self._margin)

    def remember(self, vectors: torch.Tensor, batch: Batch) -> None:
        """There is nothing to remember."""

    def memory(self) -> Mapping[str, torch.Tensor]:
        """Empty."""
        return {}

    def restore(self, memory: Mapping[str, torch.Tensor]) -> None:
        """There is nothing to restore."""


class Proxies:
    """Every tracklet's running vector is a class; pictures are drawn to their own and their associates'.

    Args:
        vectors: Where the running vectors begin: the network's vectors of all tracklets. Shape ``(N, d)``.
        relations: Whose proxies are a tracklet's own, and whose say nothing about it.
        temperature: Of the softmax.
        keep: Share of a running vector that a step leaves, in ``[0, 1)``.
    """

    def __init__(
        self,
        vectors: torch.Tensor,
        relations: Relations,
        *,
        temperature: float,
        keep: float = 0.5,
    ) -> None:
        self._bank = MemoryBank(vectors, keep=keep)
        self._relations, self._temperature = relations, temperature

    def loss(self, vectors: torch.Tensor, batch: Batch) -> torch.Tensor:
        """See `proxy_loss`."""
        rows, place = np.unique(batch.rows, return_inverse=True)
        known = [torch.from_numpy(part[place]).to(vectors.device) for part in self._relations.of(rows)]
        return proxy_loss(vectors, self._bank.vectors, *known, temperature=self._temperature)

    def remember(self, vectors: torch.Tensor, batch: Batch) -> None:
        """Move the proxies of the batch's tracklets towards what was seen of them now."""
        self._bank.visit(torch.from_numpy(batch.rows).to(vectors.device), vectors)

    def memory(self) -> Mapping[str, torch.Tensor]:
        """The running vectors."""
        return {"bank": self._bank.vectors}

    def restore(self, memory: Mapping[str, torch.Tensor]) -> None:
        """Take the running vectors back."""
        self._bank.restore(memory["bank"])
