"""A graph's two look-ups as the second look of a search: the query hears its neighbours, and is compared anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reid_core.graph.streaming import StreamingGraph
    from reid_core.graph.streaming_query import RefinedQuery
    from reid_core.retrieval.rows import Hits
    from reid_core.retrieval.search import Query
    from reid_core.types import FloatArray, SearchFilter

__all__ = ["GraphLook"]


class GraphLook:
    """The `SecondLook` of one query over a graph.

    Args:
        graph: Of the generation that is searched.
        query: Who is looked for.

    Raises:
        ValueError: If the query's vector is not finite and of length 1, or has another length than the graph's.
    """

    def __init__(self, graph: StreamingGraph, query: Query) -> None:
        self._graph, self._query = graph, query
        self._refined: RefinedQuery | None = None

    @property
    def refined(self) -> RefinedQuery:
        """What the query became."""
        if self._refined is None:
            self._refined = self._graph.refine(self._query)
        return self._refined

    def hear(self, near: Hits) -> None:
        """Take the query's neighbours from a search that was made anyway: the first look-up."""
        self._refined = self._graph.refine(self._query, near=near)

    def nearest(self, k: int, where: SearchFilter) -> tuple[NDArray[np.int64], FloatArray]:
        """Numbers and distances of the ``k`` nearest that a filter passes, nearest first: the second look-up."""
        found = self._graph.nearest(self.refined, k, where=where)
        return found.tracklet_nos, found.distances

    def distances(self, tracklet_nos: NDArray[np.int64]) -> FloatArray:
        """Cosine distances, NaN of tracklets that the graph does not know. Shape ``(m,)``."""
        return self._graph.distances(self.refined, tracklet_nos)
