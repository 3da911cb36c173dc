"""Tell the weights of pairs what their gaps have shown about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import expit, logit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["recalibrate"]

_STEPS: Final = 25
_LEAST: Final = 1e-3
_PRIOR_SHIFT: Final = 1.0
_PRIOR_SLOPE: Final = 0.3


def recalibrate(weights: NDArray[np.float64], posterior: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shift and stretch the weights' log-odds until they are what posteriors are on average.

    Looks may be over- or underconfident as a whole; which of two pairs looks better stays as it was. A logistic
    regression of the posteriors on the log-odds of the weights, held near "no change" by a normal prior.

    Args:
        weights: From looks alone, in ``[0, 1]``. Shape ``(P,)``.
        posterior: The same pairs' probabilities by looks and gaps. Shape ``(P,)``.

    Returns:
        New weights. Shape ``(P,)``.

    Raises:
        ValueError: If the lengths differ.
    """
    if weights.shape != posterior.shape:
        raise ValueError(f"{weights.shape} weights and {posterior.shape} posteriors do not fit")
    if not len(weights):
        return weights
    odds = logit(np.clip(weights, _LEAST, 1 - _LEAST))
    design = np.column_stack([np.ones(len(odds)), odds])
    expected = np.array([0.0, 1.0])
    precision = np.diag([1 / _PRIOR_SHIFT**2, 1 / _PRIOR_SLOPE**2])
    found = expected.copy()
    for _ in range(_STEPS):
        now = expit(design @ found)
        gradient = design.T @ (posterior - now) - precision @ (found - expected)
        curvature = (design * (now * (1 - now))[:, None]).T @ design + precision
        found = found + np.linalg.solve(curvature, gradient)
    renewed: NDArray[np.float64] = expit(design @ found)
    return renewed
