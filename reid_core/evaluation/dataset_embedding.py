"""Features of a dataset's records from its pictures, kept on disk so that interrupted work goes on where it stopped.

Records are embedded in groups of a few hundred, and each finished group becomes a feature file named by a hash of
everything that it depends on: the model, the records, and size and time of their pictures. Changed pictures or another
model thus never meet old features; files that no run asks for any more do no harm and may be deleted.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from reid_core.errors import DatasetError, FeaturesError, NotAnImageError, OutputError
from reid_core.evaluation.datasets.pictures import pictures_of
from reid_core.evaluation.feature_files import FeatureTable, read_features
from reid_core.vision.crops import decode_crop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from reid_core.evaluation.datasets.dataset import ReidRecord
    from reid_core.evaluation.datasets.pictures import Pictures
    from reid_core.ports import Embedder
    from reid_core.types import FloatArray, ImageBGR

__all__ = ["PICTURES_OF_A_TRACKLET", "embed_records", "pictures_to_embed"]

PICTURES_OF_A_TRACKLET = 12  # as many crops as an ingest embeds of one tracklet
_GROUP = 256
_BATCH = 32


def embed_records(
    records: Sequence[ReidRecord],
    pictures: Pictures,
    embedder: Embedder,
    *,
    folder: Path,
    on_records: Callable[[int], None] = lambda _: None,
) -> FeatureTable:
    """Embed pictures one by one, and tracklets as the embedder pools them.

    Args:
        records: Pictures and tracklets, each path once.
        pictures: Where they lie.
        embedder: Whose vectors are wanted.
        folder: Keeps finished groups; made where it is missing.
        on_records: Called with the number of records just done.

    Returns:
        One row for each record, under its own path.

    Raises:
        DatasetError: If a picture is missing or cannot be decoded.
        OutputError: If the folder cannot be written to.
    """
    groups: list[FloatArray] = []
    for start in range(0, len(records), _GROUP):
        group = records[start : start + _GROUP]
        file = folder / f"{_key(group, pictures, embedder)}.npz"
        features = _kept(file, group)
        if features is None:
            features = _embed_group(group, pictures, embedder)
            _keep(file, features, group)
        groups.append(features)
        on_records(len(group))
    rows = {record.path: row for row, record in enumerate(records)}
    features = np.concatenate([*groups, np.zeros((0, embedder.dim), np.float32)])
    return FeatureTable(features, rows, f"pictures embedded with {embedder.model_id}")


def pictures_to_embed(record: ReidRecord) -> tuple[str, ...]:
    """A picture itself; of a tracklet at most twelve pictures, evenly spaced, first and last among them.

    Example:
        >>> from reid_core.evaluation.datasets.dataset import ReidRecord
        >>> tracklet = ReidRecord("t", 1, "a", tracklet=tuple("abcdefghijklmnopqrstuvw"))
        >>> "".join(pictures_to_embed(tracklet))
        'acegikmoqsuw'
    """
    paths = pictures_of(record)
    places = np.linspace(0, len(paths) - 1, min(len(paths), PICTURES_OF_A_TRACKLET)).round().astype(np.int64)
    return tuple(paths[place] for place in places)


def _embed_group(records: Sequence[ReidRecord], pictures: Pictures, embedder: Embedder) -> FloatArray:
    """Shape ``(len(records), d)``, in their order."""
    features = np.empty((len(records), embedder.dim), np.float32)
    single = [at for at, record in enumerate(records) if len(pictures_of(record)) == 1]
    for start in range(0, len(single), _BATCH):
        batch = single[start : start + _BATCH]
        crops = [image for at in batch for image in _images(records[at], pictures)]
        features[batch] = embedder.embed(crops).crop_vectors
    for at, record in enumerate(records):
        if len(pictures_of(record)) > 1:
            features[at] = embedder.embed(list(_images(record, pictures))).vector
    return features


def _images(record: ReidRecord, pictures: Pictures) -> Iterator[ImageBGR]:
    for path in pictures_to_embed(record):
        content = pictures.read(path)
        if content is None:
            raise DatasetError(f"the picture {path} is missing")
        try:
            yield decode_crop(content)
        except NotAnImageError as error:
            raise DatasetError(f"{path} is not a picture that can be decoded ({len(content)} bytes)") from error


def _key(records: Sequence[ReidRecord], pictures: Pictures, embedder: Embedder) -> str:
    digest = hashlib.sha256(embedder.model_id.encode())
    for record in records:
        used = pictures_to_embed(record)
        digest.update("\n".join((record.path, *used, *(pictures.stamp(path) for path in used), "")).encode())
    return digest.hexdigest()[:32]


def _kept(file: Path, records: Sequence[ReidRecord]) -> FloatArray | None:
    """Features of a finished group; ``None`` where there are none, or the file is broken."""
    if not file.is_file():
        return None
    try:
        table = read_features(file)
    except FeaturesError:
        return None
    return table.features if list(table.rows) == [record.path for record in records] else None


def _keep(file: Path, features: FloatArray, records: Sequence[ReidRecord]) -> None:
    partial = file.with_suffix(".partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as out:
            np.savez(out, features=features, paths=np.array([record.path for record in records]))
        partial.replace(file)
    except OSError as error:
        raise OutputError(f"{file}: {error.strerror}") from error
