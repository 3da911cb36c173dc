"""What a running mean of the network says of a batch: how alike its pictures are, and which of a class is hardest."""

from __future__ import annotations

import torch

__all__ = ["consistency_loss", "hard_instance_loss"]

_NEVER = -1e4


def consistency_loss(vectors: torch.Tensor, taught: torch.Tensor, *, temperature: float) -> torch.Tensor:
    """How far the network's likeness of each picture to the others is from the teacher's.

    Args:
        vectors: Of the network in training, L2-normalised. Shape ``(B, d)``.
        taught: Of the teacher, for the same pictures, L2-normalised. Shape ``(B, d)``.
        temperature: Divides the cosines, above 0.

    Returns:
        The mean Kullback-Leibler divergence of two softmaxes over the teacher's vectors of all other pictures, at
        least 0; 0 for fewer than three pictures, of which each has but one other.

    Raises:
        ValueError: If shapes differ or the temperature is not above 0.

    Source:
        Chen et al. (ICE), ICCV 2021, soft instance consistency; a mean teacher's soft labels as in Ge et al. (MMT),
        ICLR 2020.
    """
    _require_fitting(vectors, taught, temperature)
    itself = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    told = torch.log_softmax((taught @ taught.T / temperature).masked_fill(itself, _NEVER), dim=1)
    found = torch.log_softmax((vectors @ taught.T / temperature).masked_fill(itself, _NEVER), dim=1)
    return (told.exp() * (told - found)).sum() / max(1, len(vectors))


def hard_instance_loss(
    vectors: torch.Tensor, taught: torch.Tensor, labels: torch.Tensor, *, temperature: float
) -> torch.Tensor:
    """Each picture is drawn to the least like of the teacher's pictures of its class, away from those of others.

    Args:
        vectors: Of the network in training, L2-normalised. Shape ``(B, d)``.
        taught: Of the teacher, for the same pictures, L2-normalised. Shape ``(B, d)``.
        labels: Equal for pictures of one class. Shape ``(B,)``, int64.
        temperature: Divides the cosines, above 0.

    Returns:
        The mean over pictures.

    Raises:
        ValueError: If shapes differ or the temperature is not above 0.

    Source:
        Chen et al. (ICE), ICCV 2021, hard instance contrast.
    """
    _require_fitting(vectors, taught, temperature)
    logits = vectors @ taught.T / temperature
    same = labels[:, None] == labels[None, :]
    hardest = logits.masked_fill(~same, -_NEVER).amin(1)
    others = torch.cat([hardest[:, None], logits.masked_fill(same, _NEVER)], dim=1)
    return (torch.logsumexp(others, dim=1) - hardest).sum() / max(1, len(vectors))


def _require_fitting(vectors: torch.Tensor, taught: torch.Tensor, temperature: float) -> None:
    if vectors.shape != taught.shape:
        raise ValueError(f"vectors {tuple(vectors.shape)} and the teacher's {tuple(taught.shape)} do not fit")
    if not temperature > 0:
        raise ValueError(f"a temperature is above 0, got {temperature}")
