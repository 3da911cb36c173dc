"""Contrast with clusters: a softmax over their centres, and one over proxies of a cluster's other cameras."""

from __future__ import annotations

import torch
from torch.nn import functional

__all__ = ["centre_loss", "cross_camera_loss"]

_NEVER = -1e4


def centre_loss(
    vectors: torch.Tensor, centres: torch.Tensor, classes: torch.Tensor, *, temperature: float
) -> torch.Tensor:
    """Mean cross-entropy of each vector's softmax over all centres against its own class.

    Args:
        vectors: L2-normalised. Shape ``(B, d)``.
        centres: L2-normalised. Shape ``(C, d)``.
        classes: Of the vectors. Shape ``(B,)``, int64.
        temperature: Divides the cosines, above 0.

    Raises:
        ValueError: If the temperature is not above 0.

    Source:
        Dai et al. (Cluster Contrast), ACCV 2022; outliers as classes as in SpCL (Ge et al., NeurIPS 2020).
    """
    _require_above_zero(temperature)
    return functional.cross_entropy(vectors @ centres.T / temperature, classes)


def cross_camera_loss(
    vectors: torch.Tensor,
    proxies: torch.Tensor,
    positives: torch.Tensor,
    negatives: torch.Tensor,
    *,
    hardest: int,
    temperature: float,
) -> torch.Tensor:
    """Each vector is drawn to the proxies of its class at other cameras, away from the nearest proxies of others.

    Args:
        vectors: L2-normalised. Shape ``(B, d)``.
        proxies: One for each class and camera, L2-normalised. Shape ``(P, d)``.
        positives: True for proxies of the vector's class at other cameras. Shape ``(B, P)``, bool.
        negatives: True for proxies of other classes. Shape ``(B, P)``, bool.
        hardest: So many of the nearest negatives take part, at least 1.
        temperature: Divides the cosines, above 0.

    Returns:
        The mean over vectors; one without a positive counts as 0.

    Raises:
        ValueError: If the temperature is not above 0, or ``hardest`` below 1.

    Source:
        Wang et al. (CAP), AAAI 2021, inter-camera loss; Chen et al. (ICE), ICCV 2021, cross-camera proxies.
    """
    _require_above_zero(temperature)
    if hardest < 1:
        raise ValueError(f"1 negative or more takes part, got {hardest}")
    logits = vectors @ proxies.T / temperature
    near = logits.masked_fill(~negatives, _NEVER).topk(min(hardest, logits.shape[1]), dim=1).values
    own = logits.masked_fill(~positives, _NEVER)
    below = torch.logsumexp(torch.cat([own, near], dim=1), dim=1)
    shares = torch.where(positives, logits - below[:, None], torch.zeros_like(logits))
    each = -shares.sum(1) / positives.sum(1).clamp(min=1)
    return each.sum() / max(1, len(each))


def _require_above_zero(temperature: float) -> None:
    if not temperature > 0:
        raise ValueError(f"a temperature is above 0, got {temperature}")
