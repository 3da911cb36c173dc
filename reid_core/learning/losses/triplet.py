"""The batch-hard triplet loss: for every picture its farthest own and its nearest other."""

from __future__ import annotations

import torch
from torch.nn import functional

__all__ = ["batch_hard_loss"]


def batch_hard_loss(vectors: torch.Tensor, labels: torch.Tensor, *, margin: float | None = 0.3) -> torch.Tensor:
    """Mean over anchors of ``[margin + farthest positive - nearest negative]``, Euclidean, cut off at 0.

    An anchor counts as its own positive at distance 0. An anchor without a negative adds nothing.

    Args:
        vectors: As the network gives them; normalised or not. Shape ``(B, d)``.
        labels: Equal for pictures of one class. Shape ``(B,)``, integer.
        margin: In units of distance; ``None`` is the soft margin ``log(1 + exp(.))``, which never stops pulling.

    Returns:
        A scalar.

    Raises:
        ValueError: If lengths differ or a margin is negative.

    Source:
        Xie et al. (TASTR), Eq. 1; Hermans et al., arXiv 1703.07737, Eq. 5. Witnessed by three nested loops in its test.
    """
    if vectors.ndim != 2 or labels.shape != vectors.shape[:1]:
        raise ValueError(f"vectors {tuple(vectors.shape)} and labels {tuple(labels.shape)} do not fit")
    if margin is not None and margin < 0:
        raise ValueError(f"a margin is at least 0, got {margin}")
    if not len(vectors):
        return vectors.sum()
    distances = _distances(vectors)
    same = labels[:, None] == labels[None, :]
    farthest = distances.masked_fill(~same, 0.0).amax(1)
    nearest = distances.masked_fill(same, float("inf")).amin(1)
    has_negative = torch.isfinite(nearest)
    short = farthest[has_negative] - nearest[has_negative]
    each = functional.softplus(short) if margin is None else functional.relu(short + margin)
    return each.sum() / len(vectors)


def _distances(vectors: torch.Tensor) -> torch.Tensor:
    """Euclidean, with a gradient of 0 where two are equal. Shape ``(B, B)``."""
    squares = (vectors**2).sum(1)
    squared = squares[:, None] + squares[None, :] - 2 * vectors @ vectors.T
    return squared.clamp(min=1e-12).sqrt()
