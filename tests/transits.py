"""Transit models and calibrations made by hand, for whoever needs one without fitting it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from reid_core.spatio_temporal.calibration_model import Calibration
from reid_core.spatio_temporal.clocks import ClockOffsets
from reid_core.spatio_temporal.density import LinkDensity, TransitPeak
from reid_core.spatio_temporal.gaps import Background
from reid_core.spatio_temporal.transit_model import TransitModel
from reid_core.spatio_temporal.visual_curve import VisualCurve
from reid_core.spatio_temporal.yardstick import Yardstick

__all__ = ["a_calibration", "a_transit_model"]


def a_transit_model(*cameras, walk_s=20.0, span_s=3600.0, share=0.4, ahead_s=None, beyond=1.0, zones=None):
    """Neighbours in the row of cameras are ``walk_s`` apart, both ways alike; ``ahead_s``: clock offsets by camera.

    Where ``zones`` (the same of every camera) are given, all walkers leave by the first and arrive by any.
    """
    background = Background(np.array([-span_s, 0.0, span_s]), np.array([0.0, 1 / span_s, 0.0]))
    leaves = np.ones(1) if zones is None else np.array([1 / zones.shares[0]] + [0.0] * (len(zones) - 1))
    exposure = float(background.density(np.array([walk_s]))[0])
    peak = TransitPeak(share, float(np.log(walk_s)), 0.3, 0.0, exposure, leaves, np.ones(len(leaves)))
    link = LinkDensity((peak,), background, 30.0, beyond)
    ways = [way for a, b in pairwise(cameras) for way in ((a, b), (b, a))]
    offsets_s = dict.fromkeys(cameras, 0.0) | (ahead_s or {})
    offsets = ClockOffsets(offsets_s, dict.fromkeys(cameras, 0.5), dict.fromkeys(cameras, 0))
    return TransitModel(dict.fromkeys(ways, link), offsets, {} if zones is None else dict.fromkeys(cameras, zones))


def a_calibration(*, time_weight=1.0, matches=2.0, candidates=200.0, span_s=3600.0, steepness=2.0):
    """A straight line: five spreads nearer than anybody speaks for one person with ``5 * steepness`` nats."""
    knots = np.array([-6.0, 1.0])
    curve = VisualCurve(Yardstick(-0.2, 0.2), knots, -steepness * (knots + 1.0), matches / candidates)
    return Calibration(curve, time_weight, matches, candidates, span_s)
