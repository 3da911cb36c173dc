"""What every reader yields: records of people, and who of them trains, asks and answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reid_core.errors import DatasetError
from reid_core.metrics.junk import JUNK_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = ["JUNK", "NOBODY", "ReidDataset", "ReidRecord", "Split"]

JUNK = JUNK_ID
NOBODY = 0


@dataclass(frozen=True, slots=True)
class ReidRecord:
    """One picture, or one tracklet of pictures, of one person.

    Attributes:
        path: Of the picture or of the tracklet's folder, relative to the dataset's root, with ``/``. Names the record:
            features are given by it. A tracklet without a folder of its own goes by its first picture.
        person_id: As published, from 1 (readers add 1 where the publication counts from 0); ``NOBODY`` for a
            distractor, ``JUNK`` for what is dropped before scoring.
        camera_id: As published.
        frame: Frame number of the (first) picture within ``sequence``, where the name tells it.
        sequence: The recording in which frames are counted, where there are several.
        clothes_id: Outfit, unique among all people, where it is labelled.
        tracklet: Pictures of a tracklet in order of time, relative to the root; empty for a single picture.
    """

    path: str
    person_id: int
    camera_id: str
    frame: int | None = None
    sequence: str = ""
    clothes_id: str | None = None
    tracklet: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """One way to train and test, as positions among the dataset's records.

    Attributes:
        train: Shape ``(T,)``, int64.
        query: Shape ``(Q,)``, int64.
        gallery: May hold queries too. Shape ``(G,)``, int64.
    """

    train: NDArray[np.int64]
    query: NDArray[np.int64]
    gallery: NDArray[np.int64]

    @staticmethod
    def of(train: Iterable[int], query: Iterable[int], gallery: Iterable[int]) -> Split:
        """A split from any positions."""
        return Split(*(np.fromiter(part, np.int64) for part in (train, query, gallery)))


@dataclass(frozen=True, slots=True, eq=False)
class ReidDataset:
    """A dataset as it lies on disk, in one form for all.

    Attributes:
        name: As in the registry.
        records: All pictures or tracklets that any split uses.
        splits: As published, at least one.
        validation: Queries and gallery to tune on, where they are published.
        notes: What a reader of figures has to know, one sentence each.
    """

    name: str
    records: tuple[ReidRecord, ...]
    splits: tuple[Split, ...]
    validation: Split | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a dataset that nobody could score."""
        seen: set[str] = set()
        for record in self.records:
            if record.path in seen:
                raise DatasetError(f"{self.name} names {record.path} twice")
            seen.add(record.path)
        for number, split in enumerate(self.splits, start=1):
            if not len(split.query) or not len(split.gallery):
                counts = f"{len(split.query)} queries and {len(split.gallery)} gallery entries"
                raise DatasetError(f"{self.name}, split {number} of {len(self.splits)}, has {counts}")

    @staticmethod
    def of_parts(
        name: str,
        *,
        train: Sequence[ReidRecord],
        query: Sequence[ReidRecord],
        gallery: Sequence[ReidRecord],
        validation_query: Sequence[ReidRecord] = (),
        validation_gallery: Sequence[ReidRecord] = (),
        notes: tuple[str, ...] = (),
    ) -> ReidDataset:
        """A dataset of one split whose parts have no record in common."""
        ends = np.cumsum([len(part) for part in (train, query, gallery, validation_query, validation_gallery)])
        bounds = [range(start, stop) for start, stop in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True)]
        return ReidDataset(
            name,
            (*train, *query, *gallery, *validation_query, *validation_gallery),
            (Split.of(*bounds[:3]),),
            Split.of((), *bounds[3:]) if validation_query else None,
            notes,
        )
