"""Features of a dataset's records, read from an ``.npz`` file and made comparable.

The file holds ``features`` (N, d), any float or integer type, and ``paths`` (N,), strings: record paths relative to the
dataset's root, with ``/``, in any order. A tracklet has one row under its own path, or one row for each of its
pictures: these are averaged first and normalised afterwards. Rows of other pictures are left alone.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from reid_core.errors import FeaturesError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from reid_core.evaluation.datasets.dataset import ReidRecord
    from reid_core.types import FloatArray

__all__ = ["Distance", "FeatureTable", "features_of", "read_features"]

_ROWS = 8192
_NUMBERS = "fiu"


class Distance(Enum):
    """How far apart two features are; ``COSINE`` normalises them, ``EUCLIDEAN`` takes them as they are."""

    COSINE = "cosine"
    EUCLIDEAN = "euclidean"


@dataclass(frozen=True, slots=True, eq=False)
class FeatureTable:
    """Features by path.

    Attributes:
        features: Finite. Shape ``(N, d)``, float32.
        rows: Path to row.
        source: What messages call the file.
    """

    features: FloatArray
    rows: dict[str, int]
    source: str


def read_features(path: Path) -> FeatureTable:
    """Read and check a feature file.

    Raises:
        FeaturesError: If it is not an ``.npz`` file with both arrays, they differ in length, hold nothing, a path is
            there twice, or a value is not finite.
    """
    features, names = _arrays(path)
    if features.ndim != 2 or features.dtype.kind not in _NUMBERS or not features.size:
        raise FeaturesError(f"{path}: features must be numbers of shape (N, d), got {features.dtype} {features.shape}")
    if names.ndim != 1 or names.dtype.kind not in "US":
        raise FeaturesError(f"{path}: paths must be strings of shape (N,), got {names.dtype} {names.shape}")
    if len(names) != len(features):
        raise FeaturesError(f"{path}: {len(features)} features but {len(names)} paths")
    paths = [_tidy(name) for name in names.tolist()]
    rows = {name: row for row, name in enumerate(paths)}
    if len(rows) != len(paths):
        twice = next(name for row, name in enumerate(paths) if rows[name] != row)
        raise FeaturesError(f"{path}: the path {twice} is there twice")
    with np.errstate(over="ignore"):
        table = FeatureTable(features.astype(np.float32, copy=False), rows, str(path))
    _check_finite(table.features, paths, path)
    return table


def features_of(records: Sequence[ReidRecord], table: FeatureTable, *, distance: Distance) -> FloatArray:
    """Features of records, in their order.

    Args:
        records: Pictures and tracklets.
        table: Has a row for each record, or for each picture of a tracklet.
        distance: Decides whether they are normalised.

    Returns:
        Shape ``(len(records), d)``, float32; of unit length for ``COSINE``.

    Raises:
        FeaturesError: If a record has no features, or features of zero length that cannot be normalised.
    """
    rows = [_rows_of(record, table.rows) for record in records]
    missing = [record.path for record, own in zip(records, rows, strict=True) if not own]
    if missing:
        raise FeaturesError(f"{table.source}: no features of {missing[0]} ({len(missing)} of {len(records)} missing)")
    features = table.features[[own[0] for own in rows]]
    for at, own in enumerate(rows):
        if len(own) > 1:
            features[at] = table.features[own].mean(axis=0, dtype=np.float64)
    if distance is Distance.COSINE:
        _normalise(features, records, table.source)
    return features


def _rows_of(record: ReidRecord, rows: dict[str, int]) -> list[int]:
    """The record's own row, or those of all its pictures; empty where one is missing."""
    pictures = [rows.get(picture, -1) for picture in record.tracklet]
    if len(pictures) > 1 and min(pictures) >= 0:
        return pictures
    own = rows.get(record.path, pictures[0] if len(pictures) == 1 else -1)
    return [own] if own >= 0 else []


def _normalise(features: FloatArray, records: Sequence[ReidRecord], source: str) -> None:
    for start in range(0, len(features), _ROWS):
        part = features[start : start + _ROWS]
        lengths = np.linalg.norm(part.astype(np.float64), axis=1)
        if not lengths.all():
            zero = records[start + int(np.argmin(lengths))].path
            raise FeaturesError(f"{source}: the features of {zero} are all zero")
        part /= lengths[:, None]


def _arrays(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    try:
        with path.open("rb") as file:
            stored = np.load(file, allow_pickle=False)
            if isinstance(stored, np.ndarray) or {"features", "paths"} - set(stored.files):
                raise FeaturesError(f"{path}: expected an .npz file with the arrays features and paths")
            return stored["features"], stored["paths"]
    except (OSError, EOFError, BadZipFile, zlib.error, ValueError, NotImplementedError) as error:
        raise FeaturesError(f"{path}: not a readable .npz file of plain arrays ({error})") from error


def _check_finite(features: FloatArray, paths: Sequence[str], path: Path) -> None:
    for start in range(0, len(features), _ROWS):
        finite = np.isfinite(features[start : start + _ROWS]).all(axis=1)
        if not finite.all():
            raise FeaturesError(f"{path}: the features of {paths[start + int(np.argmin(finite))]} are not all finite")


def _tidy(name: str | bytes) -> str:
    text = name.decode("utf-8", "replace") if isinstance(name, bytes) else name
    return text.replace("\\", "/").removeprefix("./")
