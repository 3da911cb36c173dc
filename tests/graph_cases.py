"""Small crowds for graphs: people with looks, cameras and times, and rules that join them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, eq=False)
class Crowd:
    looks: np.ndarray
    people: np.ndarray
    cameras: np.ndarray
    times: np.ndarray

    def part(self, rows: slice) -> Crowd:
        return Crowd(self.looks[rows], self.people[rows], self.cameras[rows], self.times[rows])


def crowd(seed: int, count: int = 60, *, people: int = 12, dim: int = 16, noise: float = 0.6) -> Crowd:
    """Everybody has a look with noise, and passes four cameras with a walk of 100 s and some between two."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, people, count)
    cameras = rng.integers(0, 4, count)
    looks = rng.normal(size=(people, dim))[who] + noise * rng.normal(size=(count, dim))
    times = 1000.0 * who + 100 * cameras + rng.normal(0, 3, count)
    return Crowd((looks / np.linalg.norm(looks, axis=1, keepdims=True)).astype(np.float32), who, cameras, times)


def walks_of_100_s(asking: Crowd, answering: Crowd) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Pairs of two cameras whose gap is 100 s for each camera between them, give or take 10."""

    def rule(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        cameras = asking.cameras[rows] - answering.cameras[columns]
        gaps = asking.times[rows] - answering.times[columns]
        return (cameras != 0) & (np.abs(gaps - 100 * cameras) < 10)

    return rule
