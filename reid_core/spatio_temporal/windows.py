"""When somebody who was just seen may be seen elsewhere: the times that speak for one person at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.spatio_temporal.lookup import link_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reid_core.spatio_temporal.lookup import LinkTable
    from reid_core.spatio_temporal.sightings import Sightings
    from reid_core.spatio_temporal.transit_model import TransitModel

__all__ = ["TimeWindow", "WindowTable"]

_SAY = 0.02


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Tracklets of one camera that began, or ended, within a span of its own clock.

    Attributes:
        start_from_s: They began at or after this, which is infinite where nobody comes from the query ...
        start_to_s: ... and at or before this;
        end_from_s: or they ended at or after this, which is infinite where nobody goes to the query ...
        end_to_s: ... and at or before this.
    """

    start_from_s: float
    start_to_s: float
    end_from_s: float
    end_to_s: float


class WindowTable:
    """For each way, the gaps at which a transit model's evidence can be well above zero.

    The evidence is ``log((1 - S + there + back) / beyond)``, with ``S`` the peaks' share of both ways: it is above zero
    only where ``there + back`` is above ``beyond - (1 - S)``, hence one of them above half of that. Spans are the hull
    of such gaps over all zones. Where nearly every gap would pass, as the rest alone is worth more than what lies
    beyond, a span holds the gaps that a peak says something of, and `outside_llr` what the others can reach.

    Args:
        transit: The model.

    Attributes:
        ways: Directed pairs of camera ids that have a span.
        most_llr: No evidence is above this, in nats.
        outside_llr: No evidence outside of the windows is above this, at least 0.
    """

    def __init__(self, transit: TransitModel) -> None:
        self._transit = transit
        tables = {way: link_table(link) for way, link in transit.links.items()}
        pairs = {(a, b): (table, tables[b, a]) for (a, b), table in tables.items() if (b, a) in tables}
        self._spans_s = {way: _span_s(there, _needed(there, back) / 2) for way, (there, back) in pairs.items()}
        self.ways = frozenset(self._spans_s)
        bodies = 0.0 if transit.physique is None or not pairs else transit.physique.most_evidence
        self.most_llr = bodies + max((_llr(*both, _highest(*both)) for both in pairs.values()), default=0.0)
        self.outside_llr = bodies + max((_llr(*both, _needed(*both)) for both in pairs.values()), default=0.0)

    def of(self, query: Sightings) -> Mapping[str, TimeWindow]:
        """The windows of one sighting, by the id of the other camera; none where its clock is unknown."""
        if not query.clock_known()[0]:
            return {}
        right = self._transit.corrected(query)
        start_s, end_s = float(right.starts_s[0]), float(right.ends_s[0])
        here = query.camera_ids[int(query.cameras[0])]
        found = {}
        for there in query.camera_ids:
            if (here, there) in self._spans_s:
                ahead_s = float(self._transit.offsets.seconds([there])[0])
                onward, back = self._spans_s[here, there], self._spans_s[there, here]
                found[there] = TimeWindow(
                    end_s + onward[0] + ahead_s,
                    end_s + onward[1] + ahead_s,
                    start_s - back[1] + ahead_s,
                    start_s - back[0] + ahead_s,
                )
        return found


def _span_s(table: LinkTable, least: float) -> tuple[float, float]:
    """First and last gap at which any pair of zones gives more than the least, a step wider; empty: infinite."""
    highest = table.values.reshape(-1, table.steps).max(axis=0)
    above = np.flatnonzero(highest > least)
    if not len(above):
        return np.inf, -np.inf
    return (
        table.low_s + (int(above[0]) - 1) * table.step_s,
        table.low_s + (int(above[-1]) + 1) * table.step_s,
    )


def _rest(there: LinkTable, back: LinkTable) -> float:
    return 1.0 - min(1.0, there.share + back.share)


def _needed(there: LinkTable, back: LinkTable) -> float:
    """What both ways' peaks must give together for evidence above zero, or for peaks to have a say."""
    return max(there.beyond - _rest(there, back), _SAY)


def _highest(there: LinkTable, back: LinkTable) -> float:
    return float(there.values.max() + back.values.max())


def _llr(there: LinkTable, back: LinkTable, explained: float) -> float:
    """Evidence of a gap of which the peaks explain so much, at least 0."""
    return max(0.0, float(np.log((_rest(there, back) + explained) / there.beyond)))
