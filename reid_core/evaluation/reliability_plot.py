"""Stated probability against what came true, as a picture: points on the diagonal can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.evaluation.svg_charts import Axis, Series, line_chart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reid_core.metrics.calibration import ReliabilityBins

__all__ = ["reliability_plot"]

_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_CLASSES = ("series-0", "series-1", "series-2", "series-3")


def reliability_plot(groups: Sequence[tuple[str, ReliabilityBins]], *, title: str) -> str:
    """Curves of the share that came true over the probability that was stated, beside the diagonal.

    Args:
        groups: Name and bins of each; a group without any value is left out. The first has the class ``series-0``, the
            next ``series-1``, as far as ``series-3``; the diagonal has ``series-4``.
        title: Read out to those who do not see it.

    Raises:
        ValueError: If there are more than four groups.
    """
    if len(groups) > len(_CLASSES):
        raise ValueError(f"a plot shows at most {len(_CLASSES)} groups, got {len(groups)}")
    ends = np.array([0.0, 1.0])
    curves = [
        Series(f"{name}: {bins.counts.sum():,} values, error {bins.error:.3f}", bins.stated, bins.true_shares, css)
        for (name, bins), css in zip(groups, _CLASSES, strict=False)
        if len(bins.counts)
    ]
    return line_chart(
        [*curves, Series("what can be believed", ends, ends, "series-4")],
        x=Axis("stated probability", 0.0, 1.0, _TICKS, "{:.0%}"),
        y=Axis("came true", 0.0, 1.0, _TICKS, "{:.0%}"),
        title=title,
        marks=curves[0].xs.tolist() if curves else (),
        marks_above=True,
        size=(520, 360),
    )
