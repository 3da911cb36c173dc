"""Re-ranking of one search: whether it can be done, and what it heard."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reid_core.graph.second_look import GraphLook

if TYPE_CHECKING:
    from reid_core.retrieval.search import Query
    from services.query.live_index import LoadedGeneration

__all__ = ["RERANKS", "RERANKS_PICTURES", "Reranking", "second_look", "told_of"]

RERANKS = True
"""Whether searches by tracklets are re-ranked unless they say otherwise: it helped on both sites tried (ADR 24)."""

RERANKS_PICTURES = False
"""The same for searches by pictures, which have neither camera nor time: rank-1 fell by a point on both."""

_LEAST_OTHERS = 3


@dataclass(frozen=True, slots=True)
class Reranking:
    """What re-ranking did.

    Attributes:
        applied: Whether neighbours had a say in the order.
        reason: Why they had none, ``None`` where they had.
        neighbours: How many tracklets the query heard.
        share: Their share in what it became, in ``[0, 1]``; the rest is the query itself.
    """

    applied: bool
    reason: str | None = None
    neighbours: int = 0
    share: float = 0.0


def told_of(reranking: Reranking | None, look: GraphLook | None) -> Reranking | None:
    """The same after the search, with what the query heard."""
    if reranking is None or look is None:
        return reranking
    return replace(reranking, neighbours=look.refined.neighbours, share=look.refined.share)


def second_look(loaded: LoadedGeneration, query: Query, *, use_time: bool = True) -> tuple[GraphLook | None, Reranking]:
    """The second look of a search, ``None`` where there can be none; and what is said of it before the search.

    Args:
        loaded: Who answers.
        query: Who is looked for.
        use_time: Let the query hear whom its place and time lead to.
    """
    if loaded.fused is None:
        return None, Reranking(applied=False, reason="the generation is not calibrated")
    if loaded.graph is None:
        return None, Reranking(applied=False, reason="there is no graph")
    if not loaded.graph.ready:
        return None, Reranking(applied=False, reason="the graph is still being built")
    graph = loaded.graph.graph
    others = 0 if graph is None else len(graph) - sum(number in graph for number in query.exclude_tracklet_nos)
    if graph is None or others < _LEAST_OTHERS:
        return None, Reranking(applied=False, reason=f"there are only {others} other tracklets")
    look = GraphLook(graph, query if use_time else replace(query, start_s=None, end_s=None))
    return look, Reranking(applied=True)
