"""A softmax over tracklets as classes, with weighted positives and with classes that are left out."""

from __future__ import annotations

import torch

__all__ = ["proxy_loss"]

_NEVER = -1e4


def proxy_loss(
    vectors: torch.Tensor,
    proxies: torch.Tensor,
    positives: torch.Tensor,
    ignored: torch.Tensor,
    *,
    temperature: float,
) -> torch.Tensor:
    """Cross-entropy of each vector's softmax over the proxies against its positives' weights.

    Args:
        vectors: L2-normalised. Shape ``(B, d)``.
        proxies: L2-normalised. Shape ``(N, d)``.
        positives: Weights of each vector's proxies, at least 0; every row has one above 0. Shape ``(B, N)``.
        ignored: True for proxies that take no part in a vector's softmax. Shape ``(B, N)``.
        temperature: Divides the cosines, above 0.

    Returns:
        The mean over vectors.

    Raises:
        ValueError: If shapes do not fit or the temperature is not above 0.

    Source:
        Soft-label form of the camera-aware proxies of Wang et al. (CAP), AAAI 2021; memory as in Ge et al. (SpCL).
    """
    if positives.shape != (len(vectors), len(proxies)) or ignored.shape != positives.shape:
        shapes = f"{tuple(positives.shape)} and {tuple(ignored.shape)}"
        raise ValueError(f"positives and ignored must have shape ({len(vectors)}, {len(proxies)}), got {shapes}")
    if not temperature > 0:
        raise ValueError(f"a temperature is above 0, got {temperature}")
    logits = (vectors @ proxies.T / temperature).masked_fill(ignored, _NEVER)
    log_shares = torch.log_softmax(logits, dim=1)
    each = -(positives * log_shares).sum(1) / positives.sum(1)
    return each.mean()
