"""Edges by looks and by time, weighted by looks: the adjacency of G-Fusion's graph, sparse.

Source:
    Zhang et al., "Graph based Spatial-temporal Fusion for Multi-modal Person Re-identification", MM 2023, Eq. 1-6.
    An affinity counts only among the k_l most alike, so lists of those say all that the paper's N x N matrices say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array
from scipy.special import expit

if TYPE_CHECKING:
    from reid_core.graph.neighbours import Neighbours
    from reid_core.types import FloatArray

__all__ = ["EdgeRule", "PairNats", "gaussian_affinity", "graph_edges", "row_normalised", "soft_edges", "symmetric"]

EdgeRule: TypeAlias = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]
"""Of pairs of rows and columns, which may be joined for their times. Shapes ``(P,)``, ``(P,)`` to ``(P,)``."""

PairNats: TypeAlias = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]]
"""Evidence of time for pairs of rows and columns, in nats. Shapes ``(P,)``, ``(P,)`` to ``(P,)``."""

_NO_EDGE = 1e-3


def gaussian_affinity(cosines: FloatArray, *, alpha: float = 1.0) -> FloatArray:
    """Gaussian of the distance of unit vectors with these cosines, in ``(0, 1]`` (Eq. 2).

    Example:
        >>> gaussian_affinity(np.array([1.0, 0.5])).round(4).tolist()
        [1.0, 0.6065]
    """
    affinity: FloatArray = np.exp((np.minimum(cosines, 1) - 1) / alpha**2)
    return affinity


def graph_edges(
    neighbours: Neighbours, *, columns: int, visual: int = 3, rule: EdgeRule | None = None, alpha: float = 1.0
) -> csr_array:
    """Directed edges: to the few most alike, and to those of all neighbours that the rule allows (Eq. 4, 5).

    Args:
        neighbours: The k_l most alike of each row, itself among them if it is a column too.
        columns: How many nodes there are to be joined to.
        visual: k_s, joined for their looks alone; the node itself counts.
        rule: Says which pairs fit in time; without one time is left out.
        alpha: Of the Gaussian.

    Returns:
        Affinities. Shape ``(len(neighbours), columns)``, float32.

    Raises:
        ValueError: If ``visual`` is below 1.
    """
    if visual < 1:
        raise ValueError(f"a node needs 1 visual neighbour or more, got {visual}")
    count, k = neighbours.rows.shape
    rows, others = np.repeat(np.arange(count), k), neighbours.rows.ravel()
    kept = np.tile(np.arange(k) < visual, count)
    if rule is not None:
        kept |= rule(rows, others)
    weights = gaussian_affinity(neighbours.cosines.ravel()[kept], alpha=alpha).astype(np.float32)
    return csr_array((weights, (rows[kept], others[kept])), shape=(count, columns))


def soft_edges(
    neighbours: Neighbours, *, columns: int, nats: PairNats, per_nat: float, least: float, softness: float
) -> csr_array:
    """Directed edges that weigh more the more looks and time speak for one person, instead of being in or out.

    Args:
        neighbours: The most alike of each row.
        columns: How many nodes there are to be joined to.
        nats: Evidence of time for pairs.
        per_nat: Cosine that a nat is worth.
        least: Cosine and time together at which an edge weighs a half.
        softness: How slowly weights rise around that, above 0.

    Returns:
        Weights in ``(0, 1]``; those below 0.001 are left out. Shape ``(len(neighbours), columns)``, float32.
    """
    count, k = neighbours.rows.shape
    rows, others = np.repeat(np.arange(count), k), neighbours.rows.ravel()
    fused = neighbours.cosines.ravel() + per_nat * nats(rows, others)
    weights = expit((fused - least) / softness).astype(np.float32)
    kept = weights >= _NO_EDGE
    return csr_array((weights[kept], (rows[kept], others[kept])), shape=(count, columns))


def symmetric(edges: csr_array) -> csr_array:
    """The mean of both directions (Eq. 6)."""
    return csr_array((edges + edges.T) / 2)


def row_normalised(adjacency: csr_array) -> csr_array:
    """Rows that sum to one; a row without edges stays empty.

    The paper writes ``D^-1 A*`` with D the degree of A and says that it is "normalised by row normalisation"; the
    degree of A* is what makes rows sum to one.
    """
    degrees = np.asarray(adjacency.sum(axis=1), np.float64)
    shares = np.divide(1.0, degrees, out=np.zeros_like(degrees), where=degrees > 0)
    return csr_array(diags_array(shares.astype(np.float32)) @ adjacency)
