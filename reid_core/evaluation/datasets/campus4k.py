"""Campus-4K (Xie et al., "Progressive Unsupervised Person Re-identification by Tracklet Association", TMM 2020)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from reid_core.evaluation.datasets.dataset import NOBODY, ReidDataset, ReidRecord
from reid_core.evaluation.datasets.file_names import tracklets_of
from reid_core.evaluation.datasets.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["FIRST_TEST_FRAME", "distractors_marked", "read_campus4k", "seen_before"]

FORM = "train/, query/ and gallery/ with PERSON/TRACKLET/ of pictures named like 0001_C1_F00423_3047-1034-0270-0721.jpg"
FILE_NAME = re.compile(r"(?P<person>\d{4})_C(?P<camera>\d)_F(?P<frame>\d{5})")
FIRST_TEST_FRAME = 46_410


def read_campus4k(root: Path) -> ReidDataset:
    """Read the three folders of tracklets.

    Only people first seen before frame 46,410 train (others found under ``train/`` are left out, with a note). Gallery
    people whom the test set shows at one camera only are distractors.

    Raises:
        DatasetError: If a folder is missing or empty, or a name has another form.
    """
    layout = Layout.at(root, FORM, inside=("campus4k", "Campus4K", "Campus-4K"))
    train, query, gallery = (tracklets_of(layout, subset, FILE_NAME) for subset in ("train", "query", "gallery"))
    early = seen_before(train, FIRST_TEST_FRAME)
    late = len(train) - len(early)
    note = f"{late} training tracklets are of people first seen at frame {FIRST_TEST_FRAME} or later and were left out."
    return ReidDataset.of_parts(
        "campus4k",
        train=early,
        query=query,
        gallery=distractors_marked(query, gallery),
        notes=(note,) if late else (),
    )


def seen_before(tracklets: Sequence[ReidRecord], frame: int) -> list[ReidRecord]:
    """Tracklets of the people whose earliest frame at any camera comes before a frame (cameras are synchronised)."""
    first: dict[int, int] = {}
    for record in tracklets:
        start = record.frame or 0
        first[record.person_id] = min(first.get(record.person_id, start), start)
    return [record for record in tracklets if first[record.person_id] < frame]


def distractors_marked(query: Sequence[ReidRecord], gallery: Sequence[ReidRecord]) -> list[ReidRecord]:
    """The gallery, with ``NOBODY`` for people seen by one camera only among queries and gallery."""
    cameras: dict[int, set[str]] = {}
    for record in (*query, *gallery):
        cameras.setdefault(record.person_id, set()).add(record.camera_id)
    return [record if len(cameras[record.person_id]) > 1 else replace(record, person_id=NOBODY) for record in gallery]
