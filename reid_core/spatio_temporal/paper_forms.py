"""Time as the founding papers use it, under their names: TASTR's Gaussian and joint distance, G-Fusion's sets of gaps.

The product's default is `TransitModel`; these are for reproducing a table and for comparing with one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from reid_core.spatio_temporal.paths import walking_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from reid_core.spatio_temporal.sightings import MatchedPairs, Sightings
    from reid_core.types import CameraLink

__all__ = ["GaussianTransit", "TransitionSets", "gaussian_regularisation", "joint_distance"]

_FLOOR: Final = 1e-4
_LEAST_SIGMA_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class GaussianTransit:
    """TASTR's regularisation of a site: one Gaussian for each pair of cameras that the map joins.

    Attributes:
        walks_s: Average moving time, by index of both cameras, in both orders.
        spread: Standard deviation as a share of the moving time (the paper's lambda).
        as_printed: The paper's Eq. 3 divides by two sigma; the authors' code by two sigma squared, with sigma at least
            five seconds and the result at least 0.0001.

    Source:
        Xie et al. (TASTR), Eq. 2-3; path length over 1.25 m/s and lambda 0.7 as in the authors' code.
    """

    walks_s: Mapping[tuple[int, int], float]
    spread: float = 0.7
    as_printed: bool = False

    @staticmethod
    def of_map(
        camera_ids: Sequence[str], links: Sequence[CameraLink], *, spread: float = 0.7, as_printed: bool = False
    ) -> GaussianTransit:
        """From walking paths; cameras that no path joins are not regularised."""
        return GaussianTransit(walking_seconds(camera_ids, links), spread, as_printed)

    def matrix(self, one: Sightings, other: Sightings) -> NDArray[np.float64]:
        """Regularisation R of every pair, in ``(0, 1]``; 1 where nothing is known. Shape ``(N, M)``.

        The gap is the one from the earlier sighting's end to the later one's start, negative where they overlap.
        """
        found = np.ones((len(one), len(other)))
        for (a, b), walk_s in self.walks_s.items():
            rows, columns = np.flatnonzero(one.cameras == a), np.flatnonzero(other.cameras == b)
            if len(rows) and len(columns):
                onward = other.starts_s[columns][None, :] - one.ends_s[rows][:, None]
                back = one.starts_s[rows][:, None] - other.ends_s[columns][None, :]
                values = gaussian_regularisation(
                    np.maximum(onward, back), walk_s, self.spread * walk_s, as_printed=self.as_printed
                )
                found[np.ix_(rows, columns)] = np.where(np.isnan(values), 1.0, values)
        return found


def gaussian_regularisation(
    gaps_s: NDArray[np.float64], mean_s: float, sigma_s: float, *, as_printed: bool = False
) -> NDArray[np.float64]:
    """How usual each gap is for a walk of this mean and spread; the shape is kept.

    Args:
        gaps_s: From one sighting's end to the other's start.
        mean_s: Average moving time.
        sigma_s: Its standard deviation, above 0.
        as_printed: As the paper's Eq. 3 stands, instead of the authors' code.

    Raises:
        ValueError: If ``sigma_s`` is not above 0.

    Example:
        >>> gaussian_regularisation(np.array([10.0, 20.0]), 10.0, 10.0).round(4).tolist()
        [1.0, 0.6065]
        >>> gaussian_regularisation(np.array([10.0, 20.0]), 10.0, 10.0, as_printed=True).round(4).tolist()
        [1.0, 0.0067]

    Source:
        Xie et al. (TASTR), Eq. 3.
    """
    if not sigma_s > 0:
        raise ValueError(f"sigma_s must be above 0, got {sigma_s}")
    if as_printed:
        printed: NDArray[np.float64] = np.exp(-((gaps_s - mean_s) ** 2) / (2 * sigma_s))
        return printed
    sigma_s = max(sigma_s, _LEAST_SIGMA_S)
    usual: NDArray[np.float64] = np.maximum(np.exp(-((gaps_s - mean_s) ** 2) / (2 * sigma_s**2)), _FLOOR)
    return usual


def joint_distance(visual: NDArray[np.float64], regularisation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Visual distance over regularisation; the shape is kept. A regularisation of 0 makes a pair infinitely far.

    Args:
        visual: Distances, at least 0.
        regularisation: In ``[0, 1]``, of the same shape.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> joint_distance(np.array([0.5, 0.2]), np.array([1.0, 0.1])).tolist()
        [0.5, 2.0]

    Source:
        Xie et al. (TASTR), Eq. 4.
    """
    if visual.shape != regularisation.shape:
        raise ValueError(f"distances of shape {visual.shape} and regularisation of {regularisation.shape} do not fit")
    with np.errstate(divide="ignore", invalid="ignore"):
        joint: NDArray[np.float64] = visual / regularisation
    return np.where(regularisation > 0, joint, np.inf)


@dataclass(frozen=True, slots=True, eq=False)
class TransitionSets:
    """G-Fusion's recorded gaps between visual neighbours of different cameras.

    Attributes:
        gaps_s: Sorted signed gaps ``t_i - t_j`` of neighbours at camera a and camera b, by index of both cameras.

    Source:
        G-Fusion, Eq. 3.
    """

    gaps_s: Mapping[tuple[int, int], NDArray[np.float64]]

    @staticmethod
    def of_pairs(sightings: Sightings, pairs: MatchedPairs) -> TransitionSets:
        """From pairs whose second is among the first's visual neighbours; order tells who is whose.

        A sighting's time is its start: G-Fusion is about images. Pairs of unknown clocks are left out.
        """
        gaps_s = sightings.starts_s[pairs.rows_a] - sightings.starts_s[pairs.rows_b]
        cameras_a, cameras_b = sightings.cameras[pairs.rows_a], sightings.cameras[pairs.rows_b]
        known = np.isfinite(gaps_s) & (cameras_a != cameras_b)
        codes = cameras_a * len(sightings.camera_ids) + cameras_b
        found = {}
        for code in np.unique(codes[known]).tolist():
            a, b = divmod(code, len(sightings.camera_ids))
            found[a, b] = np.sort(gaps_s[known & (codes == code)])
        return TransitionSets(found)

    def holds(self, camera_a: int, camera_b: int, gaps_s: NDArray[np.float64], *, delta_s: float) -> NDArray[np.bool_]:
        """Whether a recorded gap lies within ``delta_s`` of each gap; never between cameras without records.

        Args:
            camera_a: Index of the first sightings' camera.
            camera_b: Index of the second ones' camera.
            gaps_s: Time of the first less time of the second, any shape.
            delta_s: Fluctuation that is allowed, at least 0 (the paper: 25 frames).

        Raises:
            ValueError: If ``delta_s`` is negative.

        Source:
            G-Fusion, Eq. 4.
        """
        if not delta_s >= 0:
            raise ValueError(f"delta_s must be at least 0, got {delta_s}")
        recorded = self.gaps_s.get((camera_a, camera_b))
        if recorded is None:
            return np.zeros(gaps_s.shape, np.bool_)
        first = np.searchsorted(recorded, gaps_s - delta_s, side="left")
        past = np.searchsorted(recorded, gaps_s + delta_s, side="right")
        within: NDArray[np.bool_] = past > first
        return within & ~np.isnan(gaps_s)
