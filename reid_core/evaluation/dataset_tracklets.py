"""A dataset's training pictures as a learning cycle reads them: with labels for a source, without for a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reid_core.errors import DatasetError, NotAnImageError
from reid_core.evaluation.datasets.pictures import pictures_of
from reid_core.evaluation.datasets.times import taken_s
from reid_core.learning.files import written_whole
from reid_core.learning.tracklet_set import PICTURES, TrackletSet, save_arrays, save_description
from reid_core.models.pictures import fitted_picture
from reid_core.spatio_temporal.sightings import Sightings
from reid_core.vision.crops import decode_crop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from reid_core.evaluation.datasets.dataset import ReidDataset, ReidRecord
    from reid_core.evaluation.datasets.pictures import Pictures

__all__ = ["write_training_set"]


def write_training_set(
    dataset: ReidDataset,
    pictures: Pictures,
    folder: Path,
    *,
    size_px: tuple[int, int],
    crops_at_most: int,
    labelled: bool,
    split: int = 0,
    on_record: Callable[[], None] = lambda: None,
) -> int:
    """Write the training part of a split, as `TrackletSet.load` reads it; a picture is a tracklet of one.

    Args:
        dataset: As its reader gives it.
        pictures: Where its pictures lie.
        folder: Where to; what is there is replaced.
        size_px: Width and height of the network's pictures.
        crops_at_most: Evenly spaced pictures of a longer tracklet.
        labelled: Whether people's numbers go along, as labels that hold across cameras; without, nothing that is
            written tells who anybody is.
        split: Of the dataset's splits.
        on_record: Called after each.

    Returns:
        How many tracklets were written.

    Raises:
        DatasetError: If the split trains on nobody, or a picture is missing or cannot be decoded.
        StorageFullError: If there is no space left.
    """
    records = [dataset.records[at] for at in dataset.splits[split].train.tolist()]
    if not records:
        raise DatasetError(f"{dataset.name} has nobody to train on")
    counts = []
    folder.mkdir(parents=True, exist_ok=True)
    with written_whole(folder / PICTURES) as file:
        for record in records:
            paths = _spread(pictures_of(record), crops_at_most)
            for path in paths:
                file.write(np.ascontiguousarray(_picture(pictures, path, size_px)).tobytes())
            counts.append(len(paths))
            on_record()
    people = np.array([record.person_id for record in records], np.int64) if labelled else None
    written = _as_set(dataset.name, records, counts, size_px, people)
    save_arrays(folder, written)
    save_description(folder, written)
    return len(records)


def _spread(paths: Sequence[str], at_most: int) -> list[str]:
    places = np.linspace(0, len(paths) - 1, min(len(paths), at_most)).round().astype(np.int64)
    return [paths[place] for place in places.tolist()]


def _picture(pictures: Pictures, path: str, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    stored = pictures.read(path)
    if stored is None:
        raise DatasetError(f"{path} is missing")
    try:
        return fitted_picture(decode_crop(stored), size_px)
    except NotAnImageError as error:
        raise DatasetError(f"{path} cannot be decoded") from error


def _as_set(
    name: str,
    records: Sequence[ReidRecord],
    counts: Sequence[int],
    size_px: tuple[int, int],
    people: NDArray[np.int64] | None,
) -> TrackletSet:
    cameras, camera_of = np.unique([record.camera_id for record in records], return_inverse=True)
    taken = np.array([taken_s(name, record) for record in records])
    seen = Sightings(tuple(map(str, cameras.tolist())), camera_of.astype(np.int64).reshape(-1), taken, taken.copy())
    first_crop = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    width, height = size_px
    on_disk = np.broadcast_to(np.zeros(3, np.uint8), (int(first_crop[-1]), height, width, 3))
    return TrackletSet(np.arange(1, len(records) + 1), seen, first_crop, on_disk, in_camera_ids=people)
