"""What neighbours tell: each node's embedding becomes the weighted mean of its neighbours', layer by layer.

Source:
    G-Fusion, MM 2023, Eq. 7, 15 and 16; GraphSAGE's GCN form (Hamilton et al., NeurIPS 2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array, diags_array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from reid_core.types import FloatArray

__all__ = ["Attachment", "RandomProjection", "attach", "propagate", "propagate_attached", "require_fitting"]


@dataclass(frozen=True, slots=True)
class RandomProjection:
    """The paper's untrained W with ReLU: Gaussian, drawn anew for each layer.

    Figures depend on the seed: report their spread over several.

    Attributes:
        seed: 0 or more.
        width: Length of the projected embeddings.
    """

    seed: int
    width: int = 1024

    def weights(self, dim: int, *, layer: int) -> FloatArray:
        """W of a layer (from 1) whose features have ``dim`` values. Shape ``(dim, width)``."""
        rng = np.random.default_rng([self.seed, layer])
        return rng.standard_normal((dim, self.width), np.float32) / np.float32(np.sqrt(dim))

    def project(self, features: FloatArray, *, layer: int) -> FloatArray:
        """The features of a layer, projected; negative values become 0. Shape ``(N, width)``."""
        projected: FloatArray = np.maximum(features @ self.weights(features.shape[1], layer=layer), 0)
        return projected


@dataclass(frozen=True, slots=True, eq=False)
class Attachment:
    """Queries as new nodes of a graph: they hear its nodes and themselves, and nobody hears them.

    Attributes:
        edges: Shares of the graph's nodes. Shape ``(Q, G)``.
        own: Share of the query itself; rows and it sum to one. Shape ``(Q,)``.
    """

    edges: csr_array
    own: NDArray[np.float32]


def propagate(
    adjacency: csr_array, features: FloatArray, *, layers: int = 2, projection: RandomProjection | None = None
) -> list[FloatArray]:
    """Embeddings of every layer, those put in first.

    Args:
        adjacency: Rows sum to one. Shape ``(N, N)``.
        features: Shape ``(N, d)``.
        layers: How often neighbours are asked.
        projection: Applied after each layer; none leaves embeddings among the features.

    Raises:
        ValueError: If shapes do not fit or there is no layer.
    """
    require_fitting(adjacency, features, layers=layers)
    embedded = [np.asarray(features, np.float32)]
    for layer in range(1, layers + 1):
        heard = np.asarray(adjacency @ embedded[-1], np.float32)
        embedded.append(heard if projection is None else projection.project(heard, layer=layer))
    return embedded


def require_fitting(adjacency: csr_array, features: FloatArray, *, layers: int) -> None:
    """Refuse what cannot be propagated.

    Raises:
        ValueError: If shapes do not fit or there is no layer.
    """
    if adjacency.shape != (len(features), len(features)):
        raise ValueError(f"adjacency {adjacency.shape} does not fit {len(features)} nodes")
    if layers < 1:
        raise ValueError(f"there must be 1 layer or more, got {layers}")


def attach(edges: csr_array) -> Attachment:
    """Attach queries by their edges to a graph's nodes; each is a full neighbour of itself.

    Args:
        edges: Affinities, as `reid_core.graph.affinity.graph_edges` makes them. Shape ``(Q, G)``.
    """
    own = (1 / (1 + np.asarray(edges.sum(axis=1), np.float64))).astype(np.float32)
    return Attachment(csr_array(diags_array(own) @ edges), own)


def propagate_attached(
    attachment: Attachment,
    features: FloatArray,
    nodes: Sequence[FloatArray],
    *,
    projection: RandomProjection | None = None,
) -> FloatArray:
    """Embeddings of attached queries in the last layer of a graph.

    Args:
        attachment: How they are attached.
        features: Of the queries. Shape ``(Q, d)``.
        nodes: Embeddings of the graph's nodes in every layer, as `propagate` answers them.
        projection: The one that the nodes were propagated with.

    Raises:
        ValueError: If shapes do not fit.
    """
    if attachment.edges.shape != (len(features), len(nodes[0])):
        raise ValueError(
            f"edges {attachment.edges.shape} join neither {len(features)} queries nor {len(nodes[0])} nodes"
        )
    embedded = np.asarray(features, np.float32)
    for layer, heard in enumerate(nodes[:-1], start=1):
        embedded = np.asarray(attachment.edges @ heard, np.float32) + attachment.own[:, None] * embedded
        if projection is not None:
            embedded = projection.project(embedded, layer=layer)
    return embedded
