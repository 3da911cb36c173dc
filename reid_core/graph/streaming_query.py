"""A query beside the nodes of a growing graph: it hears them, and nobody hears it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from reid_core.spatio_temporal.sightings import Sightings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.graph.streaming_growth import Growth
    from reid_core.retrieval.rows import Hits
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


def refine(growth: Growth, query: Query, vector: FloatArray, near: Hits | None = None) -> RefinedQuery:
    """Attach a query to a graph whose features are up to date (G-Fusion, Eq. 16); its own tracklets are not heard.

    Args:
        growth: The graph.
        query: Who is looked for.
        vector: The query's. Shape ``(d,)``.
        near: The tracklets most like it, but for its own; used if they are enough and all known.
    """
    joining = growth.joining
    beside, cosines = _beside(growth, query, vector, near)
    asking, answering = _sightings(query, growth.nodes.sightings(beside))
    factors = joining.factors(cosines, asking, answering)
    weights = joining.weights(cosines, factors, np.arange(len(beside)), of_query=True)
    heard = weights > 0
    own = np.float32(1 / (1 + float(weights.sum(dtype=np.float64))))
    rows, shares = beside[heard], weights[heard] * own
    became = vector
    for layer in range(joining.layers):
        became = np.asarray(growth.features.mean_of(rows, shares, layer) + own * became, np.float32)
    return RefinedQuery(became, len(rows), 1 - float(own))


def _beside(
    growth: Growth, query: Query, vector: FloatArray, near: Hits | None
) -> tuple[NDArray[np.int64], FloatArray]:
    """Rows whom the query may hear, most alike first, and their cosines."""
    columns, wanted = growth.nodes.columns, growth.joining.asked
    if near is not None and len(near) >= wanted:
        rows = columns.places(near.tracklet_nos[:wanted])
        if (rows >= 0).all():
            return rows, 1 - near.distances[:wanted]
    but = np.array(columns.rows_of(query.exclude_tracklet_nos), np.int64)
    found = growth.nodes.near(vector, wanted, but=but).first(wanted)
    return found.rows, found.cosines


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
