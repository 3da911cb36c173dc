"""The self-check of a model: all figures that need no label, on the same tracklets for every model that is compared.

For a promotion::

    ours = self_check(candidate_crops, sightings, transit=transit)  # held-out tracklets, by each model's crop vectors
    theirs = self_check(current_crops, sightings, transit=transit)
    for name, comparison in compare_checks(ours, theirs, seed=0).items():
        comparison.difference, comparison.low, comparison.high

``low`` above a stated margin means better with 97.5% confidence; ``high`` below minus the margin means worse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.association.camera_shift import without_camera_shift
from reid_core.association.reciprocal import associate
from reid_core.learning.consistency import cycle_consistency, halves_agreement, time_agreement
from reid_core.learning.rematch import Rematch, rematch
from reid_core.metrics.tallies import compare_tallies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from reid_core.learning.crop_vectors import CropVectors
    from reid_core.metrics.tallies import Comparison, Tally
    from reid_core.spatio_temporal.sightings import Sightings
    from reid_core.spatio_temporal.transit import TransitModel

__all__ = ["SelfCheck", "compare_checks", "self_check"]


@dataclass(frozen=True, slots=True, eq=False)
class SelfCheck:
    """What one model shows of itself.

    Attributes:
        rematch: Halves of tracklets that find each other within their camera.
        cycle: Chains of pairs over three cameras that close; no trial on a site of two.
        halves: Pairs on which odd and even crops agree.
        time: Pairs that people's walks explain; ``None`` without a transit model.
    """

    rematch: Rematch
    cycle: Tally
    halves: Tally
    time: Tally | None

    def tallies(self) -> Mapping[str, Tally]:
        """Every figure by name; all are shares in ``[0, 1]``, large is good."""
        found = {
            "rematch_rank1": self.rematch.tally,
            "rematch_mrr": self.rematch.reciprocal_ranks,
            "cycle_consistency": self.cycle,
            "halves_agreement": self.halves,
        }
        return found if self.time is None else {**found, "time_agreement": self.time}

    def as_dict(self, *, seed: int) -> dict[str, dict[str, float | None]]:
        """For JSON: each figure with its 95% bootstrap interval."""
        return {name: tally.interval(seed=seed).as_dict() for name, tally in self.tallies().items()}


def self_check(crops: CropVectors, sightings: Sightings, *, transit: TransitModel | None = None) -> SelfCheck:
    """Judge one model without a label.

    Args:
        crops: The model's vectors of the tracklets to judge, best ones that it did not learn from.
        sightings: Where and when the same tracklets were, row by row.
        transit: The transit model for `time_agreement`; the same for all models that are compared.

    Raises:
        ValueError: If crops and sightings are not of the same tracklets.
    """
    if not np.array_equal(crops.cameras, sightings.cameras):
        raise ValueError(f"{len(crops)} tracklets of crops and {len(sightings)} sightings are not the same tracklets")
    vectors = crops.means(np.ones(len(crops.vectors), np.bool_))
    pairs = associate(without_camera_shift(vectors, sightings.cameras), sightings)
    time = None
    if transit is not None:
        llr: NDArray[np.float64] = transit.pair_llr(sightings.take(pairs.rows_a), sightings.take(pairs.rows_b))
        time = time_agreement(pairs, llr, count=len(sightings))
    return SelfCheck(
        rematch=rematch(crops),
        cycle=cycle_consistency(pairs, sightings.cameras),
        halves=halves_agreement(crops, sightings),
        time=time,
    )


def compare_checks(candidate: SelfCheck, current: SelfCheck, *, seed: int) -> dict[str, Comparison]:
    """Each figure of the candidate against the current model's, in pairs over the same tracklets.

    Args:
        candidate: The one that might take over.
        current: The one that answers now.
        seed: Of the bootstrap.

    Returns:
        By name, for the figures that both have.

    Raises:
        ValueError: If they are not of equally many tracklets.
    """
    theirs = current.tallies()
    return {
        name: compare_tallies(tally, theirs[name], seed=seed)
        for name, tally in candidate.tallies().items()
        if name in theirs
    }
