"""The forms of what was learned of the ways between cameras, with examples."""

from __future__ import annotations

from pydantic import BaseModel, Field

from services.query.examples import LINK_DENSITY, TOPOLOGY
from services.query.schemas import GenerationView, Share, example

__all__ = ["ClockShiftView", "ClockView", "LinkDensityView", "PeakView", "TopologyView"]


class PeakView(BaseModel):
    """One way of getting there: a log-normal peak of the gaps."""

    share: Share = Field(description="Of one person's gaps between the two cameras, both directions together.")
    typical_gap_s: float = Field(description="Half of its walkers take less.")
    log_mean: float
    log_sd: float
    origin_s: float = Field(description="Where the peak begins; below 0 where views overlap.")


class LinkDensityView(BaseModel):
    """Gaps from one camera to another, from the end of one sighting to the start of the next, by corrected clocks."""

    model_config = example(LINK_DENSITY)

    from_camera: str
    to_camera: str
    pairs: float = Field(description="How many pairs of one person it was fitted to, as a sum of probabilities.")
    peaks: list[PeakView]
    gaps_s: list[float] = Field(description="Where the three curves were sampled.")
    densities: list[float] = Field(description="Of one person's gaps in this direction, per second; its area is 1.")
    background_densities: list[float] = Field(description="Of anybody's gaps, per second.")
    log_odds: list[float] = Field(description="What the gap says for one person against two, in nats.")


class ClockView(BaseModel):
    """How far a camera's clock is ahead of the first camera of its component; null where nothing tells."""

    camera_id: str
    offset_s: float | None
    error_s: float | None = Field(description="Standard error.")
    component: int = Field(description="Offsets of different components do not compare.")


class ClockShiftView(BaseModel):
    """By how much the second camera's clock is ahead of the first's, as walks between the two tell."""

    cameras: tuple[str, str]
    shift_s: float
    error_s: float
    residual_s: float = Field(description="What the offsets of all cameras leave of it.")
    closes: bool = Field(description="False where that is more than its error allows.")


class TopologyView(BaseModel):
    """The current generation's transit model."""

    model_config = example(TOPOLOGY)

    generation: GenerationView
    clocks: list[ClockView]
    clock_shifts: list[ClockShiftView]
    links: list[LinkDensityView]
