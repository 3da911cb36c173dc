"""How a site's growing graph is joined: rules of pairs by the generation's transit model, and settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reid_core.graph.refined_gallery import GraphRules

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reid_core.graph.streaming_growth import PairRule
    from reid_core.spatio_temporal.sightings import Sightings
    from reid_core.spatio_temporal.transit_model import TransitModel

__all__ = ["SITE_RULES", "transit_pairs"]

SITE_RULES = GraphRules(visual=3, timed=60)
"""Of a service's graph."""


def transit_pairs(transit: TransitModel, *, least_nats: float = 0.0) -> PairRule:
    """Pairs whose gap speaks for one person, by a transit model.

    Args:
        transit: The site's.
        least_nats: The evidence must be above this; pairs it says nothing of have 0 and do not fit.
    """

    def fits(asking: Sightings, answering: Sightings) -> NDArray[np.floating]:
        return (transit.pair_llr(asking, answering) > least_nats).astype("float32")

    return fits
