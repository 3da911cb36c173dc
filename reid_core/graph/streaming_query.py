"""A query beside the nodes of a growing graph: it hears them, and nobody hears it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from reid_core.graph.streaming_edges import edge_weights
from reid_core.spatio_temporal.sightings import Sightings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.graph.streaming_growth import Growth
    from reid_core.retrieval.search import Query
    from reid_core.types import FloatArray

__all__ = ["RefinedQuery", "refine"]


@dataclass(frozen=True, slots=True, eq=False)
class RefinedQuery:
    """What a query became.

    Attributes:
        vector: Shape ``(d,)``.
        by_looks: Neighbours that it heard for looks.
        by_time: Further ones that it heard because they fit in time.
    """

    vector: FloatArray
    by_looks: int
    by_time: int


def refine(growth: Growth, query: Query, vector: FloatArray) -> RefinedQuery:
    """Attach a query to a graph whose features are up to date (G-Fusion, Eq. 16); its own tracklets are not heard.

    Args:
        growth: The graph.
        query: Who is looked for.
        vector: The query's. Shape ``(d,)``.
    """
    rules, columns = growth.rules, growth.nodes.columns
    but = np.array([columns.row_of(no) for no in query.exclude_tracklet_nos if no in columns], np.int64)
    wanted = max(rules.visual, rules.timed if growth.rule is not None else 0)
    near = growth.nodes.near(vector, wanted, but=but).first(wanted)
    factors = _factors(growth, query, near.rows)
    weights = edge_weights(near.cosines[None], factors[None], visual=rules.visual, alpha=rules.alpha)[0]
    heard = weights > 0
    own = np.float32(1 / (1 + float(weights.sum(dtype=np.float64))))
    rows, shares = near.rows[heard], weights[heard] * own
    became = vector
    for layer in range(rules.layers):
        became = np.asarray(growth.features.mean_of(rows, shares, layer) + own * became, np.float32)
    return RefinedQuery(became, min(rules.visual, len(near.rows)), int(np.count_nonzero(heard[rules.visual :])))


def _factors(growth: Growth, query: Query, rows: NDArray[np.int64]) -> FloatArray:
    """How well the query fits each row in time; nothing does where it has no camera or no time."""
    if growth.rule is None or query.camera_id is None or query.start_s is None or query.end_s is None:
        return np.zeros(len(rows), np.float32)
    answering = growth.nodes.sightings(rows)
    names = answering.camera_ids
    if query.camera_id not in names:
        names = (*names, query.camera_id)
        answering = replace(answering, camera_ids=names)
    asking = Sightings(
        names,
        np.full(len(rows), names.index(query.camera_id)),
        np.full(len(rows), query.start_s),
        np.full(len(rows), query.end_s),
        np.tile(np.array([query.entry or (np.nan, np.nan)]), (len(rows), 1)),
        np.tile(np.array([query.exit or (np.nan, np.nan)]), (len(rows), 1)),
    )
    return growth.fitting(asking, answering)
