"""The same propagation with torch's sparse products, for a GPU: the numbers of `reid_core.graph.propagation`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from reid_core.graph.propagation import require_fitting

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from reid_core.graph.propagation import RandomProjection
    from reid_core.types import FloatArray

__all__ = ["propagate_on"]


def propagate_on(
    device: str,
    adjacency: csr_array,
    features: FloatArray,
    *,
    layers: int = 2,
    projection: RandomProjection | None = None,
) -> list[FloatArray]:
    """Embeddings of every layer, those put in first; see `reid_core.graph.propagation.propagate`.

    Args:
        device: As torch names it, such as ``cuda``.
        adjacency: Rows sum to one. Shape ``(N, N)``.
        features: Shape ``(N, d)``.
        layers: How often neighbours are asked.
        projection: Applied after each layer; none leaves embeddings among the features.

    Raises:
        ValueError: If shapes do not fit or there is no layer.
    """
    require_fitting(adjacency, features, layers=layers)
    edges = _on(device, adjacency)
    heard = torch.from_numpy(np.asarray(features, np.float32)).to(device)
    embedded = [heard]
    for layer in range(1, layers + 1):
        heard = edges @ heard
        if projection is not None:
            weights = torch.from_numpy(projection.weights(heard.shape[1], layer=layer)).to(device)
            heard = torch.relu(heard @ weights)
        embedded.append(heard)
    return [layer.cpu().numpy() for layer in embedded]


def _on(device: str, adjacency: csr_array) -> torch.Tensor:
    """Coordinates instead of compressed rows: torch's CSR is marked as beta and says so at every use."""
    entries = adjacency.tocoo()
    places = torch.from_numpy(np.stack([entries.row, entries.col]).astype(np.int64))
    values = torch.from_numpy(entries.data.astype(np.float32))
    sparse = torch.sparse_coo_tensor(places, values, adjacency.shape, check_invariants=True)
    return sparse.coalesce().to(device)
