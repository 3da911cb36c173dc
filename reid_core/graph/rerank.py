"""Re-ranking of queries against a gallery by graphs: our default, and G-Fusion's as its paper has it.

Source:
    G-Fusion, MM 2023, Section 3.4 (Eq. 15, 16).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.graph.fused_graph import FusedGraph
from reid_core.graph.refined_gallery import RefinedGallery

if TYPE_CHECKING:
    from collections.abc import Callable

    from reid_core.graph.affinity import EdgeRule
    from reid_core.graph.fused_graph import TransitEvidence
    from reid_core.graph.fused_rules import FusedRules
    from reid_core.graph.propagation import RandomProjection
    from reid_core.graph.refined_gallery import GraphRules
    from reid_core.spatio_temporal.sightings import Sightings
    from reid_core.types import FloatArray

__all__ = ["Reranked", "graph_rerank", "rerank"]


def rerank(
    query: FloatArray,
    gallery: FloatArray,
    asking: Sightings,
    answering: Sightings,
    transit: TransitEvidence,
    *,
    rules: FusedRules | None = None,
    threads: int = 1,
) -> Callable[[int, int], FloatArray]:
    """Distances by looks and learned transit, both heard from neighbours: the default.

    Args:
        query: L2-normalised. Shape ``(Q, d)``.
        gallery: L2-normalised. Shape ``(G, d)``.
        asking: Where and when the queries were seen; NaN where a time is not known.
        answering: The same of the gallery, of the same cameras.
        transit: What gaps say, such as a `reid_core.spatio_temporal.transit_model.TransitModel`.
        rules: How looks and time are fused; default: the frozen ones.
        threads: Of the searches for neighbours.

    Returns:
        A function that makes rows ``start`` to ``stop`` of the distances, small for one person, shape ``(B, G)``.

    Raises:
        ValueError: If a vector is not of length 1, or lengths, dimensions or cameras differ.
    """
    return FusedGraph(gallery, answering, transit, rules=rules, threads=threads).distances(query, asking)


@dataclass(frozen=True, slots=True, eq=False)
class Reranked:
    """Embeddings after propagation. Shapes ``(Q, d')`` and ``(G, d')``."""

    query: FloatArray
    gallery: FloatArray

    def distances(self) -> Callable[[int, int], FloatArray]:
        """Rows ``start`` to ``stop`` of squared Euclidean distances, less each query's own square, which ranks alike.

        The Gaussian affinity of Eq. 8 falls with them, so both rank alike.
        """
        squares = np.einsum("gd,gd->g", self.gallery, self.gallery)
        return lambda start, stop: squares - 2 * self.query[start:stop] @ self.gallery.T


def graph_rerank(
    query: FloatArray,
    gallery: FloatArray,
    *,
    gallery_rule: EdgeRule | None = None,
    query_rule: EdgeRule | None = None,
    rules: GraphRules | None = None,
    projection: RandomProjection | None = None,
    threads: int = 1,
) -> Reranked:
    """Propagate over the gallery's graph and attach the queries to it.

    Args:
        query: L2-normalised. Shape ``(Q, d)``.
        gallery: L2-normalised. Shape ``(G, d)``.
        gallery_rule: Which pairs of gallery rows fit in time; without one only looks join.
        query_rule: Which pairs of a query's and a gallery's row fit in time.
        rules: How the graph is joined; default: the paper's.
        projection: The paper's random one; none keeps embeddings among the features.
        threads: Of the search for neighbours.

    Raises:
        ValueError: If a vector is not of length 1, or shapes do not fit.
    """
    refined = RefinedGallery(gallery, rule=gallery_rule, rules=rules, projection=projection, threads=threads)
    return Reranked(refined.refine(query, rule=query_rule), refined.embeddings)
