"""The learning rate over a stage, as a share of its peak."""

from __future__ import annotations

import math

__all__ = ["rate_at"]

_LEAST = 0.02


def rate_at(iteration: int, iterations: int, *, decay: str, warm_up: int) -> float:
    """Share of the peak rate at an iteration.

    Args:
        iteration: From 0.
        iterations: Of the stage, at least 1.
        decay: ``cosine``: half a cosine down to a fiftieth; ``steps``: a tenth at each fifth of the stage but the first
            (epochs 10, 20, 30 and 40 of 50 in the authors' code).
        warm_up: Iterations over which the rate rises in a line.

    Raises:
        ValueError: If ``decay`` is neither.

    Example:
        >>> [round(rate_at(i, 100, decay="steps", warm_up=0), 4) for i in (0, 19, 20, 40, 99)]
        [1.0, 1.0, 0.1, 0.01, 0.0001]
        >>> [round(rate_at(i, 100, decay="cosine", warm_up=10), 2) for i in (0, 9, 50, 99)]
        [0.1, 0.98, 0.5, 0.02]
    """
    rise = min(1.0, (iteration + 1) / warm_up) if warm_up else 1.0
    if decay == "steps":
        return rise * 0.1 ** (5 * iteration // iterations)
    if decay == "cosine":
        return rise * max(_LEAST, 0.5 * (1 + math.cos(math.pi * iteration / iterations)))
    raise ValueError(f"decay is 'cosine' or 'steps', not {decay!r}")
