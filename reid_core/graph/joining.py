"""Who hears whom in a growing graph, and how loud: rules that weigh the pairs in nodes' lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from reid_core.graph.affinity import gaussian_affinity
from reid_core.graph.refined_gallery import GraphRules
from reid_core.spatio_temporal.sightings import Sightings

if TYPE_CHECKING:
    from reid_core.spatio_temporal.calibration_model import Calibration
    from reid_core.spatio_temporal.transit_model import TransitModel
    from reid_core.types import FloatArray

__all__ = ["Joining", "PairRule", "PaperJoining", "PosteriorJoining"]

PairRule: TypeAlias = Callable[[Sightings, Sightings], NDArray[np.floating]]
"""How well pairs of sightings fit in time, row by row: 0 where they do not, 1 where they do, or anything between."""


class Joining(Protocol):
    """A rule that does not change while a graph lives."""

    @property
    def length(self) -> int:
        """How many others a node may be joined to."""
        ...

    @property
    def asked(self) -> int:
        """How many tracklets a query may be joined to."""
        ...

    @property
    def layers(self) -> int:
        """How often neighbours are asked."""
        ...

    def factors(self, cosines: FloatArray, asking: Sightings, answering: Sightings) -> FloatArray:
        """What is worked out of each pair once, and kept with it. Shapes ``(m,)``."""
        ...

    def weights(
        self, cosines: FloatArray, factors: FloatArray, places: NDArray[np.int64], *, of_query: bool = False
    ) -> FloatArray:
        """Weights of lists' entries at these places, the most alike being at 0; 0 joins nobody. Equal shapes."""
        ...

    def own_weights(self, cosines: FloatArray) -> FloatArray:
        """How loud nodes hear themselves, by how alike they are to themselves: 1 but for rounding. Shape ``(m,)``."""
        ...

    def describe(self) -> dict[str, Any]:
        """All that edges depend on, as plain values."""
        ...


@dataclass(frozen=True, slots=True)
class PaperJoining:
    """G-Fusion's: the few most alike, and whoever fits in time among more of them, weighed by looks (Eq. 2, 4, 5).

    Attributes:
        rules: The paper's numbers.
        rule: How well pairs fit in time; without one only looks join.
    """

    rules: GraphRules = field(default_factory=GraphRules)
    rule: PairRule | None = None

    @property
    def length(self) -> int:
        """How many others a node may be joined to; it counts among its own k_s and k_l."""
        return self.asked - 1

    @property
    def asked(self) -> int:
        """How many tracklets a query may be joined to."""
        return max(self.rules.visual, self.rules.timed if self.rule is not None else 0)

    @property
    def layers(self) -> int:
        """How often neighbours are asked."""
        return self.rules.layers

    def factors(self, cosines: FloatArray, asking: Sightings, answering: Sightings) -> FloatArray:
        """What the rule says of each pair; NaN times fit nothing. Shapes ``(m,)``."""
        if self.rule is None or not len(cosines):
            return np.zeros(len(cosines), np.float32)
        return np.asarray(self.rule(asking, answering), np.float32)

    def weights(
        self, cosines: FloatArray, factors: FloatArray, places: NDArray[np.int64], *, of_query: bool = False
    ) -> FloatArray:
        """The Gaussian of the first few, and of the others by how well they fit. Equal shapes."""
        by_looks = places < self.rules.visual - (not of_query)
        weights = gaussian_affinity(cosines, alpha=self.rules.alpha) * np.where(by_looks, np.float32(1), factors)
        return weights.astype(np.float32)

    def own_weights(self, cosines: FloatArray) -> FloatArray:
        """The Gaussian of how alike nodes are to themselves. Shape ``(m,)``."""
        return gaussian_affinity(cosines, alpha=self.rules.alpha)

    def describe(self) -> dict[str, Any]:
        """The paper's numbers."""
        return {
            "visual": self.rules.visual,
            "timed": self.rules.timed,
            "layers": self.layers,
            "alpha": self.rules.alpha,
        }


@dataclass(frozen=True, slots=True, eq=False)
class PosteriorJoining:
    """A service's: among the most alike, whoever another camera saw, weighed by the probability of being one person.

    Looks and times are read by the generation's calibration, on the site's yardstick and with the prior of the fit, so
    that a pair's weight is a matter of the two alone. Pairs that a model was trained on look too much alike afterwards:
    log-odds are divided by ``temper``. Pairs farther apart in time than anything in the fit say nothing.

    Attributes:
        calibration: Of the generation.
        transit: Of the generation, ``None`` where it knows nothing of time.
        length: How many others a node may be joined to.
        layers: How often neighbours are asked.
        temper: What log-odds are divided by, 1 or more.
        least: The least tempered probability that joins.
    """

    calibration: Calibration
    transit: TransitModel | None = None
    length: int = 60
    layers: int = 1
    temper: float = 2.0
    least: float = 0.05

    @property
    def asked(self) -> int:
        """How many tracklets a query may be joined to."""
        return self.length

    def factors(self, cosines: FloatArray, asking: Sightings, answering: Sightings) -> FloatArray:
        """The tempered probability of each pair, 0 within a camera or where it is too small. Shapes ``(m,)``."""
        elsewhere = np.flatnonzero(asking.cameras != answering.cameras)
        asking, answering = asking.take(elsewhere), answering.take(elsewhere)
        said = None if self.transit is None else self.transit.pair_llr(asking, answering)
        log_odds = self.calibration.log_odds(1 - cosines[elsewhere].astype(np.float64), said)
        probable = expit(log_odds / self.temper)
        if self.calibration.span_s is not None:
            gaps_s = np.abs(asking.starts_s - answering.starts_s)
            probable[gaps_s > self.calibration.span_s] = 0
        probable[probable < self.least] = 0
        found = np.zeros(len(cosines), np.float32)
        found[elsewhere] = probable
        return found

    def weights(
        self, cosines: FloatArray, factors: FloatArray, places: NDArray[np.int64], *, of_query: bool = False
    ) -> FloatArray:
        """The probabilities. Equal shapes."""
        del cosines, places, of_query
        return factors.copy()

    def own_weights(self, cosines: FloatArray) -> FloatArray:
        """A node is certainly itself. Shape ``(m,)``."""
        return np.ones_like(cosines)

    def describe(self) -> dict[str, Any]:
        """Its numbers, and the calibration by name."""
        return {
            "calibration": self.calibration.calibration_id,
            "length": self.length,
            "layers": self.layers,
            "temper": self.temper,
            "least": self.least,
        }
