"""Which pairs of nodes fit in time: G-Fusion's transition sets, or a learned transit model, as rules of edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.spatio_temporal.paper_forms import TransitionSets
from reid_core.spatio_temporal.sightings import MatchedPairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.graph.affinity import EdgeRule
    from reid_core.graph.neighbours import Neighbours
    from reid_core.spatio_temporal.sightings import Sightings
    from reid_core.spatio_temporal.transit_model import TransitModel

__all__ = ["learned_rule", "recorded_transitions", "transition_rule"]


def recorded_transitions(neighbours: Neighbours, sightings: Sightings) -> TransitionSets:
    """Gaps between each node and its neighbours at other cameras (G-Fusion, Eq. 3).

    Args:
        neighbours: The k_s most alike of each node, itself among them.
        sightings: Where and when the nodes were seen.

    Raises:
        ValueError: If there are more or fewer nodes than sightings.
    """
    count, k = neighbours.rows.shape
    if count != len(sightings):
        raise ValueError(f"{count} nodes have neighbours, {len(sightings)} were seen")
    pairs = MatchedPairs(np.repeat(np.arange(count), k), neighbours.rows.ravel(), np.ones(count * k))
    return TransitionSets.of_pairs(sightings, pairs)


def transition_rule(sets: TransitionSets, asking: Sightings, answering: Sightings, *, delta_s: float) -> EdgeRule:
    """Pairs of rows of the one and columns of the other whose gap lies near a recorded one (G-Fusion, Eq. 4).

    Pairs of one camera and of unknown clocks do not fit.

    Args:
        sets: Recorded gaps.
        asking: Sightings of the rows.
        answering: Sightings of the columns, of the same cameras.
        delta_s: How far a gap may lie from a recorded one; the paper has 25 frames.
    """

    def fits(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.bool_]:
        found = np.zeros(len(rows), np.bool_)
        codes = asking.cameras[rows] * len(answering.camera_ids) + answering.cameras[columns]
        gaps_s = asking.starts_s[rows] - answering.starts_s[columns]
        order = np.argsort(codes, kind="stable")
        for at in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
            if len(at):
                here, there = divmod(int(codes[at[0]]), len(answering.camera_ids))
                found[at] = sets.holds(here, there, gaps_s[at], delta_s=delta_s)
        return found

    return fits


def learned_rule(
    transit: TransitModel, asking: Sightings, answering: Sightings, *, least_nats: float = 0.0
) -> EdgeRule:
    """Pairs whose gap speaks for one person, by a transit model.

    Args:
        transit: The site's.
        asking: Sightings of the rows.
        answering: Sightings of the columns.
        least_nats: The evidence must be above this; pairs it says nothing of have 0 and do not fit.
    """

    def fits(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.bool_]:
        return transit.pair_llr(asking.take(rows), answering.take(columns)) > least_nats

    return fits
