"""How sure a candidate pair is, given everybody else whom each of its two tracklets might be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logsumexp

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["any_match_log_odds", "pair_posteriors", "share_seen_again"]

_ROUNDS = 100
_LEAST, _MOST = 0.02, 0.98
_SETTLED = 1e-4


def share_seen_again(evidence: NDArray[np.float64], candidates: int) -> float:
    """What share of tracklets has its person among another camera's tracklets: a prior fitted to the evidence itself.

    Args:
        evidence: For each tracklet, the logarithm of the sum of its candidates' likelihood ratios; minus infinity
            where no candidate is possible. Shape ``(n,)``.
        candidates: How many candidates each had.

    Returns:
        In ``[0.02, 0.98]``; one half where nothing can be told.

    Source:
        Expectation maximisation of the one weight of a mixture: "the person is one of the candidates" against "is not".
    """
    if not len(evidence) or not candidates:
        return 0.5
    share = 0.5
    for _ in range(_ROUNDS):
        expected = float(expit(any_match_log_odds(evidence, candidates, share)).mean())
        renewed = min(max(expected, _LEAST), _MOST)
        if abs(renewed - share) < _SETTLED:
            return renewed
        share = renewed
    return share


def any_match_log_odds(evidence: NDArray[np.float64], candidates: int, share: float) -> NDArray[np.float64]:
    """Log-odds that any candidate is the person. Shapes ``(n,)`` to ``(n,)``; see `share_seen_again`."""
    odds: NDArray[np.float64] = evidence - np.log(candidates) + np.log(share) - np.log1p(-share)
    return odds


def pair_posteriors(
    llr: NDArray[np.float64],
    row_evidence: NDArray[np.float64],
    column_evidence: NDArray[np.float64],
    *,
    shape: tuple[int, int],
    shares: tuple[float, float],
) -> NDArray[np.float64]:
    """Probability that each pair is one person, if a tracklet has at most one counterpart in the other camera.

    Seen from either side the others compete; the less sure side counts. So people who look alike and come at the same
    time halve each other's certainty, and so do two pieces of one broken track.

    Args:
        llr: Log-likelihood ratios of the pairs in nats. Shape ``(P,)``.
        row_evidence: Of each pair's row, as in `share_seen_again`. Shape ``(P,)``.
        column_evidence: Of each pair's column. Shape ``(P,)``.
        shape: How many rows and columns the two cameras have.
        shares: `share_seen_again` of the rows and of the columns.

    Returns:
        In ``[0, 1]``. Shape ``(P,)``.

    Example:
        >>> alone = np.array([2.0])  # one candidate on either side, as likely as not to be there
        >>> pair_posteriors(alone, alone, alone, shape=(1, 1), shares=(0.5, 0.5)).round(4)  # 1 / (1 + exp(-2))
        array([0.8808])
    """
    rows = _one_sided(llr, row_evidence, shape[1], shares[0])
    columns = _one_sided(llr, column_evidence, shape[0], shares[1])
    return np.minimum(rows, columns)


def _one_sided(
    llr: NDArray[np.float64], evidence: NDArray[np.float64], candidates: int, share: float
) -> NDArray[np.float64]:
    """The pair against all candidates and against nobody."""
    prior = np.log(share) - np.log(candidates)
    nobody = np.full_like(evidence, np.log1p(-share))
    total = logsumexp(np.stack([evidence + prior, nobody]), axis=0)
    share_of_all: NDArray[np.float64] = np.exp(llr + prior - total)
    return np.minimum(share_of_all, 1.0)
