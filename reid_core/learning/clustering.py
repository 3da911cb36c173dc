"""Tracklets to clusters: DBSCAN on Jaccard distances of reciprocal neighbours, all of it sparse.

No N x N matrix: a row of distances at a time, of which only the near ones are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from reid_core.graph.reciprocal_encoding import ReciprocalSettings, encode, jaccard_row

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.association.known_links import KnownLinks
    from reid_core.learning.learner_parts import Clustering
    from reid_core.types import FloatArray

__all__ = ["NO_CLUSTER", "classes_of", "cluster_tracklets", "density_clusters", "near_by_jaccard", "pairs_of_clusters"]

NO_CLUSTER = -1


def cluster_tracklets(looks: FloatArray, how: Clustering, known: KnownLinks) -> NDArray[np.int64]:
    """The cluster of each tracklet, -1 for outliers; what people said stands above looks.

    Args:
        looks: L2-normalised. Shape ``(N, d)``.
        how: The recipe's way.
        known: Confirmed pairs share a cluster; of a rejected pair the one that fits its cluster less leaves it.

    Returns:
        Clusters count from 0. Shape ``(N,)``, int64.

    Raises:
        ValueError: If a vector is not of length 1, or a setting is out of range.
    """
    near = near_by_jaccard(looks, how)
    labels = density_clusters(near, fewest=how.fewest)
    return _parted(_united(labels, known), near, known)


def near_by_jaccard(looks: FloatArray, how: Clustering) -> csr_array:
    """How alike all pairs are that are near enough: one minus their Jaccard distance.

    Weights of reciprocal neighbours fall with their squared distance as it is, not over the largest of the row.

    Args:
        looks: L2-normalised. Shape ``(N, d)``.
        how: Sizes of neighbourhoods and the distance that is still near.

    Returns:
        Symmetric, every tracklet near itself. Shape ``(N, N)``, float32.

    Raises:
        ValueError: If a vector is not of length 1, or ``eps`` is not in ``(0, 1)``.

    Source:
        Zhong et al., CVPR 2017, as SpCL (Ge et al., NeurIPS 2020) clusters by it.
    """
    if not 0 < how.eps < 1:
        raise ValueError(f"a Jaccard distance that is near lies in (0, 1), got {how.eps}")
    count = len(looks)
    settings = ReciprocalSettings(k1=min(how.k1, max(1, count - 1)), k2=min(how.k2, max(1, count)))
    described = encode(looks.astype(np.float32), np.ones(count, np.float32), settings=settings)
    columns = csr_array(described.T)
    found: list[NDArray[np.int64]] = []
    alike: list[NDArray[np.float32]] = []
    for row in range(count):
        far = jaccard_row(described, row, columns)
        far[row] = 0.0
        found.append(np.flatnonzero(far <= how.eps))
        alike.append((1 - far[found[-1]]).astype(np.float32))
    indptr = np.concatenate([[0], np.cumsum([len(one) for one in found])])
    one_way = csr_array((np.concatenate([*alike, []]), np.concatenate([*found, []]), indptr), shape=(count, count))
    return csr_array(one_way.minimum(one_way.T))  # rounding may let only one of two directions pass


def density_clusters(near: csr_array, *, fewest: int) -> NDArray[np.int64]:
    """DBSCAN over a graph of who is near whom.

    A core has ``fewest`` near ones or more, itself counted. Cores that are near each other are one cluster; whoever is
    near a core but none itself joins the core that it is most like.

    Args:
        near: Symmetric, values above 0 say how alike; the diagonal is full. Shape ``(N, N)``.
        fewest: At least 1.

    Returns:
        Clusters count from 0 in the order of their first member, -1 is nobody's. Shape ``(N,)``, int64.

    Raises:
        ValueError: If ``fewest`` is below 1.

    Example:
        >>> chain = csr_array(np.eye(4) + np.eye(4, k=1) * [[1, 1, 0, 0]] + np.eye(4, k=-1) * [[1, 0, 0, 0]])
        >>> density_clusters(csr_array(chain.maximum(chain.T)), fewest=2).tolist()
        [0, 0, -1, -1]

    Source:
        Ester et al., KDD 1996; who is near two clusters goes to the first found there, to the likest core here.
    """
    if fewest < 1:
        raise ValueError(f"a core has 1 near one or more, got {fewest}")
    core = np.diff(near.indptr) >= fewest
    edges = near.tocoo()
    among = core[edges.row] & core[edges.col]
    links = coo_array((np.ones(int(among.sum())), (edges.row[among], edges.col[among])), shape=near.shape)
    parts = connected_components(links, directed=False)[1].astype(np.int64)
    labels = np.where(core, parts, NO_CLUSTER)
    border = ~core[edges.row] & core[edges.col]
    rows, cores, alike = edges.row[border], edges.col[border], edges.data[border]
    order = np.lexsort((cores, -alike, rows))
    rows, first = np.unique(rows[order], return_index=True)
    labels[rows] = parts[cores[order][first]]
    return _numbered(labels)


def classes_of(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Clusters as classes, and every outlier a class of its own. Shape ``(N,)``.

    Example:
        >>> classes_of(np.array([0, -1, 0, -1])).tolist()
        [0, 1, 0, 2]

    Source:
        SpCL, NeurIPS 2020: un-clustered instances stay in the contrast.
    """
    classes = labels.copy()
    alone = labels == NO_CLUSTER
    classes[alone] = labels.max(initial=NO_CLUSTER) + 1 + np.arange(int(alone.sum()))
    return classes


def pairs_of_clusters(
    labels: NDArray[np.int64], cameras: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs of two cameras that share a cluster, the lower-numbered camera's row first, by cameras and rows.

    Example:
        >>> one, other = pairs_of_clusters(np.array([0, 0, 0, -1, -1]), np.array([1, 0, 0, 0, 1]))
        >>> one.tolist(), other.tolist()
        ([1, 2], [0, 0])
    """
    members = [np.flatnonzero(labels == label) for label in range(int(labels.max(initial=NO_CLUSTER)) + 1)]
    every = [np.stack(np.meshgrid(rows, rows, indexing="ij"), axis=-1).reshape(-1, 2) for rows in members]
    pairs = np.concatenate([np.zeros((0, 2), np.int64), *every])
    pairs = pairs[cameras[pairs[:, 0]] < cameras[pairs[:, 1]]]
    one, other = pairs[np.lexsort((pairs[:, 1], pairs[:, 0], cameras[pairs[:, 1]], cameras[pairs[:, 0]]))].T
    return one, other


def _numbered(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same clusters, counted from 0 in the order of their first member."""
    members = np.flatnonzero(labels != NO_CLUSTER)
    _, first, place = np.unique(labels[members], return_index=True, return_inverse=True)
    numbered = np.full(len(labels), NO_CLUSTER, np.int64)
    numbered[members] = np.argsort(np.argsort(first))[place]
    return numbered


def _united(labels: NDArray[np.int64], known: KnownLinks) -> NDArray[np.int64]:
    """Clusters that hold tracklets of one known person become one; a confirmed pair of outliers becomes one."""
    classes, size = classes_of(labels), len(labels)
    pairs = np.stack([np.arange(size), size + classes], axis=1)
    links = np.concatenate([known.must, pairs])
    graph = coo_array((np.ones(len(links)), tuple(links.T)), shape=(2 * size, 2 * size))
    parts = connected_components(graph, directed=False)[1][:size]
    alone = (labels == NO_CLUSTER) & ~np.isin(np.arange(size), known.must)
    return _numbered(np.where(alone, NO_CLUSTER, parts.astype(np.int64)))


def _parted(labels: NDArray[np.int64], near: csr_array, known: KnownLinks) -> NDArray[np.int64]:
    """No cluster holds both of a rejected pair: the one that is less like the others leaves, with its known group."""
    labels = labels.copy()
    for one, other in known.cannot.tolist():
        if labels[one] == NO_CLUSTER or labels[one] != labels[other]:
            continue
        members = labels == labels[one]
        fits = [float(near[[row], :].toarray()[0, members].sum()) for row in (one, other)]
        leaves = known.groups == known.groups[one if fits[0] < fits[1] else other]
        labels[leaves] = labels.max() + 1 if leaves.sum() > 1 else NO_CLUSTER
    return _numbered(labels)
