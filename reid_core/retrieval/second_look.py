"""A second look: how near the answers are to a query after both have heard their neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from reid_core.spatio_temporal.fusion import Yardsticks
from reid_core.spatio_temporal.yardstick import Yardstick

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reid_core.retrieval.reference import Reference
    from reid_core.retrieval.rows import Hits
    from reid_core.retrieval.search import Query
    from reid_core.spatio_temporal.calibration_model import Calibration
    from reid_core.types import FloatArray, SearchFilter

__all__ = ["Refinement", "SecondLook"]

_SHARE = 0.5
_LEAST_SAMPLE = 256
_EVERY = 8  # so much sparser than the reference is the sample that a second look is measured by


class SecondLook(Protocol):
    """What one query became among its neighbours, beside what tracklets became."""

    def hear(self, near: Hits) -> None:
        """Told once, before anything is asked: who is most like the query, whatever filters say, but for its own."""
        ...

    def nearest(self, k: int, where: SearchFilter) -> tuple[NDArray[np.int64], FloatArray]:
        """Numbers and distances of the ``k`` nearest that a filter passes, nearest first."""
        ...

    def distances(self, tracklet_nos: NDArray[np.int64]) -> FloatArray:
        """Cosine distances, NaN of tracklets that it does not know. Shape ``(m,)``."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Refinement:
    """A second look on a yardstick of its own, so that its distances can be read on the calibration's curve.

    What it says enters the order in place of a share of what the first look said. It is no second witness, since it
    goes by the same vectors and times, and probabilities are left as they are.

    Attributes:
        look: The second look.
        calibration: Whose curve is read.
        yardsticks: How far what the query became lies from what other people became.
        camera_id: The query's, ``None`` where unknown.
    """

    look: SecondLook
    calibration: Calibration
    yardsticks: Yardsticks
    camera_id: str | None

    @staticmethod
    def of(look: SecondLook, calibration: Calibration, query: Query, reference: Reference) -> Refinement | None:
        """The refinement of one search, ``None`` where fewer than two others are known to measure it by."""
        others = ~np.isin(reference.hits.tracklet_nos, np.array(sorted(query.exclude_tracklet_nos), np.int64))
        others[np.arange(len(others)) % max(1, min(_EVERY, len(others) // _LEAST_SAMPLE)) > 0] = False
        distances = look.distances(reference.hits.tracklet_nos[others])
        known = np.isfinite(distances)
        if np.count_nonzero(known) < 2:
            return None
        prior = Yardstick.of(distances[known])
        is_own_camera = reference.own_camera(query)[others][known]
        return Refinement(
            look, calibration, Yardsticks.of(distances[known], is_own_camera, prior=prior), query.camera_id
        )

    def gains(self, hits: Hits, visual: NDArray[np.float64]) -> tuple[NDArray[np.float64], FloatArray]:
        """By how much each hit moves in the order, in nats, and its distance on the second look.

        Args:
            hits: Shape ``(n,)``.
            visual: What the first look says of each, in nats. Shape ``(n,)``.
        """
        distances = self.look.distances(hits.tracklet_nos)
        own = hits.camera_names.index(self.camera_id) if self.camera_id in hits.camera_names else -1
        said = np.where(hits.cameras == own, *(self._said(distances, one) for one in self._own_and_elsewhere))
        return np.where(np.isnan(distances), 0.0, _SHARE * (said - visual)), distances

    def most(self, distance: float, visual: float) -> float:
        """What nobody's looks can exceed who is no nearer than this on the second look, nor more alike on the first.

        Args:
            distance: On the second look.
            visual: In nats, on the first.
        """
        said = max(float(self._said(np.array([distance]), one)[0]) for one in self._own_and_elsewhere)
        return (1 - _SHARE) * visual + _SHARE * said

    @property
    def _own_and_elsewhere(self) -> tuple[Yardstick, Yardstick]:
        return self.yardsticks.own_camera, self.yardsticks.elsewhere

    def _said(self, distances: FloatArray, yardstick: Yardstick) -> NDArray[np.float64]:
        return self.calibration.visual_llr(distances, yardstick)
