"""Re-ranking as a service does it: one search among the raw vectors, one among the refined ones.

The graph over the gallery is made once. A query finds its neighbours among the raw vectors, hears them layer by layer,
and what it has become is searched for among what the gallery has become. No matrix of queries by gallery exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import faiss
import numpy as np

from reid_core.graph.affinity import graph_edges, row_normalised, symmetric
from reid_core.graph.neighbours import index_of, nearest, nearest_in
from reid_core.graph.propagation import attach, propagate, propagate_attached

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.graph.affinity import EdgeRule
    from reid_core.graph.propagation import RandomProjection
    from reid_core.types import FloatArray

__all__ = ["GraphRules", "RefinedGallery"]


@dataclass(frozen=True, slots=True)
class GraphRules:
    """How the graph is joined; the paper's values.

    Attributes:
        visual: k_s, neighbours for looks alone; the node itself counts.
        timed: k_l, among which those that fit in time are neighbours too.
        alpha: Of the Gaussian affinity.
        layers: How often neighbours are asked.
    """

    visual: int = 3
    timed: int = 60
    alpha: float = 1.0
    layers: int = 2


class RefinedGallery:
    """A gallery whose graph has been propagated over.

    Args:
        gallery: L2-normalised. Shape ``(G, d)``.
        rule: Which pairs of its rows fit in time; without one only looks join.
        rules: How the graph is joined; default: the paper's.
        projection: The paper's random one; none keeps embeddings among the features.
        threads: Of both searches.

    Raises:
        ValueError: If a vector is not of length 1.
    """

    def __init__(
        self,
        gallery: FloatArray,
        *,
        rule: EdgeRule | None = None,
        rules: GraphRules | None = None,
        projection: RandomProjection | None = None,
        threads: int = 1,
    ) -> None:
        self._rules, self._projection, self._threads = rules or GraphRules(), projection, threads
        chosen = self._rules
        known = nearest_in(gallery, chosen.timed, threads=threads)
        edges = graph_edges(known, columns=len(gallery), visual=chosen.visual, rule=rule, alpha=chosen.alpha)
        self._nodes = propagate(row_normalised(symmetric(edges)), gallery, layers=chosen.layers, projection=projection)
        self._raw = index_of(self._nodes[0])
        self._refined = faiss.IndexFlatL2(self._nodes[-1].shape[1])
        self._refined.add(np.ascontiguousarray(self._nodes[-1]))

    def __len__(self) -> int:
        return len(self._nodes[0])

    @property
    def embeddings(self) -> FloatArray:
        """What the gallery has become. Shape ``(G, d')``."""
        return self._nodes[-1]

    def refine(self, query: FloatArray, *, rule: EdgeRule | None = None) -> FloatArray:
        """What queries become: the first look-up.

        Args:
            query: L2-normalised. Shape ``(Q, d)``.
            rule: Which pairs of a query's and a gallery's row fit in time.

        Returns:
            Shape ``(Q, d')``.

        Raises:
            ValueError: If a vector is not of length 1, or of another dimension.
        """
        chosen = self._rules
        found = nearest(query, self._raw, chosen.timed, threads=self._threads)
        asked = graph_edges(found, columns=len(self), visual=chosen.visual, rule=rule, alpha=chosen.alpha)
        return propagate_attached(attach(asked), query, self._nodes, projection=self._projection)

    def search(
        self, query: FloatArray, k: int, *, rule: EdgeRule | None = None
    ) -> tuple[NDArray[np.int64], FloatArray]:
        """The k nearest of each query among what the gallery has become: the second look-up.

        Args:
            query: L2-normalised. Shape ``(Q, d)``.
            k: At least 1; a smaller gallery gives all it has.
            rule: Which pairs of a query's and a gallery's row fit in time.

        Returns:
            Rows, nearest first, and Euclidean distances. Shapes ``(Q, min(k, G))``.

        Raises:
            ValueError: If ``k`` is below 1, or as `refine`.
        """
        if k < 1:
            raise ValueError(f"k must be 1 or more, got {k}")
        refined, k = self.refine(query, rule=rule), min(k, len(self))
        if not k or not len(query):
            return np.zeros((len(query), k), np.int64), np.zeros((len(query), k), np.float32)
        faiss.omp_set_num_threads(self._threads)
        squared, rows = self._refined.search(np.ascontiguousarray(refined), k)
        return rows, np.sqrt(np.maximum(squared, 0))
