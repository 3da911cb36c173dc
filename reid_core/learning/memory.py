"""A vector for every node that follows what the network makes of its pictures."""

from __future__ import annotations

import torch
from torch.nn import functional

__all__ = ["MemoryBank"]


class MemoryBank:
    """Running vectors of length 1.

    Args:
        vectors: Where they begin; of any length. Shape ``(N, d)``.
        keep: Share of the OLD vector that a visit leaves, in ``[0, 1)``.

    Raises:
        ValueError: If ``keep`` is out of range.

    Source:
        G-Fusion, MM 2023, Eq. 14. Length 1 is ours: softmaxes compare entries that were visited and others.
    """

    def __init__(self, vectors: torch.Tensor, *, keep: float) -> None:
        if not 0 <= keep < 1:
            raise ValueError(f"a visit leaves a share in [0, 1) of a vector, got {keep}")
        self.vectors = functional.normalize(vectors.float(), dim=1)
        self._keep = keep

    def visit(self, rows: torch.Tensor, seen: torch.Tensor) -> None:
        """Move the vectors of some rows towards the mean of what was seen of each.

        Args:
            rows: May name a row several times. Shape ``(B,)``, int64.
            seen: L2-normalised. Shape ``(B, d)``.
        """
        visited, place = torch.unique(rows, return_inverse=True)
        sums = torch.zeros(len(visited), seen.shape[1], device=seen.device).index_add_(0, place, seen.float())
        mean = functional.normalize(sums, dim=1)
        old = self.vectors[visited]
        self.vectors[visited] = functional.normalize(self._keep * old + (1 - self._keep) * mean, dim=1)

    def restore(self, vectors: torch.Tensor) -> None:
        """Take stored vectors back."""
        self.vectors = vectors.to(self.vectors.device).clone()
