"""G-Fusion's graph loss: what the network finds alike, camera by camera, against what the graph holds to be alike."""

from __future__ import annotations

from dataclasses import dataclass

import torch

__all__ = ["Taught", "distillation_loss", "distillation_loss_among_all"]

_NEVER = -1e4


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """What the graph says of the pictures of a batch; lists of different lengths are filled up with absent entries.

    Attributes:
        columns: Nodes that are neighbours of a picture's node, the node itself among them. Shape ``(B, K)``, int64.
        cameras: Of those nodes. Shape ``(B, K)``, int64.
        weights: Affinity over the largest one of the same camera, in ``[0, 1]``. Shape ``(B, K)``.
        present: False for entries that only fill up. Shape ``(B, K)``, bool.
    """

    columns: torch.Tensor
    cameras: torch.Tensor
    weights: torch.Tensor
    present: torch.Tensor


def distillation_loss(
    vectors: torch.Tensor, bank: torch.Tensor, taught: Taught, *, cameras: int, temperature: float = 0.05
) -> torch.Tensor:
    """Cross-entropy of each picture's softmax over its neighbours, camera by camera, against the graph's affinities.

    Args:
        vectors: L2-normalised. Shape ``(B, d)``.
        bank: Memory of all nodes, L2-normalised. Shape ``(N, d)``.
        taught: The neighbours of each picture and what they are worth.
        cameras: How many there are.
        temperature: Divides the cosines, above 0.

    Returns:
        The mean over pictures of the sum over cameras and neighbours.

    Raises:
        ValueError: If shapes do not fit or the temperature is not above 0.

    Source:
        Zhang et al. (G-Fusion), MM 2023, Eq. 12-13.
    """
    logits = _cosines(vectors, bank, taught, temperature)
    numbers = torch.arange(cameras, device=vectors.device)[None, :, None]
    elsewhere = (taught.cameras[:, None, :] != numbers) | ~taught.present[:, None, :]
    sums = torch.logsumexp(logits[:, None, :].masked_fill(elsewhere, _NEVER), dim=2)
    return _cross_entropy(logits, sums, taught)


def distillation_loss_among_all(
    vectors: torch.Tensor, bank: torch.Tensor, taught: Taught, *, bank_cameras: torch.Tensor, temperature: float = 0.05
) -> torch.Tensor:
    """As `distillation_loss`, but each camera's softmax goes over all nodes of that camera, neighbours or not.

    Where neighbours alone are compared, a neighbour without a rival of its camera teaches nothing, and nobody is ever
    pushed away who is not near already.

    Args:
        vectors: L2-normalised. Shape ``(B, d)``.
        bank: Memory of all nodes, L2-normalised. Shape ``(N, d)``.
        taught: The neighbours of each picture and what they are worth.
        bank_cameras: Of all nodes. Shape ``(N,)``, int64.
        temperature: Divides the cosines, above 0.

    Raises:
        ValueError: If shapes do not fit or the temperature is not above 0.
    """
    logits = _cosines(vectors, bank, taught, temperature)
    every = vectors @ bank.T / temperature
    count = int(bank_cameras.max()) + 1 if len(bank_cameras) else 0
    sums = torch.stack(
        [torch.logsumexp(every.masked_fill((bank_cameras != one)[None, :], _NEVER), dim=1) for one in range(count)],
        dim=1,
    )
    return _cross_entropy(logits, sums, taught)


def _cosines(vectors: torch.Tensor, bank: torch.Tensor, taught: Taught, temperature: float) -> torch.Tensor:
    """Of each picture and its neighbours, over the temperature. Shape ``(B, K)``."""
    if taught.columns.shape[:1] != vectors.shape[:1] or vectors.shape[1:] != bank.shape[1:]:
        shapes = f"{tuple(vectors.shape)}, {tuple(bank.shape)} and {tuple(taught.columns.shape)}"
        raise ValueError(f"vectors, bank and neighbours of shapes {shapes} do not fit")
    if not temperature > 0:
        raise ValueError(f"a temperature is above 0, got {temperature}")
    return torch.einsum("bd,bkd->bk", vectors, bank[taught.columns]) / temperature


def _cross_entropy(logits: torch.Tensor, sums: torch.Tensor, taught: Taught) -> torch.Tensor:
    """Weighted by what neighbours are worth; ``sums`` are the log-sums of each camera, shape ``(B, cameras)``."""
    log_shares = logits - sums.gather(1, taught.cameras)
    worth = torch.where(taught.present, taught.weights, torch.zeros_like(taught.weights))
    return -(worth * log_shares).sum() / max(1, len(logits))
