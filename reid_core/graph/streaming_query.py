"""A query beside the nodes of a growing graph: it hears them, and nobody hears it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from reid_core.spatio_temporal.sightings import Sightings

if TYPE_CHECKING:
    from reid_core.graph.streaming_growth import Growth
    from reid_core.retrieval.search import Query
    from reid_core.types import FloatArray

__all__ = ["RefinedQuery", "refine"]


@dataclass(frozen=True, slots=True, eq=False)
class RefinedQuery:
    """What a query became.

    Attributes:
        vector: Shape ``(d,)``.
        neighbours: How many it heard.
        share: Their share in what it heard in each layer, the rest being itself; in ``[0, 1]``.
    """

    vector: FloatArray
    neighbours: int
    share: float


def refine(growth: Growth, query: Query, vector: FloatArray) -> RefinedQuery:
    """Attach a query to a graph whose features are up to date (G-Fusion, Eq. 16); its own tracklets are not heard.

    Args:
        growth: The graph.
        query: Who is looked for.
        vector: The query's. Shape ``(d,)``.
    """
    joining, columns = growth.joining, growth.nodes.columns
    but = np.array(columns.rows_of(query.exclude_tracklet_nos), np.int64)
    near = growth.nodes.near(vector, joining.asked, but=but).first(joining.asked)
    asking, answering = _sightings(query, growth.nodes.sightings(near.rows))
    factors = joining.factors(near.cosines, asking, answering)
    weights = joining.weights(near.cosines[None], factors[None], of_query=True)[0]
    heard = weights > 0
    own = np.float32(1 / (1 + float(weights.sum(dtype=np.float64))))
    rows, shares = near.rows[heard], weights[heard] * own
    became = vector
    for layer in range(joining.layers):
        became = np.asarray(growth.features.mean_of(rows, shares, layer) + own * became, np.float32)
    return RefinedQuery(became, len(rows), 1 - float(own))


def _sightings(query: Query, answering: Sightings) -> tuple[Sightings, Sightings]:
    """The query beside each of some tracklets; without a camera it stands at one of its own, without a time at none."""
    camera = str(query.camera_id or "")
    names = answering.camera_ids if camera in answering.camera_ids else (*answering.camera_ids, camera)
    count = len(answering)
    known = query.start_s is not None and query.end_s is not None and query.camera_id is not None
    asking = Sightings(
        names,
        np.full(count, names.index(camera)),
        np.full(count, query.start_s if known else np.nan, np.float64),
        np.full(count, query.end_s if known else np.nan, np.float64),
        np.tile(np.array([query.entry or (np.nan, np.nan)]), (count, 1)),
        np.tile(np.array([query.exit or (np.nan, np.nan)]), (count, 1)),
    )
    return asking, replace(answering, camera_ids=names)
