"""Fair comparisons on a shared machine: contenders take turns, and a ratio comes with its uncertainty.

A benchmark hands `take_turns` one callable for each contender. A callable does the whole work once and returns its own
measure (milliseconds a frame, seconds a query ...). Turns go A B B A: whatever drifts (heat, neighbours, caches) falls
on all contenders alike. `ratio_of` then compares two contenders round by round, and `write_report` stores what was
found as ``build/benchmarks/NAME.json``.

Example:
    >>> rounds = take_turns({"ours": lambda: 1.0, "peer": lambda: 2.0}, rounds=4)
    >>> rounds["ours"]
    (1.0, 1.0, 1.0, 1.0)
    >>> ratio_of(rounds, "ours", "peer")
    Ratio(median=0.5, low=0.5, high=0.5)
"""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Ratio", "median_of", "pin_to_one_thread", "ratio_of", "take_turns", "write_report"]

REPORTS = Path(__file__).resolve().parents[2] / "build" / "benchmarks"


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times the other's measure one contender needs: median over rounds and a 95% bootstrap interval."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f}x ({self.low:.2f}-{self.high:.2f})"


def pin_to_one_thread() -> None:
    """Tell numeric libraries to use one thread; call before numpy, cv2 or torch do any work.

    OpenMP and BLAS read these variables when they start, so set them in the shell as well where it must be sure.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
        os.environ[name] = "1"


def take_turns(
    contenders: Mapping[str, Callable[[], float]], *, rounds: int, warm_up: int = 0
) -> dict[str, tuple[float, ...]]:
    """Run every contender once a round, in the order given in even rounds and reversed in odd ones (A B B A).

    Args:
        contenders: Name to a callable that works once and returns its measure; smaller is better.
        rounds: How often each one runs, at least 1; an even number keeps the turns balanced.
        warm_up: Rounds run first and not counted.

    Returns:
        For each name its measures in order of rounds.

    Raises:
        ValueError: If ``rounds`` is below 1 or there is no contender.
    """
    if rounds < 1 or not contenders:
        raise ValueError(f"need at least one contender and one round, got {len(contenders)} and {rounds}")
    seen: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(-warm_up, rounds):
        names = list(contenders)[:: 1 if number % 2 == 0 else -1]
        for name in names:
            measure = contenders[name]()
            if number >= 0:
                seen[name].append(measure)
    return {name: tuple(values) for name, values in seen.items()}


def median_of(rounds: Mapping[str, Sequence[float]], name: str) -> float:
    """The middle measure of one contender."""
    return float(np.median(rounds[name]))


def ratio_of(
    rounds: Mapping[str, Sequence[float]], ours: str, peer: str, *, resamples: int = 2000, seed: int = 0
) -> Ratio:
    """Compare two contenders round by round.

    The ratio is taken within each round, where both met the same conditions; its median over rounds is resampled with
    replacement for the interval.

    Raises:
        ValueError: If the two did not run equally often.
    """
    mine, other = np.asarray(rounds[ours], float), np.asarray(rounds[peer], float)
    if mine.shape != other.shape:
        raise ValueError(f"{ours} ran {mine.size} times, {peer} {other.size} times")
    ratios = mine / other
    drawn = np.random.default_rng(seed).integers(0, ratios.size, (resamples, ratios.size))
    low, high = np.percentile(np.median(ratios[drawn], axis=1), [2.5, 97.5])
    return Ratio(round(float(np.median(ratios)), 4), round(float(low), 4), round(float(high), 4))


def write_report(name: str, findings: Mapping[str, Any], *, folder: Path = REPORTS) -> Path:
    """Store what a benchmark found as ``folder/NAME.json``, with the machine it ran on; answers the file's path.

    `Ratio` values anywhere in ``findings`` become objects with their three numbers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    machine = {"cpus": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    path = folder / f"{name}.json"
    text = json.dumps({"benchmark": name, "machine": machine, **findings}, indent=2, sort_keys=True, default=_plain)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def _plain(value: Any) -> Any:
    """What JSON does not know by itself: ratios, numpy scalars and arrays, paths."""
    if isinstance(value, Ratio):
        return asdict(value)
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Path):
        return value.name
    raise TypeError(f"cannot be written as JSON: {value!r}")
