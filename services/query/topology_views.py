"""A transit model in the form of the API: curves sampled where they matter, and the clocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.spatio_temporal.lookup import link_table
from services.query.topology_schemas import ClockShiftView, ClockView, LinkDensityView, PeakView, TopologyView
from services.query.views import generation_view

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.spatio_temporal.clocks import ClockOffsets
    from reid_core.spatio_temporal.density import LinkDensity
    from reid_core.spatio_temporal.transit_model import TransitModel
    from services.storage.generations import Generation

__all__ = ["topology_view"]

_SAMPLES = 121


def topology_view(generation: Generation, transit: TransitModel) -> TopologyView:
    """All ways and clocks of a transit model."""
    return TopologyView(
        generation=generation_view(generation),
        clocks=_clocks(transit.offsets),
        clock_shifts=[
            ClockShiftView(
                cameras=(shift.camera_a, shift.camera_b),
                shift_s=round(shift.shift_s, 3),
                error_s=round(shift.error_s, 3),
                residual_s=round(shift.residual_s, 3),
                closes=shift.closes,
            )
            for shift in transit.offsets.shifts
        ],
        links=[_link(transit, way) for way in sorted(transit.links)],
    )


def _clocks(offsets: ClockOffsets) -> list[ClockView]:
    return [
        ClockView(
            camera_id=camera_id,
            offset_s=None if offset_s is None else round(offset_s, 3),
            error_s=None if offset_s is None else round(offsets.errors_s.get(camera_id, 0.0), 3),
            component=offsets.components[camera_id],
        )
        for camera_id, offset_s in sorted(offsets.offsets_s.items())
    ]


def _link(transit: TransitModel, way: tuple[str, str]) -> LinkDensityView:
    link = transit.links[way]
    table = link_table(link)
    gaps_s = np.linspace(table.low_s, table.low_s + table.step_s * (table.steps - 1), _SAMPLES)
    return LinkDensityView(
        from_camera=way[0],
        to_camera=way[1],
        pairs=round(link.pairs, 2),
        peaks=[
            PeakView(
                share=round(min(peak.share, 1.0), 5),
                typical_gap_s=round(peak.median_s, 2),
                log_mean=round(peak.log_mean, 5),
                log_sd=round(peak.log_sd, 5),
                origin_s=round(peak.origin_s, 3),
            )
            for peak in link.peaks
        ],
        gaps_s=[round(gap, 2) for gap in gaps_s.tolist()],
        densities=_rounded(link.transit_density(gaps_s)),
        background_densities=_rounded(link.background.density(gaps_s)),
        log_odds=_rounded(_evidence(transit, way, link, gaps_s)),
    )


def _evidence(
    transit: TransitModel, way: tuple[str, str], link: LinkDensity, gaps_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What this direction's gaps say where it is not known by which part of the picture people came and went."""
    unknown = np.full(len(gaps_s), -1, np.int64)
    back = transit.links.get(way[::-1])
    rest = 1.0 - min(1.0, link.share + (back.share if back else 0.0))
    odds = (rest + link_table(link).look_up(gaps_s, unknown, unknown)) / link.beyond
    evidence: NDArray[np.float64] = np.maximum(np.log(np.maximum(odds, 1e-300)), transit.floor)
    return evidence


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [float(f"{value:.4g}") for value in values.tolist()]
