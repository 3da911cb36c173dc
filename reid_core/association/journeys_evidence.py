"""What speaks for two tracklets being one person, and what rules it out, out of one generation's looks and times."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from reid_core.association.journeys_yardsticks import measure, standardised
from reid_core.association.pair_costs import Metric, visual_distances
from reid_core.spatio_temporal.constraints import impossible, overlap_s

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from reid_core.spatio_temporal.calibration_model import Calibration
    from reid_core.spatio_temporal.sightings import Sightings
    from reid_core.spatio_temporal.transit_model import TransitModel
    from reid_core.types import CameraLink, FloatArray

__all__ = ["HardFacts", "PairBlock", "PairEvidence", "least_gaps_s"]

_SLACK_S = 0.5  # of each camera, for boxes that begin early or end late
_FASTEST_MPS = 12.0  # nobody runs faster than the world record's 12.4 m/s
_BLOCK, _CELLS = 512, 1 << 22


def least_gaps_s(camera_ids: Sequence[str], links: Sequence[CameraLink]) -> NDArray[np.float64]:
    """Seconds that anybody needs from one camera's view to another's along the mapped paths, at 12 m/s.

    Args:
        camera_ids: C cameras.
        links: Walking paths between views; those that name other cameras do not count.

    Returns:
        0 where no way is mapped. Shape ``(C, C)``.

    Example:
        >>> from reid_core.types import CameraLink
        >>> least_gaps_s(("a", "b", "c"), [CameraLink("a", "b", 24.0), CameraLink("b", "c", 12.0)])[0].tolist()
        [0.0, 2.0, 3.0]
    """
    row_of = {camera: row for row, camera in enumerate(camera_ids)}
    known = [link for link in links if link.camera_a in row_of and link.camera_b in row_of and link.distance_m > 0]
    ends = [(row_of[link.camera_a], row_of[link.camera_b]) for link in known]
    rows, columns = np.array(ends, np.int64).reshape(-1, 2).T
    meters = np.array([link.distance_m for link in known], np.float64)
    graph = coo_array((meters, (rows, columns)), shape=(len(camera_ids), len(camera_ids))).tocsr()
    ways_m = shortest_path(graph, directed=False) if len(camera_ids) else np.zeros((0, 0))
    gaps: NDArray[np.float64] = np.where(np.isfinite(ways_m), ways_m, 0.0) / _FASTEST_MPS
    return gaps


@dataclass(frozen=True, slots=True, eq=False)
class HardFacts:
    """Where and when tracklets were, for all that can be ruled out by it.

    Attributes:
        sightings: By corrected clocks; ``N`` rows, NaN where a clock is unknown.
        sources: The video of each, as a number. Shape ``(N,)``.
        starts_s: Seconds on the video's own clock, which is known even where its relation to UTC is not. ``(N,)``.
        ends_s: The same of the last frame. Shape ``(N,)``.
        uncertainty_s: How far each camera's clock may be off; infinite where nothing is known. Shape ``(C,)``.
        least_gaps_s: As `least_gaps_s` gives them. Shape ``(C, C)``.
    """

    sightings: Sightings
    sources: NDArray[np.int64]
    starts_s: NDArray[np.float64]
    ends_s: NDArray[np.float64]
    uncertainty_s: NDArray[np.float64]
    least_gaps_s: NDArray[np.float64]

    def impossible(self, rows: NDArray[np.integer], others: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which pairs one person cannot be: in two places at once, twice in one picture, or faster than anybody runs.

        Args:
            rows: ``n`` tracklets.
            others: ``m`` tracklets.

        Returns:
            Never true of a tracklet and itself. Shape ``(n, m)``.
        """
        one, other = self.sightings.take(rows), self.sightings.take(others)
        reach_s = _SLACK_S + self.uncertainty_s
        elsewhere = impossible(one, other, clock_uncertainty_s=reach_s)
        together_s = overlap_s(one, other)
        pairs = (one.cameras[:, None], other.cameras[None, :])
        with np.errstate(invalid="ignore"):
            too_fast = -together_s < self.least_gaps_s[pairs] - (reach_s[:, None] + reach_s[None, :])[pairs]
        same_camera = pairs[0] == pairs[1]
        twice = (same_camera & (together_s >= 0)) | self._twice_in_a_video(rows, others)
        never = elsewhere | (too_fast & ~same_camera) | twice
        found: NDArray[np.bool_] = never & (rows[:, None] != others[None, :])
        return found

    def within(self, rows: NDArray[np.integer], longest_gap_s: float) -> NDArray[np.bool_]:
        """Who was seen at most so long before or after any of some tracklets, or has no clock. Shape ``(N,)``."""
        starts_s, ends_s = self.sightings.starts_s, self.sightings.ends_s
        if not len(rows) or np.isnan(starts_s[rows]).any():
            return np.ones(len(starts_s), np.bool_)
        near = (ends_s >= starts_s[rows].min() - longest_gap_s) & (starts_s <= ends_s[rows].max() + longest_gap_s)
        found: NDArray[np.bool_] = near | np.isnan(starts_s)
        return found

    def _twice_in_a_video(self, rows: NDArray[np.integer], others: NDArray[np.integer]) -> NDArray[np.bool_]:
        begun = self.starts_s[rows][:, None] <= self.ends_s[others][None, :]
        going_on: NDArray[np.bool_] = begun & (self.starts_s[others][None, :] <= self.ends_s[rows][:, None])
        same: NDArray[np.bool_] = self.sources[rows][:, None] == self.sources[others][None, :]
        return same & going_on


@dataclass(frozen=True, slots=True, eq=False)
class PairBlock:
    """Some tracklets against others.

    Attributes:
        rows: Shape ``(n,)``.
        others: Shape ``(m,)``.
        log_odds: Of one person, in nats; minus infinity where nothing is calibrated. Shape ``(n, m)``.
        impossible: Shape ``(n, m)``.
    """

    rows: NDArray[np.int64]
    others: NDArray[np.int64]
    log_odds: NDArray[np.float64]
    impossible: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class PairEvidence:
    """Evidence between any two of N tracklets.

    Looks are read on the yardsticks of both, the mean of the two readings. Given the yardsticks, what a pair is worth
    depends on nobody else.

    Attributes:
        facts: What can be ruled out.
        vectors: L2-normalised, of one model. Shape ``(N, d)``.
        seen: The sightings by the cameras' own clocks, as the transit model takes them.
        calibration: Of the model; ``None``: nobody is likely to be anybody.
        transit: Of the generation.
        yardsticks: As `measure` gives them; ``None``: the site's. Shape ``(N, 2, 2)``.
    """

    facts: HardFacts
    vectors: FloatArray
    seen: Sightings
    calibration: Calibration | None
    transit: TransitModel | None
    yardsticks: NDArray[np.float64] | None = None

    def measured(self, *, since: int = 0) -> PairEvidence:
        """The same with yardsticks of the tracklets from a row on, told by all; those before it keep theirs."""
        if self.calibration is None or not len(self.vectors):
            return self
        cameras, rows = self.seen.cameras, np.arange(since, len(self.vectors))
        fresh = measure(self.vectors, cameras, rows, prior=self.calibration.curve.yardstick)
        kept = np.zeros((0, 2, 2)) if self.yardsticks is None else self.yardsticks[:since]
        return replace(self, yardsticks=np.concatenate([kept, fresh]))

    def block(self, rows: NDArray[np.int64], others: NDArray[np.int64]) -> PairBlock:
        """All of the one with all of the other.

        Raises:
            ValueError: If a log-odds is not a number, as of a vector that is none.
        """
        never = self.facts.impossible(rows, others)
        if self.calibration is None:
            return PairBlock(rows, others, np.full(never.shape, -np.inf), never)
        visual, time = self.parts(rows, others)
        odds = self.calibration.prior_log_odds + visual + np.nan_to_num(time)
        if np.isnan(odds).any():
            row, column = np.argwhere(np.isnan(odds))[0].tolist()
            raise ValueError(f"the log-odds of rows {rows[row]} and {others[column]} are not a number")
        return PairBlock(rows, others, odds, never)

    def parts(
        self, rows: NDArray[np.int64], others: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """By how much looks and times move the log-odds of each pair, in nats; NaN where times say nothing.

        Returns:
            Two arrays of shape ``(n, m)``.

        Raises:
            ValueError: If there is no calibration.
        """
        if self.calibration is None:
            raise ValueError("without a calibration there is no evidence")
        visual = self._visual(self.calibration, rows, others)
        if self.transit is None:
            return visual, np.full(visual.shape, np.nan)
        time = self.calibration.time_weight * self.transit.llr_matrix(self.seen.take(rows), self.seen.take(others))
        return visual, np.where(time == 0, np.nan, time)

    def _visual(
        self, calibration: Calibration, rows: NDArray[np.int64], others: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        distances = visual_distances(self.vectors[rows], self.vectors[others], metric=Metric.COSINE)
        if self.yardsticks is None:
            return calibration.visual_llr(distances)
        curve, cameras = calibration.curve, self.seen.cameras
        is_own = cameras[rows][:, None] == cameras[others][None, :]
        here = standardised(distances, self.yardsticks[rows], is_own)
        there = standardised(distances.T, self.yardsticks[others], is_own.T).T
        one, other = (np.interp(standard, curve.standard, curve.log_odds) for standard in (here, there))
        both: NDArray[np.float64] = (one + other) / 2
        return both

    def blocks(self, *, longest_gap_s: float = np.inf) -> Iterator[PairBlock]:
        """Each tracklet with those before it that are not too far in time from its block, some hundreds at a time.

        Args:
            longest_gap_s: Between the end of the one and the start of the other.

        Yields:
            Blocks whose others also hold some tracklets that do not come before a row.
        """
        step = max(1, min(_BLOCK, _CELLS // max(1, len(self.vectors))))
        for start in range(0, len(self.vectors), step):
            rows = np.arange(start, min(start + step, len(self.vectors)))
            yield self.block(rows, np.flatnonzero(self.facts.within(rows, longest_gap_s)[: rows[-1] + 1]))
