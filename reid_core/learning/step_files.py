"""What a step of a learning cycle leaves in its folder, and how it is found again."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from reid_core.errors import CheckpointError
from reid_core.learning.files import written_whole
from reid_core.learning.relations import PairWeights

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from reid_core.types import FloatArray

__all__ = [
    "StepProgress",
    "StepResult",
    "finished_result",
    "load_array",
    "load_pairs",
    "save_array",
    "save_arrays_whole",
    "save_json",
    "save_pairs",
    "save_result",
]

_METRICS = "metrics.json"


@dataclass(frozen=True, slots=True)
class StepProgress:
    """How far a step is: ``done`` of ``total`` units of work, and figures as they stand."""

    step: str
    done: int
    total: int
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a finished step measured of itself; equal data, recipe and seed give equal figures."""

    step: str
    metrics: Mapping[str, float]


def save_json(path: Path, document: object) -> None:
    """Write a document whole, as a person can read it."""
    with written_whole(path) as file:
        file.write((json.dumps(document, indent=1, sort_keys=True) + "\n").encode())


def save_result(folder: Path, result: StepResult) -> None:
    """Mark a step as finished; everything else in its folder must be there already."""
    save_json(folder / _METRICS, dict(result.metrics))


def finished_result(folder: Path, step: str) -> StepResult | None:
    """What a finished step said, ``None`` if it is not finished.

    Raises:
        CheckpointError: If what it said cannot be read.
    """
    path = folder / _METRICS
    if not path.is_file():
        return None
    try:
        return StepResult(step, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: {error}") from error


def save_arrays_whole(path: Path, **arrays: FloatArray) -> None:
    """Write arrays to one ``.npz``, whole."""
    with written_whole(path) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Write one array, whole."""
    with written_whole(path) as file:
        np.save(file, array)


def load_array(path: Path) -> NDArray[Any]:
    """Inverse of `save_array`.

    Raises:
        CheckpointError: If the file cannot be read.
    """
    try:
        array: NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: {error}") from error
    return array


def save_pairs(path: Path, pairs: PairWeights, doubtful: PairWeights) -> None:
    """Write what training may take for one person, and what it must leave alone."""
    with written_whole(path) as file:
        np.savez(
            file,
            rows_a=pairs.rows_a,
            rows_b=pairs.rows_b,
            weights=pairs.weights,
            doubtful_a=doubtful.rows_a,
            doubtful_b=doubtful.rows_b,
            doubtful_weights=doubtful.weights,
        )


def load_pairs(path: Path) -> tuple[PairWeights, PairWeights]:
    """Inverse of `save_pairs`.

    Raises:
        CheckpointError: If the file cannot be read.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            return (
                PairWeights(stored["rows_a"], stored["rows_b"], stored["weights"]),
                PairWeights(stored["doubtful_a"], stored["doubtful_b"], stored["doubtful_weights"]),
            )
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path}: {error}") from error
